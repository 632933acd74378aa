// A chart with its numbers as a table. Lines differ in colour and in stroke.

import { html, useEffect, useRef, useState } from "../vendor/htm-preact-standalone.module.js";
import { short } from "./format.js";

const { uPlot } = window;
const STROKES = [[], [8, 4], [2, 3], [8, 3, 2, 3]];
const HEIGHT_PX = 240;
const MOST_ROWS = 60;

// A line keeps its colour and its stroke in every chart, also where others have no numbers.
const strokeOf = ({ dash, index }) => dash || STROKES[Math.floor(index / 6 + index) % STROKES.length];

const colours = () => {
  const style = getComputedStyle(document.documentElement);
  const value = (name) => style.getPropertyValue(name).trim();
  return { ink: value("--faint"), rule: value("--rule"), lines: [1, 2, 3, 4, 5, 6].map((n) => value(`--line-${n}`)) };
};

function options(series, { isLog, xLabel, height, width, isFilled }) {
  const look = colours();
  const axis = { stroke: look.ink, grid: { stroke: look.rule, width: 1 }, ticks: { stroke: look.rule, width: 1 }, font: "12px system-ui, sans-serif" };
  return {
    width,
    height: height || HEIGHT_PX,
    legend: { show: false },
    cursor: { drag: { x: true, y: false }, points: { size: 6 } },
    scales: { x: { time: false }, y: isLog ? { distr: 3, log: 10 } : { range: (_u, low, high) => [Math.min(0, low), high > 0 ? high * 1.05 : 1] } },
    axes: [
      { ...axis, label: xLabel, labelFont: "12px system-ui, sans-serif", labelSize: 22, size: 34, values: (_u, ticks) => ticks.map((x) => short(x)) },
      { ...axis, size: 52, values: (_u, ticks) => ticks.map((y) => (y === null ? "" : short(y))) },
    ],
    series: [{ label: xLabel }, ...series.map((each) => ({
      label: each.label,
      stroke: look.lines[each.index % 6],
      fill: isFilled ? `${look.lines[each.index % 6]}22` : undefined,
      width: 2,
      dash: strokeOf(each),
      spanGaps: true,
      points: { show: (_u, _i, from, to) => to - from < 40, size: 5 },
    }))],
  };
}

const joined = (series) => uPlot.join(series.map(({ xs, ys }) => [xs, ys]));

function Table({ series, xLabel, title }) {
  const [xs, ...columns] = joined(series);
  const step = Math.max(1, Math.ceil(xs.length / MOST_ROWS));
  const rows = [...xs.keys()].filter((index) => index % step === 0 || index === xs.length - 1);
  return html`<div class="wide" tabindex="0" role="region" aria-label=${`${title}, as a table`}><table>
    <thead><tr><th scope="col">${xLabel}</th>${series.map(({ label }) => html`<th scope="col">${label}</th>`)}</tr></thead>
    <tbody>${rows.map((row) => html`<tr><th scope="row">${short(xs[row])}</th>
      ${columns.map((column) => html`<td>${short(column[row])}</td>`)}</tr>`)}</tbody></table></div>`;
}

export function Chart({ title, series, xLabel, isLog = false, height, isFilled = false, canBeTable = true }) {
  const place = useRef(null), plot = useRef(null);
  const [isTable, setTable] = useState(false);
  const shown = series.map((each, index) => ({ ...each, index })).filter(({ xs }) => xs.length);
  const key = `${shown.map(({ label }) => label).join("|")} ${isLog} ${xLabel}`;
  useEffect(() => {
    if (!shown.length || isTable) return undefined;
    const draw = () => {
      plot.current?.destroy();
      const width = place.current.clientWidth;
      plot.current = new uPlot(options(shown, { isLog, xLabel, height, width, isFilled }), joined(shown), place.current);
    };
    draw();
    const watcher = new ResizeObserver(() => {
      const width = place.current?.clientWidth;
      if (width && plot.current && width !== plot.current.width) plot.current.setSize({ width, height: height || HEIGHT_PX });
    });
    watcher.observe(place.current);
    const dark = matchMedia("(prefers-color-scheme: dark)");
    addEventListener("theme", draw);
    dark.addEventListener("change", draw);
    return () => {
      watcher.disconnect();
      removeEventListener("theme", draw);
      dark.removeEventListener("change", draw);
      plot.current?.destroy();
      plot.current = null;
    };
  }, [key, isTable]);
  useEffect(() => { if (plot.current && shown.length) plot.current.setData(joined(shown)); });
  const last = shown.map(({ label, xs, ys }) => `${label}: ${short(ys[ys.length - 1])} at ${short(xs[xs.length - 1])}`).join("; ");
  return html`<figure class="chart">
    <figcaption><span class="title">${title}</span>
      ${series.length > 1 && html`<span class="legend">${shown.map((each) => html`<span key=${each.label}>
        <svg width="22" height="8" aria-hidden="true" class=${`line-${(each.index % 6) + 1}`}><line x1="0" y1="4" x2="22" y2="4" stroke-dasharray=${strokeOf(each).join(" ")} /></svg>${each.label}</span>`)}</span>`}
      <span class="spread"></span>
      ${canBeTable && shown.length > 0 && html`<button type="button" class="quiet" aria-pressed=${isTable ? "true" : "false"} onClick=${() => setTable(!isTable)}>${isTable ? "Chart" : "Table"}<span class="hidden"> of ${title}</span></button>`}
    </figcaption>
    ${!shown.length && html`<p class="faint">Nothing measured yet.</p>`}
    ${shown.length > 0 && (isTable
      ? html`<${Table} series=${shown} xLabel=${xLabel} title=${title} />`
      : html`<div ref=${place} class="plot" role="img" aria-label=${`${title} against ${xLabel}. Last values: ${last}`}></div>`)}
  </figure>`;
}
