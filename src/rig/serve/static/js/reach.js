// Reach: make a goal, press go, watch, stop.

import { html, useEffect, useState } from "../vendor/htm-preact-standalone.module.js";
import { get, post, sentence } from "./api.js";
import { Attempts } from "./attempts.js";
import { Chart } from "./chart.js";
import { amount, count, objectOf } from "./format.js";
import { isUnlike } from "./goal_card.js";
import { GoalMaker } from "./goal_maker.js";
import { live, stopRobot, useLive, useMessage } from "./live.js";
import { Notice } from "./parts.js";
import { Shortcuts, useShortcuts } from "./shortcuts.js";
import { RobotsView, Stage } from "./stage.js";

const SAID = {
  asleep: "Asleep", waking: "Waking the robot", ready: "Ready", moving: "Moving",
  stopping: "Stopping", held: "Held where it is", fault: "Fault",
};

// The numbers of the attempt under way, or of the last one.
function useAttempt() {
  const [attempt, set] = useState(null);
  useMessage("attempt", (message) => set((old) => {
    const isSame = old && old.id === message.id && message.step === old.steps.length;
    return { ...message, why: "moving", steps: [...(isSame ? old.steps : []), message.latent_distance] };
  }));
  useMessage("attempt_end", (message) => set((old) => (old && old.id === message.id ? { ...old, why: message.why } : old)));
  return attempt;
}

function Numbers({ attempt, stepS }) {
  if (!attempt) return html`<p class="faint">Press Go, and the distance is drawn here while the robot moves.</p>`;
  const known = Object.entries(attempt.distances || {}).filter(([, value]) => typeof value === "number");
  return html`<dl class="numbers-now">
    <div><dt>time</dt><dd>${attempt.seconds.toFixed(1)} s</dd></div>
    <div><dt>latent distance</dt><dd>${attempt.latent_distance.toFixed(2)}</dd></div>
    ${known.map(([name, value]) => html`<div key=${name}><dt>${objectOf(name)} from its goal</dt><dd>${amount(name, value)}</dd></div>`)}
  </dl>
  <${Chart} title="Latent distance to the goal" xLabel="seconds" height=${150} isFilled
    series=${[{ label: "latent distance", xs: attempt.steps.map((_, step) => step * stepS), ys: attempt.steps }]} />`;
}

function Controls({ run, goal, robot, isOn, error, setError }) {
  const [speed, setSpeed] = useState(1);
  const [start, setStart] = useState("reset");
  const [isWarned, setWarned] = useState(false);
  useEffect(() => setWarned(false), [goal?.id]);
  const isMine = robot.run === run.id;
  const isStill = robot.state === "ready" || robot.state === "held";
  const canGo = isOn && goal && isMine && isStill;
  const attempt = (action) => action().then(() => setError("")).catch((wrong) => setError(sentence(wrong)));
  const go = () => {
    if (!canGo) return;
    if (isUnlike(goal) && !isWarned) { setWarned(true); return; }
    attempt(() => post("/api/robot/go", { goal: goal.id, client: live.client, start, speed, force: isWarned }).then(() => setWarned(false)));
  };
  const stop = () => attempt(stopRobot);
  const reset = () => isMine && isStill && attempt(() => post("/api/robot/reset"));
  useShortcuts({ g: go, s: stop, Escape: stop, r: reset });
  const isDrivenByOther = robot.driver && robot.driver !== live.client && robot.state === "moving";
  return html`<div class="controls">
    ${isWarned && html`<${Notice} kind="warn" role="alert">This goal is unlike anything that it practised. Press again to try anyway.<//>`}
    <div class="buttons">
      <button type="button" class="go" disabled=${!canGo} onClick=${go}>${isWarned ? "Try anyway" : "Go"}<kbd aria-hidden="true">G</kbd></button>
      <button type="button" class="stop" onClick=${stop}>Stop<kbd aria-hidden="true">Esc</kbd></button>
      <button type="button" class="reset" disabled=${!(isOn && isMine && isStill)} onClick=${reset}>Reset<kbd aria-hidden="true">R</kbd></button>
    </div>
    <div class="choices">
      <label>Speed <select value=${speed} onChange=${(event) => setSpeed(Number(event.target.value))}>
        <option value="1">real time</option><option value="4">4 times</option><option value="0">as fast as it can</option></select></label>
      <label>Begin <select value=${start} disabled=${!robot.can_continue} onChange=${(event) => setStart(event.target.value)}>
        <option value="reset">at the start</option><option value="here">where it is</option></select></label>
      <${Shortcuts} />
    </div>
    ${isDrivenByOther && html`<${Notice}>Another tab is driving. You can stop it; when the robot stands, you can drive.<//>`}
    ${error && html`<${Notice} kind="bad" role="alert">${error}<//>`}
  </div>`;
}

function useWake(run, robot, isConnected, setError) {
  const needsWaking = isConnected && run.can_reach && !run.is_robot && robot.run !== run.id && !["moving", "stopping", "waking"].includes(robot.state);
  useEffect(() => {
    if (needsWaking) post("/api/robot", { run: run.id }).catch((wrong) => setError(sentence(wrong)));
  }, [needsWaking, run.id]);
}

export function Reach({ run }) {
  const { robot, isConnected } = useLive();
  const [goal, setGoal] = useState(null);
  const [error, setError] = useState("");
  const attempt = useAttempt();
  const isMine = robot.run === run.id;
  useWake(run, robot, isConnected, setError);
  if (!run.can_reach) return html`<${Notice} kind="warn">${run.why_not}<//>`;
  const isAwake = isMine && !["asleep", "waking", "fault"].includes(robot.state);
  const again = (id) => get(`/api/goals/${id}`).then(setGoal).catch((wrong) => setError(sentence(wrong)));
  return html`
    ${run.is_robot && !isAwake && html`<${Notice} kind="warn">This is a real robot. To be ready it drives home first.
      ${" "}<button type="button" class="button" disabled=${robot.state === "waking"} onClick=${() => post("/api/robot", { run: run.id }).catch((wrong) => setError(sentence(wrong)))}>Connect and drive home</button><//>`}
    ${run.state === "training" && isAwake && html`<${Notice}>Training goes on. The robot uses the best policy so far, of ${count(robot.num_env_steps)} steps.
      ${" "}<button type="button" class="quiet" onClick=${() => post("/api/robot", { run: run.id, again: true })}>Load the newest</button><//>`}
    <div class="reach">
      <section class="card maker" aria-labelledby="make-a-goal"><h2 id="make-a-goal">Show it a goal</h2>
        <${GoalMaker} run=${run} isAwake=${isAwake} onGoal=${setGoal} goal=${goal} />
      </section>
      <section class="card robot" aria-labelledby="the-robot"><h2 id="the-robot">The robot</h2>
        <p class=${`state ${isMine ? robot.state : "asleep"}`} role="status" data-state=${isMine ? robot.state : "asleep"}><span class="dot" aria-hidden="true"></span>
          <strong>${isMine ? SAID[robot.state] : "Busy with another run"}</strong>${robot.reason && html`<span>${robot.reason}</span>`}
          ${isMine && robot.state === "moving" && attempt && html`<span class="faint">step ${attempt.step} of ${attempt.num_steps}</span>`}</p>
        <${Stage} goal=${goal} isSimulated=${run.is_movable} isMine=${isMine} attempt=${attempt} />
        <${Controls} ...${{ run, goal, robot, error, setError }} isOn=${isConnected} />
        <${RobotsView} goal=${goal} isMine=${isMine} attempt=${attempt} />
        <div class="now"><${Numbers} attempt=${attempt} stepS=${attempt?.step ? attempt.seconds / attempt.step : 0.1} /></div>
      </section>
      <section class="card tries" aria-labelledby="attempts"><h2 id="attempts">Attempts</h2><${Attempts} run=${run} onAgain=${again} /></section>
    </div>`;
}
