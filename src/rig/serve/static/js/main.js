// The page: its frame, and which screen is shown.

import { html, render, useEffect, useState } from "../vendor/htm-preact-standalone.module.js";
import { connect, live, stopRobot, useLive } from "./live.js";
import { Notice } from "./parts.js";
import { Runs } from "./runs.js";
import { RunScreen } from "./run.js";
import { Compare } from "./compare.js";

const ENDED_AFTER_MS = 30000;
const THEMES = { auto: "light", light: "dark", dark: "auto" };

function route() {
  const [path, query] = location.hash.replace(/^#\/?/, "").split("?");
  return { parts: path.split("/").filter(Boolean), query: new URLSearchParams(query || "") };
}

function useRoute() {
  const [found, set] = useState(route());
  useEffect(() => {
    const moved = () => {
      set(route());
      document.getElementById("main")?.focus({ preventScroll: true });
      scrollTo(0, 0);
    };
    addEventListener("hashchange", moved);
    return () => removeEventListener("hashchange", moved);
  }, []);
  return found;
}

function Connection() {
  const { isConnected, wasConnected, numTries, lostAt, isOld } = useLive();
  const [, tick] = useState(0);
  useEffect(() => {
    if (isConnected) return undefined;
    const timer = setInterval(() => tick((n) => n + 1), 1000);
    return () => clearInterval(timer);
  }, [isConnected]);
  if (isOld) return html`<${Notice} kind="warn" role="alert">This page is of another version of rig. Reload it.<//>`;
  if (isConnected || !(wasConnected || numTries > 1)) return null;
  const hasEnded = Date.now() - lostAt > ENDED_AFTER_MS;
  return html`<${Notice} kind="bad" role="alert">${hasEnded
    ? "rig serve has ended. Start it again, and open the address that it prints."
    : `Disconnected, trying again (${numTries}).`}<//>`;
}

function ThemeButton() {
  const [theme, set] = useState(document.documentElement.dataset.theme || "auto");
  const next = () => {
    const chosen = THEMES[theme];
    if (chosen === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = chosen;
    try { localStorage.setItem("rig-theme", chosen); } catch { /* storage is off */ }
    set(chosen);
    dispatchEvent(new Event("theme"));
  };
  return html`<button type="button" class="quiet" onClick=${next} aria-label=${`Theme: ${theme}`}><span class="theme-word">Theme:</span>${theme}</button>`;
}

function StopEverywhere() {
  const { robot } = useLive();
  if (robot.state !== "moving" && robot.state !== "stopping") return null;
  return html`<a class="moving-link" href=${`#/run/${robot.run}/reach`}>Robot is moving</a>
    <button type="button" class="stop small" onClick=${() => stopRobot().catch(() => {})}>Stop</button>`;
}

function Screen({ parts, query }) {
  if (parts[0] === "run" && parts[1]) {
    return html`<${RunScreen} key=${parts[1]} id=${parts[1]} view=${parts[2] || "watch"} />`;
  }
  if (parts[0] === "compare") return html`<${Compare} ids=${(query.get("runs") || "").split(",").filter(Boolean)} />`;
  return html`<${Runs} />`;
}

function App() {
  const found = useRoute();
  const { isConnected, wasConnected } = useLive();
  const isStale = wasConnected && !isConnected;
  return html`
    <a class="skip" href="#main" onClick=${(event) => { event.preventDefault(); document.getElementById("main").focus(); }}>Skip to content</a>
    <header class="top">
      <a class="brand" href="#/"><img src="/static/icon.svg" alt="" width="26" height="26" />rig</a>
      <span class="spread"></span>
      <${StopEverywhere} />
      <${ThemeButton} />
    </header>
    <${Connection} />
    <main id="main" tabindex="-1" class=${isStale ? "stale" : ""}><${Screen} ...${found} /></main>`;
}

connect();
window.rigLive = live; // for tests and the curious; nothing reads it here
render(html`<${App} />`, document.getElementById("app"));
