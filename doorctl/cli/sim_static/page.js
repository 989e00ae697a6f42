// The simulator's page: two streams in, a few commands out. The door side never uses what the monitor side was told.
"use strict";

const KEYS = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "*", "0", "#"];
const GIVES_UP_MS = 5500; // a keypad forgets an entry after 5 s without a key
const COLUMNS = 3;

const byId = (id) => document.getElementById(id);
const doors = new Map(); // name → {node, typed, forget, turn, state}
const alarms = new Map(); // id → node
let people = [];

// Commands

async function post(path, body) {
  try {
    const answer = await fetch(`api/${path}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    if (!answer.ok) complain((await answer.json()).error);
    return answer.ok;
  } catch {
    complain("the simulator does not answer");
    return false;
  }
}

let complaining;
function complain(words) {
  byId("trouble").textContent = words;
  clearTimeout(complaining);
  complaining = setTimeout(() => { byId("trouble").textContent = ""; }, 6000);
}

// One reader takes one thing after the other, in the order of the hands.
function inTurn(name, act) {
  const door = doors.get(name);
  door.turn = door.turn.then(act, act);
  return door.turn;
}

const holdCard = (name, card) => inTurn(name, () => post(`door/${name}/card`, { card }));

function pressKey(name, key) {
  return inTurn(name, async () => {
    if (!(await post(`door/${name}/keys`, { keys: key }))) return;
    showTyped(name, key === "*" ? 0 : doors.get(name).typed + (key === "#" ? 0 : 1));
  });
}

const typeCode = (name, code) => { for (const key of code) pressKey(name, key); };

// The door side

function showTyped(name, count) {
  const door = doors.get(name);
  const dots = door.node.querySelector(".dots");
  door.typed = count;
  dots.textContent = "•".repeat(count);
  dots.setAttribute("aria-label", count ? `${count} keys typed` : "nothing typed");
  clearTimeout(door.forget);
  if (count) door.forget = setTimeout(() => showTyped(name, 0), GIVES_UP_MS);
}

function buildSite(site) {
  byId("site").textContent = site.site;
  if (doors.size) return;
  for (const about of site.doors) {
    byId("doors").append(buildDoor(about));
    byId("at").append(buildChoice(about.name, doors.size === 1));
  }
  showPeople();
}

function buildChoice(name, first) {
  const label = document.createElement("label");
  const input = Object.assign(document.createElement("input"), { type: "radio", name: "at", value: name, checked: first });
  label.append(input, ` ${name}`);
  return label;
}

function buildDoor(about) {
  const node = byId("door-template").content.firstElementChild.cloneNode(true);
  const name = about.name;
  doors.set(name, { node, typed: 0, forget: undefined, turn: Promise.resolve(), about });
  node.setAttribute("aria-label", `door ${name}`);
  node.querySelector("h3").textContent = name;
  node.querySelector(".mode").textContent = `wants ${about.mode.replace("+", " and ")}`;
  node.querySelector(".reader").setAttribute("aria-label", `reader at ${name}`);
  if (about.keypad) buildKeypad(node.querySelector(".keypad"), name);
  buildHands(node, about);
  node.addEventListener("keydown", (event) => {
    if (!about.keypad || event.ctrlKey || event.altKey || event.metaKey || !KEYS.includes(event.key)) return;
    event.preventDefault();
    flash(node.querySelector(`[data-key="${event.key}"]`));
    pressKey(name, event.key);
  });
  return node;
}

function buildKeypad(pad, name) {
  pad.setAttribute("aria-label", `keypad at ${name}; arrow keys move, or type the digits`);
  for (const key of KEYS) {
    const button = newButton(key, () => pressKey(name, key));
    button.dataset.key = key;
    button.tabIndex = key === "1" ? 0 : -1;
    const meaning = { "*": "star: clear", "#": "hash: enter" }[key];
    if (meaning) button.setAttribute("aria-label", meaning);
    pad.append(button);
  }
  const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: COLUMNS, ArrowUp: -COLUMNS };
  pad.addEventListener("keydown", (event) => {
    const here = [...pad.children].indexOf(event.target);
    const there = pad.children[here + (steps[event.key] ?? 0)];
    if (!(event.key in steps) || !there) return;
    event.preventDefault();
    event.target.tabIndex = -1;
    there.tabIndex = 0;
    there.focus();
  });
}

function buildHands(node, about) {
  const name = about.name;
  const hands = (selector, there, act) => {
    const button = node.querySelector(selector);
    button.hidden = !there;
    button.addEventListener("click", () => act(button));
  };
  for (const move of ["open", "close", "force"])
    hands(`[data-move="${move}"]`, about.contact, () => post(`door/${name}/leaf`, { move }));
  hands(".rex", about.rex, () => post(`door/${name}/rex`, {}));
  hands(".tamper", about.tamper, (button) =>
    post(`door/${name}/tamper`, { torn: button.getAttribute("aria-pressed") !== "true" }));
}

function newButton(text, act) {
  const button = Object.assign(document.createElement("button"), { type: "button", textContent: text });
  button.addEventListener("click", act);
  return button;
}

function flash(button) {
  button.classList.add("pressed");
  setTimeout(() => button.classList.remove("pressed"), 120);
}

function showPeople() {
  if (!people.length || !doors.size || byId("people").children.length) return;
  const at = () => document.querySelector('input[name="at"]:checked').value;
  for (const person of people) {
    const row = byId("people").insertRow();
    const head = Object.assign(document.createElement("th"), { scope: "row", textContent: person.label });
    row.append(head);
    const act = (text, label, does, kind = "") => {
      const button = newButton(text, () => does(at()));
      button.className = kind;
      button.setAttribute("aria-label", label);
      row.insertCell().append(button);
    };
    act("hold", `hold ${person.label}'s card to the reader`, (door) => holdCard(door, person.holder), "hold");
    act(grouped(person.code), `type ${person.label}'s code ${person.code}`, (door) => typeCode(door, person.code));
    act(grouped(person.duress_code), `type ${person.label}'s duress code ${person.duress_code}`,
      (door) => typeCode(door, person.duress_code));
  }
  byId("at").addEventListener("change", showChoice);
  showChoice();
  for (const [name, door] of doors) if (door.about.card) buildCards(door.node.querySelector(".cards"), name);
}

// A card can be held only where a reader reads cards.
function showChoice() {
  const chosen = document.querySelector('input[name="at"]:checked').value;
  for (const button of document.querySelectorAll("#people .hold")) button.disabled = !doors.get(chosen).about.card;
}

function buildCards(row, name) {
  for (const person of people.filter((one) => one.card))
    row.append(newButton(`${person.label.split(" ")[0]}'s card`, () => holdCard(name, person.holder)));
  row.append(newButton("unknown card", () => holdCard(name, "unknown")));
}

const grouped = (code) => code.replace(/(\d{2,4})(?=(\d{4})+$)/g, "$1 ");

function showDoor(seen) {
  const door = doors.get(seen.name);
  if (!door) return;
  const { node } = door;
  const marks = { released: seen.released, lit: seen.lamp, open: seen.open, tampered: seen.tampered };
  for (const [mark, on] of Object.entries(marks)) node.classList.toggle(mark, on);
  const began = seen.beep && !node.classList.contains("beeping");
  node.classList.toggle("beeping", seen.beep);
  if (began) showTyped(seen.name, 0);
  const strike = seen.released ? "released" : "secured";
  const leaf = seen.open ? "open" : "closed";
  word(node, ".strike-word", strike);
  word(node, ".leaf-word", leaf);
  word(node, ".state-word", seen.state || "nobody answers");
  node.querySelector(".picture").setAttribute("aria-label", `${seen.name}: strike ${strike}, leaf ${leaf}`);
  node.querySelector(".lamp").setAttribute("aria-label", seen.lamp ? "lamp lit" : "lamp dark");
  node.querySelector(".beep").setAttribute("aria-label", seen.beep ? "beeping" : "silent");
  const tamper = node.querySelector(".tamper");
  tamper.setAttribute("aria-pressed", String(seen.tampered));
  tamper.textContent = seen.tampered ? "put the reader back" : "tear the reader off";
  sound(seen.name, seen.beep);
}

// Only what changed is written, so that a screen reader says it once.
function word(node, selector, text) {
  const place = node.querySelector(selector);
  if (place.textContent !== text) place.textContent = text;
}

function showBoard(board) {
  const parts = board.running
    ? [`doord runs; monitor ${board.path}`, `${board.pending} records without a receipt`,
       ...board.faults.map((fault) => `FAULT ${fault}`)]
    : ["doord does not answer"];
  word(document, "#board", parts.join(" · "));
}

const logged = new Set();
function addToLog(lines) {
  const body = byId("log");
  for (const line of lines) {
    if (logged.has(line.id)) continue;
    logged.add(line.id);
    const row = body.insertRow(0);
    row.className = `was-${line.what}`;
    for (const column of ["time", "door", "what", "who", "more"]) row.insertCell().textContent = line[column];
  }
  while (body.rows.length > 50) body.deleteRow(-1);
}

function showRig(rig) {
  const cut = rig.line === "cut";
  const words = { running: "doord is running", killed: "killed: the strikes fall back; it starts again in a moment",
    starting: "doord is starting" };
  byId("cut").setAttribute("aria-pressed", String(cut));
  byId("cut").textContent = cut ? "mend the line to the monitor" : "cut the line to the monitor";
  word(document, "#line-state", cut ? "the line is cut: records wait on the board's disk" : "the line is whole");
  word(document, "#doord-state", words[rig.doord] ?? rig.doord);
  byId("kill").disabled = rig.doord === "killed" || rig.doord === "starting";
}

// Sound, if it is wanted: the buzzer's wire, as long as it is high

let audio;
const playing = new Map();
function sound(name, on) {
  if (!on || !byId("sound").checked) {
    playing.get(name)?.stop();
    playing.delete(name);
  } else if (!playing.has(name)) {
    audio ??= new AudioContext();
    const tone = new OscillatorNode(audio, { type: "square", frequency: 2400 });
    tone.connect(new GainNode(audio, { gain: 0.04 })).connect(audio.destination);
    tone.start();
    playing.set(name, tone);
  }
}

// The monitor side

const clock = (moment) => (moment ? moment.slice(11, 19) : "");

function showMonitor(seen) {
  word(document, "#monitor", seen.answering ? "monitord answers" : "monitord does not answer: this is what it last said");
  word(document, "#records", String(seen.records));
  const board = seen.controllers[0];
  word(document, "#health", board ? board.health : "unknown");
  word(document, "#waiting", board?.pending == null ? "unknown" : `${board.pending} records`);
  const open = seen.alarms.filter((alarm) => alarm.state === "new").length;
  word(document, "#alarm-count", seen.alarms.length ? `${open} to acknowledge` : "");
  word(document, "#jump-count", open ? ` (${open})` : "");
  byId("calm").hidden = seen.alarms.length > 0;
  document.title = open ? `(${open}) doorctl sim` : "doorctl sim";
  for (const alarm of seen.alarms) showAlarm(alarm);
  byId("alarms").append(...[...seen.alarms].map((alarm) => alarms.get(alarm.id)));
}

function showAlarm(alarm) {
  let node = alarms.get(alarm.id);
  if (!node) {
    node = byId("alarm-template").content.firstElementChild.cloneNode(true);
    alarms.set(alarm.id, node);
    if (alarm.state === "new") byId("news").textContent = `alarm: ${alarm.title}: ${alarm.text}`;
  }
  node.className = `alarm ${alarm.severity} ${alarm.state}`;
  word(node, ".severity", alarm.severity);
  word(node, ".title", alarm.title);
  word(node, ".text", alarm.text);
  const over = alarm.ended ? `over since ${clock(alarm.ended)}` : alarm.standing ? "lasting" : "";
  const where = [clock(alarm.event || alarm.raised), alarm.door, alarm.person, over];
  word(node, ".where", where.filter(Boolean).join(" · "));
  showAcknowledgement(node.querySelector(".ack"), alarm);
}

function showAcknowledgement(place, alarm) {
  if (alarm.state === "new") {
    if (!place.firstElementChild) {
      const button = newButton("acknowledge", () => post(`alarms/${alarm.id}/ack`, { who: "you, at the simulator" }));
      button.setAttribute("aria-label", `acknowledge ${alarm.title}`);
      place.replaceChildren(button);
    }
  } else {
    place.textContent = `acknowledged ${clock(alarm.acknowledged)} by ${alarm.acknowledged_by}`;
  }
}

// Streams

function follow(path, mark, shows) {
  const stream = new EventSource(`api/${path}`);
  const say = (words, live) => {
    word(document, `#${mark}`, words);
    byId(mark).classList.toggle("on", live);
  };
  stream.addEventListener("open", () => say("live", true));
  stream.addEventListener("error", () => {
    say("not live", false);
    if (stream.readyState === EventSource.CLOSED) setTimeout(() => follow(path, mark, shows), 2000);
  });
  for (const [name, show] of Object.entries(shows))
    stream.addEventListener(name, (event) => show(JSON.parse(event.data)));
}

async function begin() {
  byId("cut").addEventListener("click", (event) =>
    post("line", { cut: event.target.getAttribute("aria-pressed") !== "true" }));
  byId("kill").addEventListener("click", () => post("doord/kill", {}));
  follow("door/events", "door-live", { site: buildSite, board: showBoard, door: showDoor, log: addToLog, rig: showRig });
  follow("monitor/events", "monitor-live", { monitor: showMonitor });
  people = (await (await fetch("api/people")).json()).people;
  showPeople();
}

begin();
