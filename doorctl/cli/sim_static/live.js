// The one stream. It begins with everything, so whatever was missed while a tab slept is there at once and without a
// hole; and it beats every second, so silence is noticed and said.

const LATE_MS = 2500;
const LOST_MS = 6000;
const AGAIN_MS = 1000;
const LOOK_MS = 250;

/** Call `shows[name](value)` for each event, for ever; tell `live("live" | "late" | "lost")` when that changes. */
export function follow(path, shows, live) {
  let stream = null;
  let heard = performance.now();
  let opened = heard;
  let now = "late";

  const tell = (what) => {
    if (what !== now) live((now = what));
  };
  const heardSomething = () => {
    heard = performance.now();
    tell("live");
  };
  const open = () => {
    stream?.close();
    opened = performance.now();
    stream = new EventSource(path);
    stream.addEventListener("error", () => tell("lost"));
    stream.addEventListener("beat", heardSomething);
    for (const [name, show] of Object.entries(shows)) {
      stream.addEventListener(name, (event) => {
        show(JSON.parse(event.data));
        heardSomething();
      });
    }
  };
  const look = () => {
    const silent = performance.now() - heard;
    if (silent > LOST_MS) tell("lost");
    else if (silent > LATE_MS) tell(now === "lost" ? "lost" : "late");
    const closed = stream.readyState === EventSource.CLOSED;
    const stuck = silent > LOST_MS && performance.now() - opened > LOST_MS;
    if ((closed && performance.now() - opened > AGAIN_MS) || stuck) open();
  };

  // Back from sleep, from another network, or from the browser's memory: look at once, not at the next turn.
  document.addEventListener("visibilitychange", look);
  for (const name of ["pageshow", "online", "focus", "resume"]) window.addEventListener(name, look);
  live(now);
  open();
  setInterval(look, LOOK_MS);
}
