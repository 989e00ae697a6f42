// What the monitor sees: calm until it must not be. Nothing of it ever reaches the door's side of the page.

import { byId, copyOf, mark, post, word } from "./ask.js";

const alarms = new Map(); // id → node
let begun = false;

let time = null;

const clock = (moment) => (moment ? time.format(new Date(moment)) : "");

// One clock for the whole page: the site's, as the access log has it, though the monitor itself tells UTC.
export function showZone(zone) {
  const of = (timeZone) => new Intl.DateTimeFormat("en-GB", { timeStyle: "medium", timeZone });
  try {
    time = of(zone);
  } catch {
    [time, zone] = [of("UTC"), `${zone}’s (the alarms: UTC’s)`]; // this browser's database lacks it
  }
  for (const place of document.querySelectorAll("[data-zone]")) word(place, zone);
}

export function showMonitor(seen) {
  const answers = seen.answering;
  word(byId("monitor"), answers ? "monitord answers" : "monitord does not answer: this is what it last said");
  mark(byId("monitor"), "data-trouble", String(!answers));
  word(byId("records"), String(seen.records));
  const board = seen.controllers[0];
  word(byId("health"), board ? board.health : "unknown");
  word(byId("waiting"), board?.pending == null ? "unknown" : board.pending === 1 ? "1 record" : `${board.pending} records`);
  showAlarms(seen.alarms);
  const waiting = seen.alarms.filter((alarm) => alarm.state === "new");
  const open = waiting.filter((alarm) => alarm.severity !== "note");
  showMood(open, waiting.length - open.length);
  begun = true;
}

function showAlarms(said) {
  const list = byId("alarms");
  byId("calm").hidden = said.length > 0;
  for (const [id, node] of alarms) {
    if (said.some((alarm) => alarm.id === id)) continue;
    node.remove();
    alarms.delete(id);
  }
  said.forEach((alarm, place) => {
    const node = showAlarm(alarm);
    if (list.children[place] !== node) list.insertBefore(node, list.children[place] ?? null);
  });
}

function showMood(open, notes) {
  const critical = open.some((alarm) => alarm.severity === "critical");
  const mood = critical ? "alarm" : open.length ? "warn" : "calm";
  mark(byId("mood"), "data-mood", mood);
  word(byId("mood-word"), { alarm: "Alarm", warn: "Look at this", calm: "Calm" }[mood]);
  word(byId("mood-more"), told(open.length, notes));
  word(byId("jump-count"), String(open.length));
  byId("jump-count").hidden = !open.length;
  document.title = open.length ? `(${open.length}) doorctl sim` : "doorctl sim";
}

// As the monitor's own page counts: a note is for information, and never an alarm.
function told(open, notes) {
  const many = (count, what) => (count ? [`${count} ${what}${count === 1 ? "" : "s"}`] : []);
  const waiting = [...many(open, "alarm"), ...many(notes, "note")];
  return waiting.length ? `${waiting.join(", ")} to acknowledge` : "nothing to do";
}

function showAlarm(alarm) {
  const known = alarms.get(alarm.id);
  const node = known ?? copyOf("alarm-template");
  if (!known) {
    alarms.set(alarm.id, node);
    if (begun && alarm.state === "new" && alarm.severity !== "note") byId("news").textContent = `alarm: ${alarm.title}: ${alarm.text}`;
  }
  node.dataset.alarm = alarm.id;
  mark(node, "data-kind", alarm.kind);
  mark(node, "data-severity", alarm.severity);
  mark(node, "data-state", alarm.state);
  word(node.querySelector(".severity"), alarm.severity);
  word(node.querySelector(".clock"), clock(alarm.event || alarm.raised));
  mark(node.querySelector(".clock"), "datetime", alarm.event || alarm.raised);
  word(node.querySelector(".title"), alarm.title);
  word(node.querySelector(".text"), alarm.text);
  const over = alarm.ended ? `over since ${clock(alarm.ended)}` : alarm.standing ? "it lasts" : "";
  word(node.querySelector(".where"), [alarm.door, alarm.person, over].filter(Boolean).join(" · "));
  showAcknowledgement(node, alarm);
  return node;
}

function showAcknowledgement(node, alarm) {
  const place = node.querySelector(".ack");
  if (alarm.state !== "new") {
    word(place, `acknowledged ${clock(alarm.acknowledged)} by ${alarm.acknowledged_by}`);
    return;
  }
  if (place.firstElementChild) return;
  const button = Object.assign(document.createElement("button"), { type: "button", textContent: "acknowledge" });
  button.dataset.act = "ack";
  button.setAttribute("aria-label", `acknowledge ${alarm.title}`);
  button.addEventListener("click", () =>
    post(`alarms/${alarm.id}/ack`, { who: "you, at the simulator" }, node.querySelector(".say")));
  place.replaceChildren(button);
}
