// Keyboard shortcuts: never while typing, and a person can switch them off.

import { html, useEffect, useState } from "../vendor/htm-preact-standalone.module.js";

const isTyping = (target) =>
  target.isContentEditable || /^(input|textarea|select)$/i.test(target.tagName)
  && !/^(range|checkbox|radio|button|file)$/i.test(target.type || "");

const areOn = () => {
  try { return localStorage.getItem("rig-shortcuts") !== "off"; } catch { return true; }
};

function switchTo(isOn) {
  try { localStorage.setItem("rig-shortcuts", isOn ? "on" : "off"); } catch { /* storage is off */ }
}

export function useShortcuts(actions) {
  useEffect(() => {
    const pressed = (event) => {
      const action = actions[event.key] || actions[event.key.toLowerCase()];
      if (!action || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
      // Escape always stops; single letters can be switched off.
      if (event.key !== "Escape" && (isTyping(event.target) || !areOn())) return;
      event.preventDefault();
      action();
    };
    addEventListener("keydown", pressed);
    return () => removeEventListener("keydown", pressed);
  });
}

export function Shortcuts() {
  const [isOn, set] = useState(areOn());
  const change = (event) => { switchTo(event.target.checked); set(event.target.checked); };
  return html`<label class="check"><input type="checkbox" checked=${isOn} onChange=${change} /> keys G, S and R</label>`;
}
