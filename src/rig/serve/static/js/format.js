// Numbers as people read them.

const UNITS = {
  m: { shown: "cm", scale: 100, decimals: 1 },
  rad: { shown: "rad", scale: 1, decimals: 3 },
  levels: { shown: "levels", scale: 1, decimals: 1 },
};

export const unitOf = (name) => {
  const unit = name.split("_").pop();
  return UNITS[unit] || { shown: unit, scale: 1, decimals: 3 };
};

export const objectOf = (name) =>
  name.replace(/^eval\//, "").replace(/(_distance)?_[a-z]+$/, "").replace(/_/g, " ");

export function amount(name, value) {
  const unit = unitOf(name);
  return `${(unit.scale * value).toFixed(unit.decimals)} ${unit.shown}`;
}

export const count = (number) => Math.round(number).toLocaleString("en-US");

export function duration(seconds) {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

export function ago(seconds) {
  const passed = Date.now() / 1000 - seconds;
  if (passed < 60) return "just now";
  if (passed < 3600) return `${Math.floor(passed / 60)} min ago`;
  if (passed < 86400) return `${Math.floor(passed / 3600)} h ago`;
  return new Date(seconds * 1000).toISOString().slice(0, 10);
}

// Three significant digits, without an exponent where there is room.
export function short(value) {
  if (value === null || value === undefined) return "";
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1000) return count(value);
  if (size < 0.001) return value.toExponential(1);
  return String(Number(value.toPrecision(3)));
}
