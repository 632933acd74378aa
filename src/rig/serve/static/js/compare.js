// Several runs beside each other.

import { html, useEffect, useState } from "../vendor/htm-preact-standalone.module.js";
import { get, sentence } from "./api.js";
import { Chart } from "./chart.js";
import { count, duration, objectOf, unitOf } from "./format.js";
import { Grids } from "./grids.js";
import { isDistance, line, names, useMetrics } from "./metrics.js";
import { Against, Notice, Pill, useTitle } from "./parts.js";

const COLUMNS = [["median", "median"], ["mean", "mean"], ["std", "spread"], ["do_nothing_median", "no-op policy"]];

function Curves({ runs, found }) {
  const [x, setX] = useState("num_env_steps");
  const all = [...new Set(runs.flatMap(({ id }) => names(found[id]?.rows || []).filter(isDistance)))];
  return html`<section class="card"><div class="heading"><h2>How near they come</h2><${Against} x=${x} onX=${setX} /></div>
    <div class="charts">${all.map((name) => html`<${Chart} key=${name} isLog
    title=${`${objectOf(name)}: distance from its goal, ${unitOf(name).shown}`}
    xLabel=${x === "minutes" ? "minutes of training" : "environment steps"}
    series=${runs.map((run) => ({ label: run.name, ...line(found[run.id]?.rows || [], name, x, unitOf(name).scale) }))} />`)}</div></section>`;
}

function Results({ runs }) {
  const rows = runs.flatMap((run) => Object.entries(run.evaluation.distances || {}).map(([name, values]) => ({ run, name, values })));
  if (!rows.length) return html`<p class="faint">None of them has ended yet.</p>`;
  return html`<div class="wide" tabindex="0" role="region" aria-label="Results"><table>
    <thead><tr><th scope="col">run</th><th scope="col">object</th>${COLUMNS.map(([, title]) => html`<th scope="col">${title}</th>`)}<th scope="col">steps</th><th scope="col">training</th></tr></thead>
    <tbody>${rows.map(({ run, name, values }) => html`<tr key=${run.id + name}><th scope="row"><a href=${`#/run/${run.id}`}>${run.name}</a></th>
      <td>${objectOf(name)}, ${unitOf(name).shown}</td>
      ${COLUMNS.map(([key]) => html`<td>${values[key] === undefined || values[key] === null ? "" : (unitOf(name).scale * values[key]).toFixed(unitOf(name).decimals)}</td>`)}
      <td>${count(run.num_env_steps || 0)}</td><td>${run.training_s ? duration(run.training_s) : ""}</td></tr>`)}</tbody></table></div>`;
}

function Settings({ runs }) {
  const all = [...new Set(runs.flatMap((run) => Object.keys(run.settings)))];
  const different = all.filter((key) => new Set(runs.map((run) => run.settings[key])).size > 1);
  if (!different.length) return html`<p>All settings are the same.</p>`;
  return html`<div class="wide" tabindex="0" role="region" aria-label="Settings that differ"><table>
    <thead><tr><th scope="col">setting</th>${runs.map((run) => html`<th scope="col">${run.name}</th>`)}</tr></thead>
    <tbody>${different.map((key) => html`<tr key=${key}><th scope="row">${key}</th>${runs.map((run) => html`<td>${run.settings[key] ?? ""}</td>`)}</tr>`)}</tbody></table></div>`;
}

export function Compare({ ids }) {
  useTitle("Compare");
  const [runs, setRuns] = useState(null);
  const [error, setError] = useState("");
  const key = ids.join(",");
  useEffect(() => {
    Promise.all(ids.map((id) => get(`/api/runs/${id}`))).then(setRuns).catch((wrong) => setError(sentence(wrong)));
  }, [key]);
  const found = useMetrics(ids);
  if (error) return html`<${Notice} kind="bad" role="alert">${error}<//>`;
  if (!ids.length) return html`<h1>Compare</h1><p>Tick two or more runs in the <a href="#/">list</a>.</p>`;
  if (!runs) return html`<p class="faint">Opening the runs…</p>`;
  return html`<nav class="crumbs" aria-label="Where you are"><a href="#/">Runs</a> <span aria-hidden="true">/</span></nav>
    <div class="headline"><h1>Compare</h1></div>
    <p class="chips">${runs.map((run) => html`<a key=${run.id} class="chip" href=${`#/run/${run.id}`}>${run.name} <${Pill} state=${run.state} /></a>`)}</p>
    <${Curves} runs=${runs} found=${found} />
    <section class="card"><h2>Last evaluation</h2><${Results} runs=${runs} /></section>
    <section class="card"><h2>Settings that differ</h2><${Settings} runs=${runs} /></section>
    <section class="card"><h2>Image grids</h2><${Grids} runs=${runs} /></section>`;
}
