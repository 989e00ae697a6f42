// What can be broken, and how it stands.

import { byId, mark, post, word } from "./ask.js";

const SENDS = {
  line: (on) => ["line", { cut: on }],
  power: (on) => ["power", { cut: on }],
  disk: (on) => ["disk", { stalled: on }],
};
const WORDS = {
  line: ["cut the network line", "mend the network line"],
  power: ["cut the board's power", "give the board power"],
  disk: ["stall the board's disk", "let the disk write"],
};
const STATES = {
  line: { whole: "the line is whole", cut: "the doors go on without it" },
  power: { on: "the board has power", off: "metal holds the doors", returning: "doord is starting" },
  disk: { well: "the disk writes", stalled: "the doors go on without it" },
  doord: {
    running: "doord runs", off: "there is no power", starting: "doord is starting",
    killed: "it starts again, as by systemd",
  },
};

const button = (what) => document.querySelector(`[data-rig="${what}"]`);

export function buildRig() {
  for (const [what, send] of Object.entries(SENDS))
    button(what).addEventListener("click", (event) => {
      const [path, body] = send(event.currentTarget.ariaPressed !== "true");
      post(path, body, byId("rig-say"));
    });
  button("doord").addEventListener("click", () => post("doord/kill", {}, byId("rig-say")));
}

export function showRig(rig) {
  const broken = { line: rig.line !== "whole", power: rig.power === "off", disk: rig.disk !== "well" };
  for (const [what, is] of Object.entries(broken)) {
    mark(button(what), "aria-pressed", String(is));
    word(button(what).querySelector("b"), WORDS[what][Number(is)]);
  }
  const told = Object.entries(STATES).map(([what, words]) => [what, words[rig[what]] ?? rig[what]]);
  for (const [what, words] of told) word(byId(`${what}-state`), words);
  word(byId("rig-told"), told.map(([what, words]) => `${what}: ${words}`).join("; "));
}
