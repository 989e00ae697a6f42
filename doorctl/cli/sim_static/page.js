// The simulator's page: one stream in, a few commands out. Each part shows what it is given and knows no other part.

import { byId, lookAgain, mark, named, word } from "./ask.js";
import { showComparisons } from "./compare.js";
import { beginAnew, buildDoors, showBoard, showDoor, showPress } from "./door.js";
import { follow } from "./live.js";
import { addToLog, showLog } from "./log.js";
import { showMonitor, showZone } from "./monitor.js";
import { buildChoice, buildOwn, showPeople } from "./people.js";
import { buildRig, showRig } from "./rig.js";
import { wantSound } from "./sound.js";

const LIVE = {
  live: "live",
  late: "not live",
  lost: "not live, trying again",
};

function showEverything(all) {
  named(byId("site"), all.site);
  showZone(all.zone);
  buildDoors(all.about);
  buildChoice();
  showPeople(all.people);
  beginAnew();
  all.doors.forEach(showDoor);
  showBoard(all.board);
  showLog(all.log);
  showRig(all.rig);
  showMonitor(all.monitor);
  showComparisons(all.compare);
}

function showLive(how) {
  mark(document.body, "data-live", how);
  word(byId("live"), LIVE[how]);
  lookAgain();
}

byId("sound").addEventListener("change", (event) => wantSound(event.target.checked));
buildOwn();
buildRig();
const shows = {
  everything: showEverything, people: showPeople, board: showBoard, door: showDoor, press: showPress, log: addToLog,
  rig: showRig, monitor: showMonitor, compare: showComparisons,
};
const looking = (show) => (value) => {
  show(value);
  lookAgain();
};
follow("api/events", Object.fromEntries(Object.entries(shows).map(([name, show]) => [name, looking(show)])), showLive);
