// How numbers and times are written, and how elements are made.
const NS = "http://www.w3.org/2000/svg";

function make(name, attributes = {}, ...children) {
  const svg = ["svg", "g", "path", "rect", "circle", "line", "text", "title", "polygon"].includes(name);
  const element = svg ? document.createElementNS(NS, name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined) element.setAttribute(key, value);
  }
  element.append(...children);
  return element;
}

// Styles go through the object model: the page's policy allows no style attributes.
function styled(element, styles) {
  for (const [key, value] of Object.entries(styles)) element.style.setProperty(key, value);
  return element;
}

function clock(seconds) {
  return new Date(seconds * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
}

function exactly(seconds) {
  return new Date(seconds * 1000).toLocaleTimeString([], { hourCycle: "h23" });
}

function digits(value) {
  const size = Math.abs(value);
  if (size === 0) return "0";
  if (size >= 10000) return `${+(value / 1000).toPrecision(3)} k`;
  return String(+value.toPrecision(size >= 100 ? Math.ceil(Math.log10(size + 1)) : 2));
}

const UNITS = {
  rate: (value) => `${digits(value)}/s`,
  share: (value) => `${digits(value * 100)} %`,
  seconds: (value) => (value < 1 ? `${digits(value * 1000)} ms` : `${digits(value)} s`),
};

function written(value, unit) {
  return value === null || value === undefined ? "–" : UNITS[unit](value);
}

function number(value, unit) {
  const [amount, ...rest] = written(value, unit).split(/(?<=[\d.–])(?=[ /])/);
  return [amount, make("small", {}, rest.join("").trim())];
}

const HEALTH = { healthy: "ok", degraded: "warn", down: "bad", unknown: "unknown" };

function plural(count, word) {
  return `${count} ${word}${count === 1 ? "" : "s"}`;
}
