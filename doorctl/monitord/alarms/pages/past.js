// The list of all alarms: its next page comes when its end comes into sight. Without it there is a link.

import { local } from "/clock.js";

const MOST = 2000;  // rows; beyond them the link leads to a page of its own, so that no tab holds a hundred thousand

export const scroll = (list, failed) => {
  const next = async (link) => {
    const answer = await fetch(link.href.replace("/past?", "/past/part?"), { signal: AbortSignal.timeout(10000) });
    if (!answer.ok) throw new Error(`the monitor answered ${answer.status}`);
    const holder = document.createElement("template");
    holder.innerHTML = await answer.text();
    local(holder.content);
    const had = document.activeElement === link;
    const first = holder.content.querySelector("a");
    link.closest("li").replaceWith(holder.content);
    if (had) first?.focus({ preventScroll: true });
    watch();
  };
  const sight = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      sight.disconnect();
      next(entry.target).catch((error) => failed(`Older alarms did not come: ${error.message}. The link below tries again.`));
    }
  }, { rootMargin: "1500px" });
  const watch = () => {
    const link = document.getElementById("older");
    if (link && list.children.length < MOST) sight.observe(link);
  };
  watch();
};
