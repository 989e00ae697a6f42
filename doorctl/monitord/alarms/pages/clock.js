// Times as the reader's own clock has them, and how long ago. Without it the page shows UTC.

const today = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });
const otherDay = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

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

export const clockTime = (date) =>
  (date.toDateString() === new Date().toDateString() ? today : otherDay).format(date);

const ago = (element) => {
  const seconds = Math.floor((Date.now() - new Date(element.dataset.ago)) / 1000);
  const text = seconds < 0 ? "just now" : `${duration(seconds)} ago`;
  if (element.textContent !== text) element.textContent = text;
};

export const local = (root) => {
  for (const time of root.querySelectorAll("time")) {
    const date = new Date(time.dateTime);
    if (Number.isNaN(date.getTime())) continue;
    time.title = time.dateTime;
    time.textContent = clockTime(date);
  }
  for (const element of root.querySelectorAll("[data-ago]")) ago(element);
};

export const tick = () => {
  for (const element of document.querySelectorAll("[data-ago]")) ago(element);
};
