// What is said of a goal: how the image was changed, how like anything practised it is, and
// how often such goals were reached.

import { html } from "../vendor/htm-preact-standalone.module.js";

const VERDICTS = {
  like: "Like what it practised.",
  odd: "A little unlike what it practised.",
  unlike: "Unlike anything that it practised.",
};

export const isUnlike = (goal) => goal?.likeness?.verdict === "unlike";

// An imagined goal is not compared: it comes from what was practised.
function Likeness({ likeness, source }) {
  if (!likeness && source === "imagined") return null;
  if (!likeness) return html`<div class="likeness" role="status">How like what it practised is not known: this run kept nothing to compare with.</div>`;
  return html`<div class=${`likeness ${likeness.verdict}`} role="status">
    <strong>${VERDICTS[likeness.verdict]}</strong>
    <ul>${likeness.measures.filter(({ text }) => text).map(({ kind, text }) => html`<li key=${kind}>${text}</li>`)}</ul>
  </div>`;
}

const HowOften = ({ num_reached: reached, num_goals: num, text }) => html`<div class="how-often" role="status">
  <p>${text}</p>
  <meter min="0" max=${num} value=${reached} aria-label="goals like this that were reached"></meter>
</div>`;

export function GoalCard({ goal }) {
  if (!goal) return null;
  const said = [...goal.changes.map((change) => `It ${change}.`.replace("It converted", "Its colours were converted").replace(/^It /, "We ")), ...(goal.source === "moved" ? [] : goal.notes)];
  return html`<div class="goal-card" data-goal=${goal.id}>
    ${said.length > 0 && html`<ul class="said">${said.map((text) => html`<li key=${text}>${text}</li>`)}</ul>`}
    <${Likeness} likeness=${goal.likeness} source=${goal.source} />
    ${goal.reach && html`<${HowOften} ...${goal.reach} />`}
  </div>`;
}
