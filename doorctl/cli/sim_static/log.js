// The access log, as `doorctl log` shows it; newest on top.

import { byId } from "./ask.js";

const KEPT = 50;
const COLUMNS = ["time", "door", "what", "who", "more"];

/** All that the simulator remembers, in place of what was shown: a sleep leaves no hole. */
export function showLog(lines) {
  byId("log").replaceChildren();
  addToLog(lines);
}

export function addToLog(lines) {
  const body = byId("log");
  for (const line of lines) {
    if (body.querySelector(`[data-log-row="${line.id}"]`)) continue;
    const row = body.insertRow(0);
    row.dataset.logRow = line.id;
    row.className = `was-${line.what}`;
    for (const column of COLUMNS) row.insertCell().textContent = line[column];
    row.cells[0].className = "clock";
  }
  while (body.rows.length > KEPT) body.deleteRow(-1);
}
