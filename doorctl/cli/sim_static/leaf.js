// Draws a door's leaf at any angle, in perspective, and swings it; without motion for those who want none.

const HINGE = 21;
const WIDTH = 108;
const TOP = 21;
const BOTTOM = 262;
const EYE = 128; // height of the eye: towards it everything shrinks
const OPEN_DEGREES = 66;
const DEPTH = 0.42;
const SWING_MS = 320;

const still = matchMedia("(prefers-reduced-motion: reduce)");
const swinging = new WeakMap();
const angles = new WeakMap();

/** A point of the leaf: `along` from hinge (0) to free edge (1), `high` in the closed leaf's coordinates. */
function point(angle, along, high) {
  const far = 1 / (1 + DEPTH * along * Math.sin(angle));
  const x = HINGE + WIDTH * along * Math.cos(angle) * far;
  const y = EYE + (high - EYE) * far;
  return `${x.toFixed(1)} ${y.toFixed(1)}`;
}

function quad(angle, from, to, high, low) {
  return `M${point(angle, from, high)}L${point(angle, to, high)}L${point(angle, to, low)}L${point(angle, from, low)}Z`;
}

function draw(picture, angle) {
  const put = (selector, path) => picture.querySelector(selector).setAttribute("d", path);
  put(".slab", quad(angle, 0, 1, TOP, BOTTOM));
  put('[data-panel="top"]', quad(angle, 0.15, 0.85, 40, 128));
  put('[data-panel="bottom"]', quad(angle, 0.15, 0.85, 176, 244));
  put(".edge", quad(angle, 0.965, 1, TOP, BOTTOM));
  put(".handle", quad(angle, 0.76, 0.93, 149, 156));
  angles.set(picture, angle);
}

/** The leaf moves to open or closed; the first time it is just there. */
export function swing(picture, open) {
  const to = open ? (OPEN_DEGREES * Math.PI) / 180 : 0;
  const from = angles.get(picture);
  cancelAnimationFrame(swinging.get(picture));
  if (from === undefined || still.matches || document.hidden) {
    draw(picture, to);
    return;
  }
  const began = performance.now();
  const step = (now) => {
    const part = Math.min(1, Math.max(0, (now - began) / SWING_MS));
    draw(picture, from + (to - from) * (1 - (1 - part) ** 3));
    if (part < 1) swinging.set(picture, requestAnimationFrame(step));
  };
  swinging.set(picture, requestAnimationFrame(step));
}
