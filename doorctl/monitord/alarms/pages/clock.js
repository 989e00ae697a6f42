// Times as the reader's own clock has them, and how long ago. Without it the page shows UTC.

const time = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const month = new Intl.DateTimeFormat(undefined, { month: "short" });

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

// The day only where it is another one, the year likewise: what is read in a hurry is short.
export const clockTime = (date) => {
  const now = new Date();
  const year = date.getFullYear() === now.getFullYear() ? "" : ` ${date.getFullYear()}`;
  const day = date.toDateString() === now.toDateString() ? "" : `${date.getDate()} ${month.format(date)}${year}, `;
  return day + time.format(date);
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
    element.title = element.dateTime;
    element.textContent = clockTime(date);
  }
  for (const element of root.querySelectorAll("[data-ago]")) ago(element);
};

export const tick = () => {
  for (const element of document.querySelectorAll("[data-ago]")) ago(element);
};
