// The list of runs.

import { html, useEffect, useState } from "../vendor/htm-preact-standalone.module.js";
import { get, sentence } from "./api.js";
import { ago, count, duration } from "./format.js";
import { useMessage } from "./live.js";
import { Bar, Empty, Notice, Pill, Spark, useTitle } from "./parts.js";

const TYPING_MS = 300;

export function useRuns(where = "") {
  const [runs, set] = useState(null);
  const [error, setError] = useState("");
  const load = () => get(`/api/runs${where ? `?where=${encodeURIComponent(where)}` : ""}`)
    .then((values) => { set(values.runs); setError(""); })
    .catch((wrong) => setError(sentence(wrong)));
  useEffect(() => { load(); }, [where]);
  useMessage("runs", load, [where]);
  useMessage("connected", load, [where]);
  return { runs, error };
}

const Distances = ({ run }) => html`<span class="distances">${(run.distances || []).map((each) => html`
  <span class="distance" key=${each.object}><strong>${each.text}</strong>
  <span class="faint">${each.object.replace(/_/g, " ")}${each.no_op && `, from ${each.no_op}`}</span></span>`)}</span>`;

function Card({ run, isTicked, onTick }) {
  const share = run.num_env_steps_total ? Math.min(run.num_env_steps / run.num_env_steps_total, 1) : 0;
  return html`<li class="run card">
    <label class="tick"><input type="checkbox" checked=${isTicked} disabled=${run.state === "damaged"}
      onChange=${() => onTick(run.id)} /><span class="hidden">Compare ${run.name}</span></label>
    <div class="what">
      <h2><a href=${`#/run/${run.id}`}>${run.name}</a></h2>
      <p class="faint">${run.state === "damaged" ? run.why
        : html`${run.task} · ${run.preset} preset · seed ${run.seed} · <span class="nowrap">${ago(run.updated_s)}</span>`}</p>
    </div>
    <div class="numbers"><${Distances} run=${run} /><${Spark} values=${run.spark} /></div>
    <div class="progress"><${Pill} state=${run.state} />
      ${run.state !== "damaged" && html`<span class="faint">${count(run.num_env_steps || 0)} of ${count(run.num_env_steps_total)} steps${run.training_s > 0 && html` · <span class="nowrap">${duration(run.training_s)}</span>`}</span>
      ${run.state !== "finished" && html`<${Bar} value=${share} label=${`${run.name}: share of its steps`} />`}`}
    </div>
    <div class="open">
      <a class="button" href=${`#/run/${run.id}`} aria-label=${`Watch ${run.name}`}>Watch</a>
      ${run.can_reach && html`<a class="button main" href=${`#/run/${run.id}/reach`} aria-label=${`Reach with ${run.name}`}>Reach</a>`}
    </div>
  </li>`;
}

export function Runs() {
  useTitle("Runs");
  const [typed, type] = useState("");
  const [where, setWhere] = useState("");
  const [ticked, setTicked] = useState([]);
  useEffect(() => {
    const timer = setTimeout(() => setWhere(typed.trim()), TYPING_MS);
    return () => clearTimeout(timer);
  }, [typed]);
  const { runs, error } = useRuns(where);
  const tick = (id) => setTicked((old) => (old.includes(id) ? old.filter((x) => x !== id) : [...old, id]));
  return html`
    <div class="headline"><h1>Runs</h1>
      <label class="filter"><span class="hidden">Filter, as in rig runs --where</span>
        <input type="search" placeholder="Filter: task=Push, seed<3" value=${typed}
          onInput=${(event) => type(event.target.value)} /></label>
      ${ticked.length > 1 && html`<a class="button main" href=${`#/compare?runs=${ticked.join(",")}`}>Compare ${ticked.length}</a>`}
    </div>
    ${error && html`<${Notice} kind="warn" role="status">${error}<//>`}
    ${runs === null && !error && html`<p class="faint">Looking for runs…</p>`}
    ${runs?.length === 0 && (where
      ? html`<${Empty}>No run meets this filter.<//>`
      : html`<${Empty}><p>No run yet.</p><p><code>rig train Reach</code> makes one in a few minutes. It appears here as soon as it begins.</p><//>`)}
    <ul class="runs">${(runs || []).map((run) => html`<${Card} key=${run.id} run=${run}
      isTicked=${ticked.includes(run.id)} onTick=${tick} />`)}</ul>`;
}
