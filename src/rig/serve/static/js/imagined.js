// Goals that the robot imagines, as it does in practice.

import { html, useEffect, useState } from "../vendor/htm-preact-standalone.module.js";
import { post, sentence } from "./api.js";
import { Notice } from "./parts.js";

const NUM = 12;

export function Imagined({ run, isAwake, goal, onGoal }) {
  const [seed, setSeed] = useState(0);
  const [goals, setGoals] = useState([]);
  const [error, setError] = useState("");
  useEffect(() => {
    if (!isAwake) return;
    post(`/api/runs/${run.id}/goals/imagined`, { num: NUM, seed })
      .then((found) => { setGoals(found); setError(""); })
      .catch((wrong) => setError(sentence(wrong)));
  }, [run.id, isAwake, seed]);
  return html`<p class="faint">It practised goals like these. Nobody gave them to it.</p>
    <div class="imagined" role="group" aria-label="Imagined goals">${goals.map((each, index) => html`<button type="button" key=${each.id}
      aria-pressed=${goal?.id === each.id ? "true" : "false"} onClick=${() => onGoal(each)}>
      <img class="frame" src=${`/api/goals/${each.id}/image.png`} alt=${`Imagined goal ${index + 1}`} /></button>`)}</div>
    <button type="button" class="button" disabled=${!isAwake} onClick=${() => setSeed(seed + 1)}>Imagine others</button>
    ${error && html`<${Notice} kind="bad" role="alert">${error}<//>`}`;
}
