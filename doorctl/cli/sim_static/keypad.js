// A reader's keypad: mouse, touch, arrow keys, and a real keyboard while the focus is at its door.

import { mark, post } from "./ask.js";

const KEYS = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "*", "0", "#"];
const COLUMNS = 3;
const STEPS = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: COLUMNS, ArrowUp: -COLUMNS };
const NAMES = { "*": "star: take it back", "#": "hash: enter" };
const GIVES_UP_MS = 5500; // a keypad forgets an entry after 5 s without a key
const FLASH_MS = 100;

/** Build it into a door's section; gives back what shows a key that somebody pressed. */
export function buildKeypad(node, door) {
  const reader = node.querySelector(".reader");
  const pad = node.querySelector(".keypad");
  const dots = node.querySelector(".dots");
  let turn = Promise.resolve();
  let typed = 0;
  let forget;
  let typing = false;
  let mine = []; // keys of this tab that the stream has not told yet

  // One reader takes one key after the other, in the order of the hands. A finger sees at once that its key went down;
  // what the stream then says of it is not shown again.
  const press = (key) => {
    mine.push(key);
    show(after(typed, key));
    const send = async () => {
      if (await post(`door/${door}/keys`, { keys: key }, node.querySelector(".say"))) return;
      mine.splice(mine.indexOf(key), 1);
      show(0);
    };
    turn = turn.then(send, send);
  };
  const show = (count) => {
    typed = count;
    clearTimeout(forget);
    dots.textContent = "•".repeat(count);
    mark(dots, "aria-label", count ? `${count} ${count === 1 ? "key" : "keys"} typed` : "nothing typed");
    if (count) forget = setTimeout(() => show(0), GIVES_UP_MS);
  };

  mark(reader, "aria-label", `reader at ${door}: type digits here; Enter is hash, Escape is star`);
  mark(pad, "aria-label", `keypad at ${door}`);
  for (const key of KEYS) pad.append(newKey(key, press));
  pad.addEventListener("keydown", (event) => walk(pad, event));
  reader.addEventListener("focusout", () => { typing = false; });
  node.addEventListener("keydown", (event) => {
    const key = meant(event, reader, typing);
    if (!key) return;
    event.preventDefault();
    typing = true;
    flash(pad.querySelector(`[data-key="${key}"]`));
    press(key);
  });

  return {
    pressed(key) {
      const own = mine.indexOf(key);
      if (own >= 0) {
        mine.splice(own, 1);
        return;
      }
      flash(pad.querySelector(`[data-key="${key}"]`));
      show(after(typed, key));
    },
    clear: () => show(0),
    forget: () => { mine = []; },
  };
}

// Enter on a key of the pad presses that key, as on every button, unless somebody is typing just now.
function meant(event, reader, typing) {
  if (event.ctrlKey || event.altKey || event.metaKey) return null;
  if (event.key === "Escape") return "*";
  if (event.key === "Enter") return event.target === reader || (typing && reader.contains(event.target)) ? "#" : null;
  return KEYS.includes(event.key) ? event.key : null;
}

function after(typed, key) {
  if (key === "*") return 0;
  return key === "#" ? typed : typed + 1;
}

function newKey(key, press) {
  const button = Object.assign(document.createElement("button"), { type: "button", textContent: key });
  button.dataset.key = key;
  button.tabIndex = key === "1" ? 0 : -1;
  if (NAMES[key]) button.setAttribute("aria-label", NAMES[key]);
  button.addEventListener("click", () => press(key));
  return button;
}

function walk(pad, event) {
  const there = pad.children[[...pad.children].indexOf(event.target) + (STEPS[event.key] ?? 0)];
  if (!(event.key in STEPS) || !there) return;
  event.preventDefault();
  event.target.tabIndex = -1;
  there.tabIndex = 0;
  there.focus();
}

function flash(button) {
  button.classList.add("pressed");
  setTimeout(() => button.classList.remove("pressed"), FLASH_MS);
}
