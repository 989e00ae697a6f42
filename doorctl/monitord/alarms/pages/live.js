// Listens to the monitor, and knows when it does not. Anything heard is a sign of life; a missing beat is noticed by a
// timer here, since a browser may hold a dead connection for minutes. After a sleep it asks anew at once.

const BEAT = 5000;
const LATE = BEAT + 2500;
const LOST = 3 * BEAT;
const PAUSES = [300, 1000, 2000, 5000];

export class Live {
  #source = null;
  #heard = Date.now();
  #tried = 0;
  #opening = null;
  #state = "lost";

  // told: {wanted, alarm, reload, beat, state, out}; change: the number of the last change that the page shows
  constructor(change, told) {
    this.change = change;
    this.told = told;
    setInterval(() => this.check(), 1000);
    for (const name of ["online", "focus", "pageshow"]) addEventListener(name, () => this.check(true));
    for (const name of ["visibilitychange", "resume"]) document.addEventListener(name, () => this.check(true));
    addEventListener("pagehide", () => this.close());
    if (told.wanted()) this.open();
  }

  get heard() {
    return this.#heard;
  }

  open() {
    this.close();
    const source = new EventSource(`/events?after=${this.change}`);
    this.#source = source;
    const on = (name, act) => source.addEventListener(name, (event) => {
      if (source !== this.#source) return;
      if (event.lastEventId) this.change = event.lastEventId;
      this.#heard = Date.now();
      act(event.data ? JSON.parse(event.data) : null);
    });
    on("alarm", (alarm) => this.told.alarm(alarm));
    on("reload", () => this.told.reload());
    on("out", () => this.told.out());
    on("beat", (beat) => {
      this.#tried = 0;
      const back = this.#state !== "live";
      this.#say("live");
      this.told.beat(beat, back);
    });
    source.addEventListener("error", () => {
      if (source === this.#source) this.#cut();
    });
  }

  close() {
    clearTimeout(this.#opening);
    this.#opening = null;
    this.#source?.close();
    this.#source = null;
  }

  // Woken from a sleep, one missing beat is enough to ask anew: what was connected before may be long gone.
  check(woken = false) {
    if (!this.told.wanted()) {
      this.close();
      if (this.#state === "live") this.#say("late");
      return;
    }
    const silent = Date.now() - this.#heard;
    if (this.#source && silent > (woken ? LATE : LOST)) this.#cut();
    else if (this.#source && silent > LATE) this.#say("late");
    else if (!this.#source && this.#opening === null) this.open();
    if (this.#state === "lost") this.#say("lost");
  }

  #cut() {
    this.close();
    this.#say("lost");
    const pause = PAUSES[Math.min(this.#tried++, PAUSES.length - 1)];
    this.#opening = setTimeout(() => this.open(), pause);
  }

  #say(state) {
    this.#state = state;
    this.told.state(state);
  }
}
