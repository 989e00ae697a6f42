// The doors: what hands do there, and what eyes see there. Nothing that the monitor knows comes here.

import { byId, copyOf, forgetRefusals, mark, named, post, word } from "./ask.js";
import { buildKeypad } from "./keypad.js";
import { swing } from "./leaf.js";
import { sound } from "./sound.js";

const NAMES = {
  open: "open the leaf", close: "close the leaf", hold: "hold the leaf open", force: "force the leaf open",
  rex: "exit button, REX", tamper: "tear off the reader's cover",
};

const doors = new Map(); // name → {node, about, keypad, told: cards of this tab that the stream has not told yet}
const CARD_MS = 80;
const swung = new WeakMap(); // picture → how its leaf was drawn last

/** The doors that there are; built once. */
export function buildDoors(abouts) {
  for (const about of abouts) {
    if (doors.has(about.name)) continue;
    const node = copyOf("door-template");
    const door = { node, about, keypad: null, told: { mine: 0 } };
    doors.set(about.name, door);
    node.dataset.door = about.name;
    const title = node.querySelector("h3");
    title.id = `door-${about.name}`;
    named(title, about.name);
    mark(node, "aria-labelledby", title.id);
    word(node.querySelector(".mode"), `wants ${about.mode.replace("+", " and ")}`);
    if (about.keypad) door.keypad = buildKeypad(node, about.name);
    buildHands(door);
    byId("doors").append(node);
  }
}

function buildHands({ node, about }) {
  const place = node.querySelector(".say");
  for (const button of node.querySelectorAll("[data-act]")) {
    const act = button.dataset.act;
    mark(button, "aria-label", `${NAMES[act]} at ${about.name}`);
    button.addEventListener("click", () => {
      if (act === "rex") post(`door/${about.name}/rex`, {}, place);
      else if (act === "tamper") post(`door/${about.name}/tamper`, { torn: button.ariaPressed !== "true" }, place);
      else post(`door/${about.name}/leaf`, { move: act }, place);
    });
    const wired = { rex: about.rex, tamper: about.tamper }[act] ?? about.contact;
    button.disabled = !wired;
    if (!wired) button.title = "not wired at this door";
  }
  for (const group of node.querySelectorAll(".hands .group"))
    mark(group, "aria-label", `${group.firstElementChild.textContent} at ${about.name}`);
}

/** The stream began anew: what was under way in the old one is not told any more. */
export function beginAnew() {
  for (const { keypad, told } of doors.values()) {
    keypad?.forget();
    told.mine = 0;
  }
}

/** The cards that lie on the desk, at every reader that reads cards. */
export function layCards(people) {
  for (const [name, { node, about }] of doors) {
    const tray = node.querySelector(".cards");
    tray.hidden = !about.card;
    if (!about.card) continue;
    const wanted = [...people.filter((person) => person.card), { holder: "unknown", label: "unknown" }];
    for (const laid of tray.querySelectorAll("[data-card]"))
      if (!wanted.some(({ holder }) => holder === laid.dataset.card)) laid.remove();
    for (const { holder, label } of wanted)
      if (!tray.querySelector(`[data-card="${holder}"]`))
        tray.insertBefore(newCard(name, holder, label, node.querySelector(".say")), tray.querySelector('[data-card="unknown"]'));
  }
}

function newCard(door, holder, label, place) {
  const button = Object.assign(document.createElement("button"), { type: "button", className: "card" });
  button.dataset.card = holder;
  button.textContent = label.split(" ")[0];
  button.title = label;
  mark(button, "aria-label", `${label}: hold the card to the reader at ${door}`);
  button.addEventListener("click", () => {
    const { node, told } = doors.get(door);
    light(node);
    told.mine += 1;
    post(`door/${door}/card`, { card: holder }, place).then((done) => { if (!done) told.mine -= 1; });
  });
  return button;
}

// The reader notices a card; the glow fades by itself.
function light(node) {
  const reader = node.querySelector(".reader");
  reader.classList.add("carded");
  setTimeout(() => reader.classList.remove("carded"), CARD_MS);
}

/** A key or card that somebody gave at a reader, whoever it was. */
export function showPress({ door, key }) {
  const at = doors.get(door);
  if (key !== "card") at?.keypad?.pressed(key);
  else if (at?.told.mine > 0) at.told.mine -= 1;
  else if (at) light(at.node);
}

export function showDoor(seen) {
  const { node, keypad } = doors.get(seen.name) ?? {};
  if (!node) return;
  const strike = seen.released ? "released" : "secured";
  const leaf = seen.open ? "open" : "closed";
  const beeped = seen.beep && node.dataset.beeping !== "true";
  mark(node, "data-state", seen.state);
  const scene = node.querySelector(".scene");
  const released = seen.released && scene.dataset.strike === "secured";
  mark(scene, "data-strike", strike);
  mark(scene, "data-leaf", leaf);
  mark(scene, "data-tamper", seen.tampered ? "off" : "on");
  mark(node, "data-beeping", String(seen.beep));
  showReader(node, seen);
  showPicture(node, seen, strike, leaf);
  const told = seen.state || "nobody answers";
  word(node.querySelector(".state"), told);
  const cover = seen.tampered ? ", the reader's cover is off" : "";
  word(node.querySelector(".told"), `${seen.name}: ${told}, strike ${strike}, leaf ${leaf}${cover}`);
  if (beeped || released) keypad?.clear(); // some doors have no sounder
  sound(seen.name, seen.beep);
}

function showReader(node, seen) {
  const lamp = node.querySelector("[data-lamp]");
  mark(lamp, "data-lamp", seen.lamp ? "lit" : "dark");
  mark(lamp, "aria-label", seen.lamp ? "lamp lit" : "lamp dark");
  const beep = node.querySelector("[data-beep]");
  mark(beep, "data-beep", seen.beep ? "on" : "off");
  mark(beep, "aria-label", seen.beep ? "beeping" : "silent");
  const tamper = node.querySelector('[data-act="tamper"]');
  mark(tamper, "aria-pressed", String(seen.tampered));
  word(tamper, seen.tampered ? "put back" : "tear off");
  mark(tamper, "aria-label", `${seen.tampered ? "put back" : "tear off"} the reader's cover at ${seen.name}`);
}

function showPicture(node, seen, strike, leaf) {
  const picture = node.querySelector(".picture");
  word(picture.querySelector("title"), `door ${seen.name}: strike ${strike}, leaf ${leaf}`);
  if (swung.get(picture) !== leaf) swing(picture, seen.open);
  swung.set(picture, leaf);
}

export function showBoard(board) {
  const line = byId("board");
  mark(line, "data-trouble", String(!board.running || board.faults.length > 0 || board.path !== "connected"));
  const words = [`doord runs · monitor ${board.path}${waiting(board)}`, ...board.faults.map((fault) => `fault: ${fault}`)];
  named(line, board.running ? words.join(" · ") : "doord does not answer: the metal alone holds the doors");
  const isBack = board.running && line.dataset.running === "false";
  mark(line, "data-running", String(board.running));
  if (isBack) forgetRefusals();
}

// While the line is whole a record waits for its receipt, for a moment and always: that is no news.
function waiting({ path, pending }) {
  if (path === "connected" || !pending) return "";
  return pending === 1 ? ", 1 record waits on its disk" : `, ${pending} records wait on its disk`;
}

export const doorNames = () => [...doors.values()].map(({ about }) => about);
