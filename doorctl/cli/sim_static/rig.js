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
  line: { whole: "whole", cut: "cut: records wait on the board's disk" },
  power: { on: "on", off: "off: the metal alone holds the doors", returning: "back: doord is starting" },
  disk: { well: "well", stalled: "stalled: records go to the courier's memory, the doors go on" },
  doord: {
    running: "running", off: "without power", starting: "starting",
    killed: "killed: strikes fall back; systemd would start it again, and so do we",
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
    word(button(what), WORDS[what][Number(is)]);
  }
  for (const [what, words] of Object.entries(STATES)) word(byId(`${what}-state`), words[rig[what]] ?? rig[what]);
}
