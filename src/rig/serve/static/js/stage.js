// The robot beside its goal: large for people, small as the robot itself sees.

import { html } from "../vendor/htm-preact-standalone.module.js";
import { FrameView } from "./parts.js";

const GoalImage = ({ goal, file, alt }) => (goal
  ? html`<img class=${`frame ${file.endsWith("jpg") ? "smooth" : ""}`} src=${`/api/goals/${goal.id}/${file}`} alt=${alt} />`
  : html`<div class="frame nothing" aria-hidden="true">no goal yet</div>`);

const Figure = ({ title, children }) => html`<figure><figcaption>${title}</figcaption>${children}</figure>`;

const near = (attempt) => (attempt ? `latent distance ${attempt.latent_distance.toFixed(2)}` : "it has not moved yet");

export const Stage = ({ goal, isMine, isSimulated, attempt }) => html`<div class="stage pair">
  <${Figure} title="Goal"><${GoalImage} goal=${goal} file=${goal?.has_large ? "large.jpg" : "image.png"} alt="The goal" /><//>
  <${Figure} title="Robot">${isMine && html`<${FrameView} of=${isSimulated ? "large" : "camera"} size=${480} label=${`The robot; ${near(attempt)}`} className=${isSimulated ? "smooth" : ""} />`}<//>
</div>`;

export const RobotsView = ({ goal, isMine, attempt }) => html`<div class="stage thumbs">
  <${Figure} title="Goal, as it sees it"><${GoalImage} goal=${goal} file="image.png" alt="The goal, as the robot's camera would show it" /><//>
  <${Figure} title="What it makes of it"><${GoalImage} goal=${goal} file="decoded.png" alt="The goal, decoded from its latent" /><//>
  <${Figure} title="What it sees">${isMine && html`<${FrameView} of="camera" size=${48} label=${`What the robot's camera shows; ${near(attempt)}`} />`}<//>
  <${Figure} title="What it makes of that">${isMine && html`<${FrameView} of="decoded" size=${48} label="What the robot sees, decoded from its latent" />`}<//>
</div>`;
