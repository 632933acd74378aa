// The last round of practice: imagined goals above, what the camera saw below, as a short loop.

import { html, useEffect, useRef, useState } from "../vendor/htm-preact-standalone.module.js";
import { get } from "./api.js";
import { count } from "./format.js";
import { on, watch } from "./live.js";

const HOLD_FRAMES = 8; // how long the last frame stays
const isStill = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

// The sheet has a row for each environment: its goal, then its frames.
function draw(canvas, sheet, about, frame) {
  const { size, num_worlds: num } = about;
  Object.assign(canvas, { width: num * size, height: 2 * size });
  const pen = canvas.getContext("2d");
  for (let world = 0; world < num; world += 1) {
    pen.drawImage(sheet, 0, world * size, size, size, world * size, 0, size, size);
    pen.drawImage(sheet, (frame + 1) * size, world * size, size, size, world * size, size, size, size);
  }
}

function useRound(run) {
  const [round, set] = useState(null);
  useEffect(() => {
    let isOver = false;
    const load = async (about) => {
      if (!about) return;
      try {
        const response = await fetch(`/api/runs/${run.id}/round.png`);
        if (!response.ok) return;
        const sheet = await createImageBitmap(await response.blob());
        if (isOver) sheet.close();
        else set({ about, sheet });
      } catch { /* the next round comes in seconds */ }
    };
    get(`/api/runs/${run.id}/round`).then((found) => load(found.round)).catch(() => {});
    const unwatch = watch(run.id);
    const off = on("round", (message) => message.run === run.id && load(message));
    return () => { isOver = true; off(); unwatch(); };
  }, [run.id]);
  // Close a sheet when nothing draws it any more: a timer may still draw the old one until now.
  useEffect(() => () => round?.sheet.close(), [round]);
  return round;
}

export function Practice({ run }) {
  const round = useRound(run);
  const [isPlaying, setPlaying] = useState(!isStill());
  const canvas = useRef(null), frame = useRef(0);
  useEffect(() => {
    if (!round || !canvas.current) return undefined;
    const { about, sheet } = round;
    const last = about.num_frames - 1;
    frame.current = isPlaying ? 0 : last;
    const show = () => draw(canvas.current, sheet, about, Math.min(frame.current, last));
    show();
    if (!isPlaying) return undefined;
    const timer = setInterval(() => {
      frame.current = (frame.current + 1) % (last + HOLD_FRAMES);
      show();
    }, Math.max(1000 * about.step_s, 50));
    return () => clearInterval(timer);
  }, [round, isPlaying]);
  const isTraining = run.state === "training";
  if (!round && !isTraining) return null;
  return html`<section class="card practice"><h2>Practice</h2>
    ${round ? html`<p class="faint">The round that ended at ${count(round.about.num_env_steps)} steps. Top: the goals that it imagined. Bottom: its camera.</p>
      <canvas ref=${canvas} role="img" class="worlds" data-steps=${round.about.num_env_steps}
        aria-label=${`${round.about.num_worlds} robots practise; above each, the goal that it imagined`}></canvas>
      <button type="button" class="button" aria-pressed=${isPlaying ? "true" : "false"} onClick=${() => setPlaying(!isPlaying)}>${isPlaying ? "Pause" : "Play"}</button>`
      : html`<p class="faint">${run.num_env_steps ? "It is practising. The next round appears here when it ends."
        : "It collects images and learns to see. Practice appears here after that."}</p>`}
  </section>`;
}
