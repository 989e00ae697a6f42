// The alarms page alive: changes come by themselves, and it says at once when they do not. Without it the page works too.

import { clockTime, duration, local, tick, zoneOf } from "/clock.js";
import { Live } from "/live.js";
import { children } from "/morph.js";
import { scroll } from "/past.js";
import { Sound } from "/sound.js";

const by = (id) => document.getElementById(id);
const body = document.body;
const main = by("main");
const ICONS = { lost: "/lost.svg", alarm: "/alarm.svg", calm: "/calm.svg" };
const title = document.title.replace(/^\(.*?– /, "");
const part = { now: "/now", alarm: `${location.pathname}/part` }[body.dataset.page];
const told = { open: Number(by("now")?.dataset.open ?? 0), worst: "", record: null };

document.documentElement.classList.add("scripted-page");

// Who looks: typed once, remembered by this browser alone

const who = by("who");
who.value = localStorage.getItem("who") ?? "";
const named = (root) => {
  for (const place of root.querySelectorAll(".as")) place.textContent = who.value.trim() ? ` as ${who.value.trim()}` : "";
};
who.addEventListener("input", () => {
  localStorage.setItem("who", who.value);
  who.setCustomValidity("");
  named(document);
});

// What the monitor sends works without script; here it becomes the reader's own: short times, the name, one name field for all

const dress = (root) => {
  local(root);
  named(root);
  for (const form of root.querySelectorAll("form.ack")) form.noValidate = true;
};

// What is said: a line for the eyes, a region that a screen reader speaks at once

const failure = by("failure");
const fail = (text) => {
  failure.textContent = text;
  failure.hidden = !text;
};
const announce = (text) => { by("announcer").textContent = text; };
const sound = new Sound(by("sound"));

const head = () => {
  const first = by("now")?.querySelector("article.alarm");
  const what = first ? `: ${first.querySelector("h2").textContent}` : "";
  const lost = body.dataset.live === "lost" ? "NOT LIVE – " : "";
  document.title = `${lost}${told.open ? `(${told.open}) ALARM${what} – ` : ""}${title}`;
  const icon = ICONS[told.open ? "alarm" : body.dataset.live === "lost" ? "lost" : "calm"];
  if (by("icon").getAttribute("href") !== icon) by("icon").setAttribute("href", icon);
  body.dataset.open = told.open;
  sound.repeat(told.open ? told.worst : "");
};

// The changing part, fetched as a whole: whatever was missed, what is shown is what is

let running = false;
let again = false;
const refresh = async () => {
  if (!part) return;
  if (running) {
    again = true;
    return;
  }
  running = true;
  try {
    const answer = await fetch(part + location.search, { signal: AbortSignal.timeout(10000) });
    if (answer.status === 401) return signedOut();
    if (!answer.ok) throw new Error(`the monitor answered ${answer.status}`);
    draw(await answer.text());
    fail("");
  } catch (error) {
    fail(`What is shown may be old: ${error.message}.`);
    setTimeout(refresh, 2000);
  } finally {
    running = false;
    if (again) {
      again = false;
      refresh();
    }
  }
};

const draw = (text) => {
  const fresh = new DOMParser().parseFromString(text, "text/html").body;
  dress(fresh);
  const focused = document.activeElement?.closest("article")?.id;
  const lines = new Set([...main.querySelectorAll(".timeline li")].map((line) => line.id));
  children(main, fresh);
  for (const line of main.querySelectorAll(".timeline li")) line.classList.toggle("fresh", lines.size > 0 && !lines.has(line.id));
  if (focused && !by(focused)) (main.querySelector("button[data-act=ack]") ?? main.querySelector("h1"))?.focus();
  if (by("now")) told.open = Number(by("now").dataset.open);
  head();
};

// Acknowledge: by name, and only gone when the monitor says so

main.addEventListener("submit", async (event) => {
  if (!event.target.matches("form.ack")) return;
  event.preventDefault();
  const name = who.value.trim();
  if (!name) {
    who.setCustomValidity("Your name goes with the acknowledgement; this browser remembers it.");
    who.reportValidity();
    who.focus();
    return;
  }
  const form = event.target;
  const button = form.querySelector("button");
  button.setAttribute("aria-disabled", "true");  // not disabled: the keyboard's place would be lost
  try {
    const answer = await fetch(`/api${new URL(form.action).pathname}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ who: name, proof: form.elements.proof.value }),
      signal: AbortSignal.timeout(10000),
    });
    if (answer.status === 401) return signedOut();
    if (!answer.ok) throw new Error(`the monitor answered ${answer.status}`);
    const alarm = await answer.json();
    announce(`Acknowledged by ${alarm.acknowledged_by}: ${alarm.title}`);
    await refresh();
  } catch (error) {
    button.removeAttribute("aria-disabled");
    fail(`Not acknowledged: ${error.message}. Try again.`);
  }
});

// Live

const show = (state) => {
  const since = clockTime(new Date(live?.heard ?? Date.now()));
  const silent = duration(Math.floor((Date.now() - (live?.heard ?? Date.now())) / 1000));
  const text = {
    live: "Live",
    late: `Late: nothing heard for ${silent}`,
    lost: `NOT LIVE since ${since}: new alarms do not show here. Trying again.`,
  }[state];
  const changed = body.dataset.live !== state;
  body.dataset.live = state;
  if (by("live-word").textContent !== text) by("live-word").textContent = text;
  if (!changed) return;
  head();
  if (state === "lost" && started) {
    announce("Not live. New alarms do not show here.");
    sound.play("lost");
  }
};

let out = false;
const signedOut = () => {
  out = true;
  live?.close();
  body.dataset.live = "lost";
  by("live-word").textContent = "NOT LIVE: signed out. Open the address that `doorctl monitor run` prints.";
  head();
};

let asked = null;
const soon = () => {
  clearTimeout(asked);
  asked = setTimeout(refresh, 30);
};

let started = false;
let live = null;
let missed = false;
live = new Live(body.dataset.change, {
  // A browser has six connections to one place: only the page of what waits now keeps one while nobody sees it.
  wanted: () => !out && (body.dataset.page === "now" || document.visibilityState === "visible"),
  alarm: (alarm) => {
    if (alarm.state === "new" && !alarm.ended) {
      const where = [alarm.site, alarm.door].filter(Boolean).join(", ");
      announce(`${alarm.severity === "note" ? "note" : `${alarm.severity} alarm`}: ${alarm.title}, ${where}. ${alarm.text}`);
      sound.play(alarm.severity);
    }
    soon();
  },
  reload: () => {
    announce("Much has changed; the whole list is loaded anew.");
    missed = true;
    soon();
  },
  beat: (beat, back) => {
    const grown = beat.record !== told.record && told.record !== null;
    Object.assign(told, { open: beat.open, worst: beat.worst, record: beat.record });
    if (back && started) announce("Live again.");
    if (missed && beat.open) sound.play(beat.worst);
    missed = false;
    if (back || (grown && body.dataset.page === "alarm")) soon();
    started = true;
    head();
  },
  state: (state) => { if (!out) show(state); },
  out: () => signedOut(),
});

// The health of controllers changes without an alarm.

setInterval(() => { if (!out && document.visibilityState === "visible") refresh(); }, 15000);
setInterval(tick, 1000);
if (by("tz")) {
  by("tz").value = String(new Date().getTimezoneOffset());
  by("day-zone").textContent = `${zoneOf(new Date(), Intl.DateTimeFormat().resolvedOptions().timeZone)}, as on this computer`;
}
if (by("rows")) scroll(by("rows"), fail);
dress(document);
head();
