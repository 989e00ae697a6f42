// Times as people at the site have them, each with its zone, and how long ago. What is of no site, or of one whose zone
// is not known, is told in the page's zone, else in the reader's own. Without this file it is the same but for the last.

const units = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];

export const duration = (seconds) => {
  const at = units.findIndex(([, size]) => seconds >= size);
  if (at < 0) return "0 s";
  const [unit, size] = units[at];
  const whole = `${Math.floor(seconds / size)} ${unit}`;
  const next = units[at + 1];
  const rest = next && at < 2 ? Math.floor((seconds % size) / next[1]) : 0;
  return rest ? `${whole} ${rest} ${next[0]}` : whole;
};

// A browser whose database lacks a zone tells UTC, and says so.
const formats = new Map();
const formatsOf = (name) => {
  const timeZone = name || document.body.dataset.zone || undefined;
  if (!formats.has(timeZone)) {
    try {
      formats.set(timeZone, made(timeZone));
    } catch {
      formats.set(timeZone, made("UTC"));
    }
  }
  return formats.get(timeZone);
};
// An old browser knows zones by their letters only.
const named = (() => {
  try {
    new Intl.DateTimeFormat("en-GB", { timeZoneName: "shortOffset" });
    return "shortOffset";
  } catch {
    return "short";
  }
})();
const made = (timeZone) => ({
  time: new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23", timeZone }),
  month: new Intl.DateTimeFormat(undefined, { month: "short", timeZone }),
  day: new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "numeric", year: "numeric", timeZone, timeZoneName: named }),
});

const partsOf = (format, date) => Object.fromEntries(format.formatToParts(date).map(({ type, value }) => [type, value]));

export const zoneOf = (date, zone) => partsOf(formatsOf(zone).day, date).timeZoneName.replace("GMT", "UTC").replace(/\+0$/, "");

// The day only where it is another one there, the year likewise: what is read in a hurry is short.
export const clockTime = (date, zone) => {
  const { time, month, day } = formatsOf(zone);
  const [at, now] = [partsOf(day, date), partsOf(day, new Date())];
  const year = at.year === now.year ? "" : ` ${at.year}`;
  const today = !year && at.month === now.month && at.day === now.day;
  return `${today ? "" : `${Number(at.day)} ${month.format(date)}${year}, `}${time.format(date)} ${zoneOf(date, zone)}`;
};

const ago = (element) => {
  const seconds = Math.floor((Date.now() - new Date(element.dataset.ago)) / 1000);
  const text = seconds < 0 ? "just now" : `${duration(seconds)} ago`;
  if (element.textContent !== text) element.textContent = text;
};

export const local = (root) => {
  for (const element of root.querySelectorAll("time")) {
    const date = new Date(element.dateTime);
    if (Number.isNaN(date.getTime())) continue;
    element.title = [element.dateTime, element.dataset.zone].filter(Boolean).join(", there ");
    element.textContent = clockTime(date, element.dataset.zone);
  }
  for (const element of root.querySelectorAll("[data-ago]")) ago(element);
};

export const tick = () => {
  for (const element of document.querySelectorAll("[data-ago]")) ago(element);
};
