// Attempts that have ended, each with its video.

import { html, useEffect, useState } from "../vendor/htm-preact-standalone.module.js";
import { get } from "./api.js";
import { amount, objectOf } from "./format.js";
import { useMessage } from "./live.js";

const WHY = { done: "finished", stopped: "stopped", lost: "stopped: page lost", fault: "fault" };

function Attempt({ attempt, onAgain }) {
  const known = Object.entries(attempt.distances || {});
  return html`<li class="attempt">
    <video src=${`/api/attempts/${attempt.id}.mp4#t=0.01`} controls muted playsinline preload="metadata" aria-label="Goal, camera, and what the robot makes of it"></video>
    <div><p><strong>${WHY[attempt.why] || attempt.why}</strong> after ${(attempt.num_steps * attempt.step_s).toFixed(1)} s</p>
      <p class="faint">latent distance ${attempt.latent_distance.start.toFixed(2)} → ${attempt.latent_distance.end.toFixed(2)}
      ${known.map(([name, { start, end }]) => html`<br key=${name} />${objectOf(name)} ${amount(name, start)} → ${amount(name, end)}`)}</p>
      <p class="row"><button type="button" class="button" onClick=${() => onAgain(attempt.goal)}>Same goal again</button>
      <a class="button" href=${`/api/attempts/${attempt.id}.mp4`} download=${`attempt-${attempt.id}.mp4`}>Video</a>
      <a class="button" href=${`/api/attempts/${attempt.id}.json`} download=${`attempt-${attempt.id}.json`}>Numbers</a></p></div>
  </li>`;
}

export function Attempts({ run, onAgain }) {
  const [attempts, set] = useState([]);
  const load = () => get(`/api/runs/${run.id}/attempts`).then((values) => set(values.attempts)).catch(() => {});
  useEffect(() => { load(); }, [run.id]);
  useMessage("attempt_end", load, [run.id]);
  useMessage("connected", load, [run.id]);
  if (!attempts.length) return html`<p class="faint">None yet. The last eight are kept here, each with its video.</p>`;
  return html`<ul class="attempts">${attempts.map((attempt) => html`<${Attempt} key=${attempt.id} attempt=${attempt} onAgain=${onAgain} />`)}</ul>`;
}
