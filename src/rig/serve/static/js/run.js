// One run: its head, and Watch or Reach beneath.

import { html, useEffect, useState } from "../vendor/htm-preact-standalone.module.js";
import { get, sentence } from "./api.js";
import { count, duration } from "./format.js";
import { useMessage } from "./live.js";
import { Bar, Notice, Pill, useTitle } from "./parts.js";
import { Reach } from "./reach.js";
import { Watch } from "./watch.js";

export function RunScreen({ id, view }) {
  const [run, setRun] = useState(null);
  const [error, setError] = useState("");
  const load = () => get(`/api/runs/${id}`)
    .then((values) => { setRun(values); setError(""); })
    .catch((wrong) => setError(sentence(wrong)));
  useEffect(() => { load(); }, [id]);
  useMessage("runs", ({ changed }) => changed.some((row) => row.id === id) && load(), [id]);
  useMessage("connected", load, [id]);
  useTitle(run ? `${run.name}: ${view}` : "");
  if (!run) return error ? html`<${Notice} kind="bad" role="alert">${error}<//><p><a href="#/">All runs</a></p>` : html`<p class="faint">Opening the run…</p>`;
  const share = Math.min((run.num_env_steps || 0) / run.num_env_steps_total, 1);
  const left_s = share > 0 && run.training_s ? (run.training_s * (1 - share)) / share : 0;
  return html`
    <nav class="crumbs" aria-label="Where you are"><a href="#/">Runs</a> <span aria-hidden="true">/</span></nav>
    <div class="headline">
      <h1>${run.name}</h1><${Pill} state=${run.state} />
      <span class="spread"></span>
      <nav class="views" aria-label="Views of the run">
        <a href=${`#/run/${id}`} aria-current=${view === "watch" ? "page" : undefined}>Watch</a>
        <a href=${`#/run/${id}/reach`} aria-current=${view === "reach" ? "page" : undefined}>Reach</a>
      </nav>
    </div>
    <p class="lead">${run.task}, learned from ${run.learned_from}, seed ${run.seed}.
      ${" "}${count(run.num_env_steps || 0)} steps${run.training_s ? ` in ${duration(run.training_s)}` : ""}.</p>
    ${run.state === "training" && html`<div class="training-bar"><${Bar} value=${share} label="Share of the run's steps" />
      <span class="faint">${Math.round(100 * share)} %${left_s ? `, about ${duration(left_s)} left` : ""}</span></div>`}
    ${view === "reach" ? html`<${Reach} run=${run} />` : html`<${Watch} run=${run} />`}`;
}
