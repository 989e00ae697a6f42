// Who can be played, and the visitor's own people: enrolled, shown their codes once, removed again.

import { byId, copyOf, named, post, say, word } from "./ask.js";
import { doorNames, layCards } from "./door.js";

const persons = new Map(); // holder → {node, person}

const grouped = (code) => code.replace(/(\d{2,4})(?=(\d{4})+$)/g, "$1 ");
const chosen = () => document.querySelector('input[name="at"]:checked')?.value;

/** Which door a visit is played at. */
export function buildChoice() {
  const place = byId("at");
  for (const { name, keypad } of doorNames()) {
    if (!keypad || place.querySelector(`[value="${name}"]`)) continue;
    const label = document.createElement("label");
    const input = Object.assign(document.createElement("input"), { type: "radio", name: "at", value: name });
    input.checked = !place.children.length;
    const text = document.createElement("span");
    named(text, name);
    label.append(input, text);
    place.append(label);
  }
}

export function showPeople(people) {
  const list = byId("persons");
  for (const [holder, { node }] of persons) {
    if (people.some((person) => person.holder === holder)) continue;
    node.remove();
    persons.delete(holder);
  }
  for (const person of people) if (!persons.has(person.holder)) list.append(newPerson(person));
  layCards(people);
}

function newPerson(person) {
  const node = copyOf("person-template");
  persons.set(person.holder, { node, person });
  node.dataset.person = person.holder;
  named(node.querySelector("strong"), person.label);
  const codes = { normal: person.code, duress: person.duress_code };
  for (const button of node.querySelectorAll(".play")) {
    const kind = button.dataset.play;
    word(button.querySelector("b"), codes[kind] ? grouped(codes[kind]) : "•••• ••••");
    word(button.querySelector(".unseen"), `${person.label}: `);
    button.addEventListener("click", () => play(person, kind, button));
  }
  const remove = node.querySelector(".remove");
  remove.hidden = !person.own;
  remove.setAttribute("aria-label", `remove ${person.label}`);
  remove.addEventListener("click", () => removePerson(person));
  return node;
}

async function play(person, code, button) {
  if (button.ariaBusy === "true") return;
  button.ariaBusy = "true";
  await post(`door/${chosen()}/visit`, { person: person.holder, code }, byId("people-say"));
  button.ariaBusy = "false";
}

async function removePerson(person) {
  const done = await post(`people/${person.holder}/remove`, {}, byId("people-say"));
  if (!done) return;
  say(byId("people-say"), `${person.label} is removed: card and codes open nothing from now on`);
  byId("own-name").focus();
}

export function buildOwn() {
  byId("own").addEventListener("submit", async (event) => {
    event.preventDefault();
    const name = byId("own-name");
    if (!name.value.trim()) {
      say(byId("own-say"), "a person needs a name");
      return;
    }
    say(byId("own-say"), "drawing codes and sealing them …");
    const person = await post("people", { label: name.value.trim() }, byId("own-say"));
    if (!person) return;
    name.value = "";
    showCodes(person);
  });
  byId("own-seen").addEventListener("click", () => {
    showCodes(null);
    byId("own-name").focus();
  });
}

function showCodes(person) {
  word(byId("own-who"), person?.label ?? "");
  word(byId("own-code"), person ? grouped(person.code) : "");
  word(byId("own-duress"), person ? grouped(person.duress_code) : "");
  byId("own-codes").hidden = !person;
  if (person) byId("own-seen").focus();
}
