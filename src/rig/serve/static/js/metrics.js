// A run's metrics, kept complete: what is missing is fetched, what was cut is forgotten.

import { useEffect, useRef, useState } from "../vendor/htm-preact-standalone.module.js";
import { get } from "./api.js";
import { on } from "./live.js";

export async function fetchMetrics(id, known) {
  const after = known ? known.rows.length : 0;
  const fresh = await get(`/api/runs/${id}/metrics?after=${after}&generation=${known?.generation || 0}`);
  const isCut = Boolean(known && fresh.generation !== known.generation);
  const before = known && !isCut ? known.rows.slice(0, fresh.first) : [];
  return { generation: fresh.generation, rows: [...before, ...fresh.rows], isCut };
}

// Metrics of several runs, kept up to date: id -> {rows, isCut, ...}.
export function useMetrics(ids) {
  const [found, set] = useState({});
  const known = useRef({});
  const key = ids.join(",");
  useEffect(() => {
    let isOver = false;
    const busy = new Set(), again = new Set();
    const load = async (id) => {
      if (busy.has(id)) { again.add(id); return; }
      busy.add(id);
      try {
        const fresh = await fetchMetrics(id, known.current[id]);
        if (fresh.isCut) fresh.wentOnFrom = Math.max(0, ...fresh.rows.map((row) => row.num_env_steps || 0));
        else fresh.wentOnFrom = known.current[id]?.wentOnFrom;
        known.current = { ...known.current, [id]: fresh };
        if (!isOver) set(known.current);
      } catch { /* the page says already that the server is gone, or the run damaged */ }
      busy.delete(id);
      if (again.delete(id)) load(id);
    };
    const all = () => ids.forEach(load);
    all();
    const offs = [
      on("runs", ({ changed }) => changed.forEach(({ id }) => ids.includes(id) && load(id))),
      on("connected", all),
    ];
    return () => { isOver = true; offs.forEach((off) => off()); };
  }, [key]);
  return found;
}

export const minutes = (row) => ((row.wall_s || 0) - (row.evaluation_s || 0)) / 60;

// One metric against steps or minutes: {xs, ys}, in order, one y for each x.
export function line(rows, name, x = "num_env_steps", scale = 1) {
  const found = new Map();
  for (const row of rows) {
    const value = row[name];
    const at = x === "minutes" ? minutes(row) : row[x];
    if (typeof value === "number" && typeof at === "number") found.set(at, scale * value);
  }
  const xs = [...found.keys()].sort((a, b) => a - b);
  return { xs, ys: xs.map((at) => found.get(at)) };
}

export const isDistance = (name) =>
  /^eval\/(?!do_nothing_)\w+_distance_(?!mean_)\w+$/.test(name);

export const names = (rows) => [...new Set(rows.flatMap((row) => Object.keys(row)))];
