// The robot beside its goal: large for people, small as the robot itself sees.

import { html } from "../vendor/htm-preact-standalone.module.js";
import { FrameView } from "./parts.js";

const GoalImage = ({ goal, kind, alt }) => (goal
  ? html`<img class="frame" src=${`/api/goals/${goal.id}/${kind}.png`} alt=${alt} />`
  : html`<div class="frame nothing" aria-hidden="true">no goal yet</div>`);

const Figure = ({ title, children }) => html`<figure><figcaption>${title}</figcaption>${children}</figure>`;

export function Stage({ goal, isMine, attempt }) {
  const near = attempt ? `latent distance ${attempt.latent_distance.toFixed(2)}` : "it has not moved yet";
  return html`<div class="stage">
    <div class="pair">
      <${Figure} title="Goal"><${GoalImage} goal=${goal} kind="image" alt="The goal, as the robot's camera would show it" /><//>
      <${Figure} title="Robot">${isMine && html`<${FrameView} of="large" size=${480} label=${`The robot, drawn large; ${near}`} className="smooth" />`}<//>
    </div>
    <div class="trio">
      <${Figure} title="What it makes of the goal"><${GoalImage} goal=${goal} kind="decoded" alt="The goal, decoded from its latent" /><//>
      <${Figure} title="What it sees">${isMine && html`<${FrameView} of="camera" size=${48} label=${`What the robot's camera shows; ${near}`} />`}<//>
      <${Figure} title="What it makes of that">${isMine && html`<${FrameView} of="decoded" size=${48} label="What the robot sees, decoded from its latent" />`}<//>
    </div>
  </div>`;
}
