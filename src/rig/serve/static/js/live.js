// The socket: what the server tells, and whether it is there.

import { useEffect, useState } from "../vendor/htm-preact-standalone.module.js";
import { post } from "./api.js";

const SCHEMA = 1;
const BEAT_MS = 250;
const LONGEST_WAIT_MS = 8000;

export const live = {
  isConnected: false,
  wasConnected: false,
  numTries: 0,
  lostAt: 0,
  client: null,
  robot: { state: "asleep" },
  isOld: false,
};

const frames = new Map(); // the newest of each kind
const listeners = new Set();
const handlers = new Map(); // message type -> functions
const watched = new Map(); // run -> how many parts of the page watch it
let socket = null;

function changed() {
  for (const listener of listeners) listener();
}

// Redraw a component when the connection or the robot changes.
export function useLive() {
  const [, redraw] = useState(0);
  useEffect(() => {
    const listener = () => redraw((n) => n + 1);
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, []);
  return live;
}

export function on(type, handler) {
  if (!handlers.has(type)) handlers.set(type, new Set());
  handlers.get(type).add(handler);
  return () => handlers.get(type).delete(handler);
}

export function useMessage(type, handler, inputs = []) {
  useEffect(() => on(type, handler), inputs);
}

export const newestFrame = (of) => frames.get(of);

export function send(message) {
  if (socket && socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
}

// By both ways: a request can wait behind six others of the browser, and a socket can be lost.
export function stopRobot() {
  send({ type: "stop" });
  return post("/api/robot/stop");
}

export function watch(run) {
  watched.set(run, (watched.get(run) || 0) + 1);
  send({ type: "watch", run });
  return () => {
    watched.set(run, watched.get(run) - 1);
    if (!watched.get(run)) {
      watched.delete(run);
      send({ type: "unwatch", run });
    }
  };
}

function tell(type, message) {
  for (const handler of handlers.get(type) || []) handler(message);
}

function onText(message) {
  if (message.type === "hello") {
    live.client = message.client;
    live.isOld = message.schema !== SCHEMA;
  } else if (message.type === "robot") {
    live.robot = message;
  }
  tell(message.type, message);
  if (message.type === "hello" || message.type === "robot") changed();
}

function onBytes(buffer) {
  const length = new DataView(buffer).getUint32(0);
  const head = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  const type = head.format === "jpeg" ? "image/jpeg" : "image/png";
  const frame = { ...head, blob: new Blob([new Uint8Array(buffer, 4 + length)], { type }) };
  frames.set(head.of, frame);
  tell(`frame:${head.of}`, frame);
}

export function connect() {
  socket = new WebSocket(`${location.protocol.replace("http", "ws")}//${location.host}/api/live`);
  socket.binaryType = "arraybuffer";
  socket.onopen = () => {
    Object.assign(live, { isConnected: true, wasConnected: true, numTries: 0 });
    send({ type: "hello", schema: SCHEMA });
    for (const run of watched.keys()) send({ type: "watch", run });
    tell("connected", {});
    changed();
  };
  socket.onmessage = ({ data }) => {
    if (typeof data === "string") onText(JSON.parse(data));
    else onBytes(data);
  };
  socket.onclose = () => {
    if (live.isConnected || !live.lostAt) live.lostAt = Date.now();
    live.isConnected = false;
    live.client = null;
    live.numTries += 1;
    const wait_ms = Math.min(500 * 2 ** (live.numTries - 1), LONGEST_WAIT_MS);
    setTimeout(connect, wait_ms * (0.75 + 0.5 * Math.random()));
    changed();
  };
}

// While this tab drives the robot, the server hears from it; when it does not, the robot stops.
setInterval(() => {
  const { robot, client } = live;
  if (client && robot.driver === client && robot.state === "moving") send({ type: "beat" });
}, BEAT_MS);
