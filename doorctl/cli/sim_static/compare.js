// Two visits laid under each other, as they really were. What differs was found by the simulator; here it is drawn.

import { byId, copyOf, mark, named, word } from "./ask.js";

const KINDS = { normal: "usual code", duress: "duress code" };
const OTHER = { normal: "now play the duress code", duress: "now play the usual code" };
const SAME = "nothing differs at the door";
const SPAN_MS = 1000;
const AXIS = { 0: "last key", 250: "", 500: "500", 750: "", 1000: "1000 ms" };
const WORDS = { strike: ["released", "secured"], lamp: ["lit", "dark"], beep: ["on", "off"] };

const nodes = new Map(); // door → node
const glances = new Map(); // door → link

export function showComparisons(comparisons) {
  for (const comparison of comparisons) {
    const node = nodes.get(comparison.door) ?? copyOf("comparison-template");
    if (!nodes.has(comparison.door)) {
      nodes.set(comparison.door, node);
      node.dataset.compare = comparison.door;
      byId("comparisons").append(node);
    }
    showComparison(node, comparison);
    showGlance(comparison);
  }
}

// Where visits are played: the verdict at one look, and the way to the whole.
function showGlance({ door, visits, differences }) {
  let link = glances.get(door);
  if (!link) {
    link = Object.assign(document.createElement("a"), { href: "#compare" });
    link.append(document.createElement("span"));
    glances.set(door, link);
    const line = document.createElement("li");
    line.append(link);
    byId("glance").append(line);
  }
  const short = verdictOf(visits, differences).replace(" at the door", "").replace(": too busy", "");
  named(link.firstElementChild, `${door}: ${short}`);
  mark(link, "data-verdict", stateOf(visits, differences));
}

function stateOf(visits, differences) {
  if (visits.length < 2) return "open";
  return differences.length ? "differs" : "same";
}

function verdictOf(visits, differences) {
  if (visits.length < 2) return visits.length ? OTHER[visits[0].kind] : "play both codes here";
  if (!differences.length) return SAME;
  return visits.some((visit) => visit.late) ? "something differs: too busy" : "something differs";
}

function showComparison(node, { door, visits, differences }) {
  const who = [...new Set(visits.map((visit) => visit.person))].join(" and ");
  word(node.querySelector("h3"), who ? `${door}: ${who}` : door);
  const verdict = node.querySelector(".verdict");
  mark(verdict, "data-verdict", stateOf(visits, differences));
  word(verdict, verdictOf(visits, differences));
  node.querySelector(".differences").replaceChildren(...differences.map(item));
  node.querySelector(".lanes").replaceChildren(...TRACKS.map((track) => newTrack(track, visits)), newAxis());
  const table = node.querySelector("tbody");
  table.replaceChildren(...TRACKS.map((track) => newRow(track, visits)));
  mark(node.querySelector(".scroll"), "aria-label", `the numbers of ${door}`);
}

function item(text) {
  return Object.assign(document.createElement("li"), { textContent: text });
}

// A track: what is drawn of one visit, and how the table says it.

const levels = (what) => ({
  name: what,
  draw: (visit) => spans(visit[what], visit.window_ms).map(([from, to]) => bar(from, to)),
  tell: (visit) => edges(visit[what], WORDS[what]),
});

const TRACKS = [
  levels("lamp"),
  levels("beep"),
  levels("strike"),
  {
    name: "log row",
    draw: (visit) => visit.log.map(([ms]) => bar(ms, ms)),
    tell: (visit) => visit.log.map(([ms, text]) => `${text} at ${round(ms)}`).join("; ") || "none",
  },
  {
    name: "line",
    draw: (visit) => visit.line.map(([ms, way]) => bar(ms, ms, way)),
    tell: (visit) => visit.line.map(([ms, way, size]) => `${way} ${size} bytes at ${round(ms)}`).join("; ") || "nothing",
  },
];

const round = (ms) => `${Math.round(ms)} ms`;

function spans(changes, end) {
  const found = [];
  changes.forEach(([from, on], place) => {
    if (on) found.push([from, changes[place + 1]?.[0] ?? end]);
  });
  return found;
}

function edges(changes, [on, off]) {
  const [first, ...rest] = changes;
  const said = rest.map(([ms, is]) => `${is ? on : off} at ${round(ms)}`);
  return said.length ? said.join(", ") : `${first[1] ? on : off} throughout`;
}

function bar(from, to, kind = "") {
  const drawn = document.createElement("i");
  drawn.className = `stretch ${from === to ? "moment" : ""} ${kind}`.trim();
  drawn.style.setProperty("--from", `${(100 * Math.min(from, SPAN_MS)) / SPAN_MS}%`);
  drawn.style.setProperty("--to", `${(100 * Math.min(to, SPAN_MS)) / SPAN_MS}%`);
  return drawn;
}

function newTrack(track, visits) {
  const row = document.createElement("div");
  row.className = "track";
  const name = Object.assign(document.createElement("span"), { className: "what", textContent: track.name });
  row.append(name);
  for (const kind of Object.keys(KINDS)) {
    const lane = document.createElement("div");
    lane.className = `lane ${kind}`;
    const visit = visits.find((one) => one.kind === kind);
    if (visit) lane.append(...track.draw(visit));
    row.append(lane);
  }
  row.setAttribute("aria-hidden", "true"); // the table says it in words
  return row;
}

function newAxis() {
  const axis = document.createElement("div");
  axis.className = "axis";
  axis.setAttribute("aria-hidden", "true");
  for (const [ms, text] of Object.entries(AXIS)) {
    const tick = Object.assign(document.createElement("span"), { textContent: text });
    tick.style.setProperty("--from", `${(100 * ms) / SPAN_MS}%`);
    axis.append(tick);
  }
  return axis;
}

function newRow(track, visits) {
  const row = document.createElement("tr");
  row.append(Object.assign(document.createElement("th"), { scope: "row", textContent: track.name }));
  for (const kind of Object.keys(KINDS)) {
    const visit = visits.find((one) => one.kind === kind);
    row.insertCell().textContent = visit ? track.tell(visit) : "not played yet";
  }
  return row;
}
