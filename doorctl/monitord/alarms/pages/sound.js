// Sound that the person switches on: made here, from no file. A browser lets it sound only after a first press.

const TUNES = { critical: [880, 660, 880, 660, 880, 660], serious: [740, 740], warning: [520], note: [520], lost: [220, 196] };
const REPEAT = 4000;

export class Sound {
  #context = null;
  #again = null;
  #tune = "";
  #until = 0;

  constructor(button) {
    this.button = button;
    this.on = localStorage.getItem("sound") === "on";
    button.addEventListener("click", () => {
      const asleep = this.on && this.#context?.state !== "running";
      this.on = asleep || !this.on;
      localStorage.setItem("sound", this.on ? "on" : "off");
      this.#wake().then(() => {
        if (this.on) this.play("note");
        this.show();
      });
    });
    for (const name of ["pointerdown", "keydown"]) {
      document.addEventListener(name, () => { if (this.on) this.#wake().then(() => this.show()); }, { passive: true });
    }
    this.show();
  }

  show() {
    const ready = this.#context?.state === "running";
    this.button.setAttribute("aria-pressed", String(this.on));
    this.button.textContent = !this.on ? "Sound is off" : ready ? "Sound is on" : "Sound: press once";
    this.button.classList.toggle("waiting", this.on && !ready);
  }

  play(tune) {
    const now = Date.now();
    if (!this.on || this.#context?.state !== "running" || (now < this.#until && tune !== "critical")) return;
    if (now < this.#until && this.#tune === tune) return;  // a hundred alarms at once are one sound
    this.#tune = tune;
    this.#until = now + TUNES[tune].length * 220;
    TUNES[tune].forEach((pitch, place) => this.#tone(pitch, place * 0.22));
  }

  // What nobody has acknowledged goes on sounding where it is critical.
  repeat(tune) {
    if (tune !== "critical") {
      clearInterval(this.#again);
      this.#again = null;
    } else if (this.#again === null) {
      this.#again = setInterval(() => this.play("critical"), REPEAT);
    }
  }

  async #wake() {
    this.#context ??= new AudioContext();
    if (this.#context.state !== "running") await this.#context.resume().catch(() => null);
  }

  #tone(pitch, after) {
    const from = this.#context.currentTime + after;
    const tone = new OscillatorNode(this.#context, { frequency: pitch, type: "triangle" });
    const volume = new GainNode(this.#context, { gain: 0 });
    volume.gain.setValueAtTime(0.0001, from);
    volume.gain.exponentialRampToValueAtTime(0.4, from + 0.02);
    volume.gain.exponentialRampToValueAtTime(0.0001, from + 0.2);
    tone.connect(volume).connect(this.#context.destination);
    tone.start(from);
    tone.stop(from + 0.21);
  }
}
