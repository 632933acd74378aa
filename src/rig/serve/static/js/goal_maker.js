// The ways to make a goal: an image, moved things, imagination.

import { html, useState } from "../vendor/htm-preact-standalone.module.js";
import { GoalCard } from "./goal_card.js";
import { Imagined } from "./imagined.js";
import { MoveThings } from "./move.js";
import { Panel, Tabs } from "./parts.js";
import { Picture } from "./picture.js";

const WAYS = [["move", "Move things"], ["picture", "Picture"], ["imagined", "Imagined"]];

export function GoalMaker({ run, isAwake, goal, onGoal }) {
  const ways = run.is_movable ? WAYS : WAYS.slice(1);
  const [way, setWay] = useState(ways[0][0]);
  const props = { run, isAwake, goal, onGoal };
  return html`<${Tabs} label="Ways to make a goal" tabs=${ways} chosen=${way} onChoose=${setWay} />
    <${Panel} name=${way}>
      ${way === "move" && html`<${MoveThings} ...${props} />`}
      ${way === "picture" && html`<${Picture} ...${props} />`}
      ${way === "imagined" && html`<${Imagined} ...${props} />`}
    <//>
    <${GoalCard} goal=${goal} />`;
}
