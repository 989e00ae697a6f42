// Commands to the simulator, and what it would not do, said where it was asked.

const SHOWN_MS = 9000;
const fading = new WeakMap();

/** POST a JSON value; the answer's JSON, or null where it was refused, which `place` then says with its hint. */
export async function post(path, value, place) {
  let told = { error: "the simulator does not answer", hint: "is `doorctl sim` still running?" };
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
  say(place, told.error, told.hint);
  return null;
}

/** Words for a while in a place that is kept free for them, so that nothing moves. */
export function say(place, words, hint) {
  clearTimeout(fading.get(place));
  const parts = words ? [`${words}${hint ? `: ${hint}` : ""}`] : [];
  if (place.textContent !== parts.join("")) place.replaceChildren(...parts);
  if (words) fading.set(place, setTimeout(() => place.replaceChildren(), SHOWN_MS));
}

/** Only what changed is written, so that a screen reader says it once. */
export function word(place, text) {
  if (place.textContent !== text) place.textContent = text;
}

export function mark(node, name, value) {
  if (node.getAttribute(name) !== value) node.setAttribute(name, value);
}

export const byId = (id) => document.getElementById(id);

export function copyOf(template) {
  return byId(template).content.firstElementChild.cloneNode(true);
}
