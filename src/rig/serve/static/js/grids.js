// Image grids of runs, all under one slider that stays where it is put.

import { html, useState } from "../vendor/htm-preact-standalone.module.js";
import { count } from "./format.js";
import { Empty, Tabs, Panel } from "./parts.js";

const KINDS = [
  ["imagined", "Imagined goals", "Goals that it imagined (top), and where practice for them ended."],
  ["reached", "Reached", "Goal images that practice never saw (top), and the end of each attempt."],
  ["worst", "Worst", "The goals that were missed by most."],
  ["reconstructions", "Reconstructions", "Camera images (top), and what is left of them in the latent."],
  ["latents", "Latents", "Each row varies one latent, from two standard deviations below its mean to two above."],
];

const kindOf = (name) => name.replace(/(-\d+)?\.png$/, "");
const stepsOf = (name) => Number(/-(\d+)\.png$/.exec(name)?.[1] || 0);

// The newest of the names that is not later than a number of steps.
function atSteps(names, steps) {
  const before = names.filter((name) => stepsOf(name) <= steps);
  return before.length ? before[before.length - 1] : names[0];
}

export function Grids({ runs }) {
  const [kind, setKind] = useState("imagined");
  const [chosen, choose] = useState(null); // steps; null: the newest
  const all = runs.flatMap((run) => run.grids);
  const kinds = KINDS.filter(([key]) => all.some((name) => kindOf(name) === key));
  if (!kinds.length) return html`<${Empty}>No image grids yet: the first comes when the VAE is fitted.<//>`;
  const shown = kinds.find(([key]) => key === kind) || kinds[0];
  const stops = [...new Set(all.filter((name) => kindOf(name) === shown[0]).map(stepsOf))].sort((a, b) => a - b);
  const nearest = chosen === null ? stops.length - 1
    : Math.max(0, stops.filter((steps) => steps <= chosen).length - 1);
  const steps = stops[nearest];
  return html`<div class="grids">
    <${Tabs} label="Image grids" tabs=${kinds.map(([key, text]) => [`grid-${key}`, text])} chosen=${`grid-${shown[0]}`}
      onChoose=${(key) => setKind(key.replace("grid-", ""))} />
    <${Panel} name=${`grid-${shown[0]}`}>
      <p class="faint">${shown[2]}</p>
      ${stops.length > 1 && html`<div class="slider"><label for="grid-steps">After ${count(steps)} steps</label>
        <input id="grid-steps" type="range" min="0" max=${stops.length - 1} step="1" value=${nearest}
          aria-valuetext=${`after ${count(steps)} steps`}
          onInput=${(event) => choose(stops[Number(event.target.value)])} />
        <button type="button" class="quiet" disabled=${chosen === null} onClick=${() => choose(null)}>Newest</button></div>`}
      <div class="sheets">${runs.map((run) => {
        const name = atSteps(run.grids.filter((each) => kindOf(each) === shown[0]), steps);
        return name && html`<figure key=${run.id}>
          ${runs.length > 1 && html`<figcaption>${run.name}</figcaption>`}
          <div class="wide" tabindex="0" role="region" aria-label=${`${shown[1]} of ${run.name}`}>
          <img src=${`/api/runs/${run.id}/images/${name}`} alt=${`${shown[1]} of ${run.name}${stepsOf(name) ? ` after ${count(stepsOf(name))} steps` : ""}. ${shown[2]}`} /></div>
        </figure>`;
      })}</div>
    <//>
  </div>`;
}
