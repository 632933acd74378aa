// Move things in the simulated picture: mouse, touch, arrow keys, or numbers. The server draws
// the true picture at every move, and makes a goal of it when the thing comes to rest.

import { html, useEffect, useRef, useState } from "../vendor/htm-preact-standalone.module.js";
import { get, post, sentence } from "./api.js";
import { unitOf } from "./format.js";
import { send, useMessage } from "./live.js";
import { FrameView, Notice } from "./parts.js";
import { clamped, numbersAt, pixelOf, stepped } from "./plane.js";

const PREVIEW_MS = 40;
const REST_MS = 220;
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const STEPS = { m: 0.005, rad: 0.02 };

const inWords = (name) => name.replace(/_/g, " ");

// Calls at most once in a while, and always with the newest value.
function useThrottle(action, wait_ms) {
  const state = useRef({ timer: null, value: null });
  return (value) => {
    state.current.value = value;
    if (state.current.timer) return;
    action(value);
    state.current.timer = setTimeout(() => {
      state.current.timer = null;
      if (state.current.value !== value) action(state.current.value);
    }, wait_ms);
  };
}

function Handle({ thing, numbers, stage, onMove, hasProblem }) {
  const [x, y] = pixelOf(thing, numbers);
  const isHeld = useRef(false);
  const place = (event) => {
    const box = stage.current.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  };
  const down = (event) => {
    isHeld.current = true;
    event.target.setPointerCapture(event.pointerId);
  };
  const move = (event) => isHeld.current && onMove(thing, numbersAt(thing, numbers, place(event)));
  const up = () => { isHeld.current = false; };
  const key = (event) => {
    const direction = ARROWS[event.key];
    if (!direction) return;
    event.preventDefault();
    const length = (STEPS[thing.joints[0].unit] || 0.01) * (event.shiftKey ? 4 : 1);
    onMove(thing, stepped(thing, numbers, direction, length));
  };
  const said = thing.joints.map((joint, index) => `${inWords(joint.name)} ${shown(joint, numbers[index])} ${unitOf(joint.unit).shown}`).join(", ");
  return html`<button type="button" class=${`handle ${hasProblem ? "problem" : ""}`} data-thing=${thing.name}
    style=${{ left: `${100 * x}%`, top: `${100 * y}%` }} aria-label=${`${inWords(thing.name)}: ${said}. Arrow keys move it.`}
    onPointerDown=${down} onPointerMove=${move} onPointerUp=${up} onPointerCancel=${up} onKeyDown=${key}>
    <span>${inWords(thing.name)}</span></button>`;
}

const shown = (joint, value) => (unitOf(joint.unit).scale * value).toFixed(joint.unit === "m" ? 1 : 2);

function Numbers({ thing, numbers, onMove }) {
  return html`<fieldset><legend>${inWords(thing.name)}</legend>${thing.joints.map((joint, index) => {
    const { scale, shown: unit } = unitOf(joint.unit);
    const change = (event) => {
      const value = Number(event.target.value) / scale;
      if (event.target.value !== "" && Number.isFinite(value)) onMove(thing, numbers.map((each, at) => (at === index ? value : each)));
    };
    return html`<label key=${joint.name}>${inWords(joint.name).replace(`${inWords(thing.name)} `, "")}
      <input type="number" step=${joint.unit === "m" ? 0.5 : 0.02} min=${(scale * joint.low).toFixed(2)} max=${(scale * joint.high).toFixed(2)}
        value=${shown(joint, numbers[index])} onChange=${change} /> ${unit}</label>`;
  })}</fieldset>`;
}

export function MoveThings({ run, isAwake, onGoal }) {
  const [things, setThings] = useState([]);
  const [placed, setPlaced] = useState({});
  const [said, setSaid] = useState({ problem: "", notes: [] });
  const [error, setError] = useState("");
  const [isEdge, setEdge] = useState(false);
  const stage = useRef(null), rest = useRef(null), number = useRef(0);
  const preview = useThrottle((values) => send({ type: "scene", run: run.id, things: values, n: ++number.current }), PREVIEW_MS);
  useEffect(() => {
    if (!isAwake) return undefined;
    let isOver = false;
    get(`/api/runs/${run.id}/scene`).then((scene) => {
      if (isOver) return;
      const start = Object.fromEntries(scene.things.map((thing) => [thing.name, thing.joints.map((joint) => joint.start)]));
      setThings(scene.things);
      setPlaced(start);
      preview(start);
    }).catch((wrong) => setError(sentence(wrong)));
    return () => { isOver = true; clearTimeout(rest.current); };
  }, [run.id, isAwake]);
  useMessage("frame:scene", ({ problem, notes }) => setSaid({ problem, notes }), []);
  const make = (values) => post(`/api/runs/${run.id}/goals/scene`, { things: values })
    .then((goal) => { onGoal(goal); setError(""); })
    .catch((wrong) => { if (wrong.code === "overlap" || wrong.code === "out_of_reach") onGoal(null); else setError(sentence(wrong)); });
  const move = (thing, asked) => {
    const inside = clamped(thing, asked);
    setEdge(inside.isEdge);
    const values = { ...placed, [thing.name]: inside.numbers };
    setPlaced(values);
    preview(values);
    clearTimeout(rest.current);
    rest.current = setTimeout(() => make(values), REST_MS);
  };
  const handles = things.filter((thing) => thing.to_pixels || thing.arc);
  return html`
    <p class="faint">Drag ${handles.length === 1 ? `the ${inWords(handles[0].name)} to where it` : "things to where they"} should be, or use the arrow keys.</p>
    <div class="mover" ref=${stage}>
      <${FrameView} of="scene" size=${480} label="The simulated picture, with things where you moved them" className="smooth" />
      ${handles.map((thing) => html`<${Handle} key=${thing.name} thing=${thing} numbers=${placed[thing.name]} stage=${stage} onMove=${move} hasProblem=${Boolean(said.problem)} />`)}
    </div>
    <div class="said-now" role="status">
      ${said.problem && html`<p class="problem-text">${said.problem}</p>`}
      ${isEdge && html`<p>It can't be put further than this.</p>`}
      ${!said.problem && said.notes.map((note) => html`<p key=${note}>${note}</p>`)}
    </div>
    ${things.length > 0 && html`<details class="exact"><summary>Exact places</summary>
      ${things.map((thing) => html`<${Numbers} key=${thing.name} thing=${thing} numbers=${placed[thing.name]} onMove=${move} />`)}</details>`}
    ${error && html`<${Notice} kind="bad" role="alert">${error}<//>`}`;
}
