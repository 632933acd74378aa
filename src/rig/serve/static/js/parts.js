// Small parts that several screens share.

import { html, useEffect, useRef } from "../vendor/htm-preact-standalone.module.js";
import { newestFrame, on } from "./live.js";

const STATES = {
  training: "training", finished: "finished", stopped: "stopped", damaged: "damaged",
};

export const Pill = ({ state, children }) =>
  html`<span class=${`pill ${STATES[state] || state}`}><span class="dot" aria-hidden="true"></span>${children || state}</span>`;

export const Notice = ({ kind = "info", children, role }) =>
  html`<div class=${`notice ${kind}`} role=${role}>${children}</div>`;

export function Spark({ values }) {
  if (!values || values.length < 2) return null;
  const high = Math.max(...values), low = Math.min(...values);
  const points = values.map((value, index) => {
    const x = (index / (values.length - 1)) * 76 + 2;
    const y = 20 - ((value - low) / (high - low || 1)) * 16 + 2;
    return `${x.toFixed(1)},${y.toFixed(1)}`;
  });
  return html`<svg class="spark" viewBox="0 0 80 24" width="80" height="24" aria-hidden="true">
    <polyline points=${points.join(" ")} />
  </svg>`;
}

export const Bar = ({ value, label }) =>
  html`<progress class="bar" max="1" value=${value} aria-label=${label}>${Math.round(100 * value)} %</progress>`;

// A canvas that shows the newest frame of a kind; frames that come late are left out.
export function FrameView({ of, size, label, className = "" }) {
  const canvas = useRef(null);
  useEffect(() => {
    let newest = 0, drawn = 0;
    const draw = async (frame) => {
      const number = ++newest;
      let bitmap;
      try { bitmap = await createImageBitmap(frame.blob); } catch { return; }
      if (number > drawn && canvas.current) {
        drawn = number;
        const { current } = canvas;
        if (current.width !== bitmap.width) current.width = current.height = bitmap.width;
        current.getContext("2d").drawImage(bitmap, 0, 0);
        current.dataset.step = frame.step ?? "";
        current.dataset.drawn = "yes";
      }
      bitmap.close();
    };
    const frame = newestFrame(of);
    if (frame) draw(frame);
    return on(`frame:${of}`, draw);
  }, [of]);
  return html`<canvas ref=${canvas} width=${size} height=${size} role="img" aria-label=${label}
    class=${`frame ${className}`}></canvas>`;
}

// Tabs as ARIA describes them: arrow keys move between them.
export function Tabs({ label, tabs, chosen, onChoose }) {
  const move = (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const index = tabs.findIndex(([key]) => key === chosen);
    const next = tabs[(index + step + tabs.length) % tabs.length][0];
    onChoose(next);
    document.getElementById(`tab-${next}`)?.focus();
    event.preventDefault();
  };
  return html`<div class="tabs" role="tablist" aria-label=${label} onKeyDown=${move}>
    ${tabs.map(([key, text]) => html`<button key=${key} id=${`tab-${key}`} role="tab" type="button"
      aria-selected=${key === chosen ? "true" : "false"} aria-controls=${`panel-${key}`}
      tabindex=${key === chosen ? 0 : -1} onClick=${() => onChoose(key)}>${text}</button>`)}
  </div>`;
}

export const Panel = ({ name, children }) =>
  html`<div role="tabpanel" id=${`panel-${name}`} aria-labelledby=${`tab-${name}`} class="panel">${children}</div>`;

export const Empty = ({ children }) => html`<div class="empty">${children}</div>`;

export function useTitle(text) {
  useEffect(() => { document.title = text ? `${text} · rig` : "rig"; }, [text]);
}

// What curves are drawn against.
export const Against = ({ x, onX }) => html`<label class="choice">against <select value=${x} onChange=${(event) => onX(event.target.value)}>
  <option value="num_env_steps">steps</option><option value="minutes">minutes</option></select></label>`;
