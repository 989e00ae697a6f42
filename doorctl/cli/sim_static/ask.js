// Commands to the simulator, and what it would not do, said where it was asked: for as long as a person needs to read it,
// for as long as it is true, and no longer.

const READ_MS = 12000;
const said = new Map(); // place → {at, why, wasTrue}

// What makes a refusal true beyond its moment, as this page itself sees it.
const TRUE_WHILE = {
  locked: (place) => Boolean(place.closest("[data-door]")?.querySelector('[data-strike="secured"][data-leaf="closed"]')),
  gone: () => byId("board").dataset.running === "false",
  silent: () => document.body.dataset.live !== "live",
};

/** POST a JSON value; the answer's JSON, or null where it was refused, which `place` then says with its hint. */
export async function post(path, value, place) {
  let told = { error: "the simulator does not answer", hint: "is `doorctl sim` still running?", while: "silent" };
  try {
    const answer = await fetch(`api/${path}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(value),
    });
    told = await answer.json();
    if (answer.ok) {
      say(place, "");
      return told;
    }
  } catch {
    // what is told then is above
  }
  say(place, told.hint ? `${told.error}: ${told.hint}` : told.error, told.while);
  return null;
}

/** Words in a place that is kept free for them, so that nothing moves; `why` is a word of TRUE_WHILE. */
export function say(place, words, why) {
  if (place.textContent !== words) place.replaceChildren(...(words ? [words] : []));
  said.delete(place);
  if (!words) return;
  said.set(place, { at: performance.now(), why, wasTrue: false });
  setTimeout(lookAgain, READ_MS + 50); // a timer may be early by a hair
  lookAgain();
}

/** Whenever the page shows something anew: what is not true any more goes, and what was read. */
export function lookAgain() {
  for (const [place, about] of said) {
    const isTrue = TRUE_WHILE[about.why]?.(place) ?? false;
    if (!isTrue && (about.wasTrue || performance.now() - about.at >= READ_MS)) say(place, "");
    about.wasTrue = isTrue;
  }
}

/** The board is back: whatever was refused before may be asked again. */
export function forgetRefusals() {
  for (const place of [...said.keys()]) say(place, "");
}

/** Only what changed is written, so that a screen reader says it once. */
export function word(place, text) {
  if (place.textContent !== text) place.textContent = text;
}

/** The same for a name, which may be cut where there is no room: the whole is in its title. */
export function named(place, name) {
  word(place, name);
  mark(place, "title", name);
}

export function mark(node, name, value) {
  if (node.getAttribute(name) !== value) node.setAttribute(name, value);
}

export const byId = (id) => document.getElementById(id);

export function copyOf(template) {
  return byId(template).content.firstElementChild.cloneNode(true);
}
