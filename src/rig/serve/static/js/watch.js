// Watch: practice as it happens, curves, what may be wrong, image grids.

import { html, useState } from "../vendor/htm-preact-standalone.module.js";
import { Chart } from "./chart.js";
import { count, objectOf, unitOf } from "./format.js";
import { Grids } from "./grids.js";
import { isDistance, line, names, useMetrics } from "./metrics.js";
import { Against, Notice } from "./parts.js";
import { Practice } from "./practice.js";

const LOSSES = [
  ["td3/critic_loss", "Critic's loss"],
  ["td3/value", "Value that the critic estimates"],
  ["vae/error_nats", "VAE: reconstruction error, nats", "vae/fit_steps"],
  ["vae/kl_nats", "VAE: KL of the latent, nats", "vae/fit_steps"],
];
const X_LABELS = { num_env_steps: "environment steps", minutes: "minutes of training", "vae/fit_steps": "steps of the fit" };

export function distanceSeries(rows, name, x, label) {
  const { scale } = unitOf(name);
  const no_op = name.replace("eval/", "eval/do_nothing_");
  return [
    { label: label || "policy", ...line(rows, name, x, scale) },
    { label: "no-op policy", ...line(rows, no_op, x, scale), dash: [2, 4] },
  ];
}

function Distances({ rows }) {
  const [x, setX] = useState("num_env_steps");
  const found = names(rows).filter(isDistance);
  return html`<section class="card"><div class="heading"><h2>How near it comes</h2>${found.length > 0 && html`<${Against} x=${x} onX=${setX} />`}</div>
    ${!found.length && html`<p class="faint">No evaluation yet.</p>`}
    <div class="charts">${found.map((name) => html`<${Chart} key=${name}
    title=${`${objectOf(name)}: distance from its goal, ${unitOf(name).shown}`}
    series=${distanceSeries(rows, name, x)} xLabel=${X_LABELS[x]} isLog />`)}</div></section>`;
}

const Losses = ({ rows }) => html`<div class="charts">${LOSSES.map(([name, title, x = "num_env_steps"]) => html`<${Chart}
  key=${name} title=${title} series=${[{ label: title, ...line(rows, name, x) }]} xLabel=${X_LABELS[x]} height=${180} />`)}</div>`;

const Pairs = ({ values, label }) => html`<div class="wide" tabindex="0" role="region" aria-label=${label}><table class="pairs"><tbody>
  ${Object.entries(values).map(([name, value]) => html`<tr key=${name}><th scope="row">${name}</th><td>${value}</td></tr>`)}
</tbody></table></div>`;

// What is folded is drawn when it is opened: a chart needs its width.
function Folded({ title, children }) {
  const [isOpen, setOpen] = useState(false);
  return html`<details class="card" onToggle=${(event) => setOpen(event.target.open)}><summary>${title}</summary>${isOpen && children()}</details>`;
}

export function Watch({ run }) {
  const found = useMetrics([run.id])[run.id];
  const rows = found?.rows || [];
  return html`
    ${found?.wentOnFrom !== undefined && html`<${Notice} role="status">It went on from its checkpoint at ${count(found.wentOnFrom)} steps.<//>`}
    <${Practice} run=${run} />
    <${Distances} rows=${rows} />
    <section class="card"><h2>What may be wrong</h2>
      ${run.findings.length ? html`<ul class="findings">${run.findings.map((text) => html`<li key=${text}>${text}</li>`)}</ul>`
        : html`<p>Nothing stands out.</p>`}</section>
    <section class="card"><h2>Image grids</h2><${Grids} runs=${[run]} /></section>
    <${Folded} title="Learning itself">${() => html`<${Losses} rows=${rows} />`}<//>
    <${Folded} title="Settings">${() => html`<${Pairs} values=${run.settings} label="Settings" />`}<//>
    <${Folded} title="Where it comes from">${() => html`<${Pairs} values=${run.origin} label="Where it comes from" />`}<//>`;
}
