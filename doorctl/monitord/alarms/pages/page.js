// Live updates: an event says that something changed, and the list is fetched anew. Without this file the page works too.
"use strict";
(() => {
  const who = document.getElementById("who");
  const list = document.getElementById("list");
  const line = document.getElementById("line");
  const announcer = document.getElementById("announcer");
  const remembered = localStorage.getItem("who") || "";
  if (who) {
    who.value = remembered;
    who.addEventListener("input", () => localStorage.setItem("who", who.value));
  }

  document.addEventListener("submit", (event) => {
    const by = event.target.querySelector("input.by");
    if (by) by.value = who ? who.value : remembered;
  });

  const local = (root) => {
    for (const time of root.querySelectorAll("time")) {
      const date = new Date(time.dateTime);
      if (!Number.isNaN(date.getTime())) {
        time.title = time.dateTime;
        time.textContent = date.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" });
      }
    }
  };
  local(document);
  if (!list) return;

  const refresh = async () => {
    const answer = await fetch("/list");
    if (!answer.ok) return;
    const focused = document.activeElement && list.contains(document.activeElement)
      ? document.activeElement.closest("article")?.getAttribute("aria-labelledby") : null;
    const text = await answer.text();
    list.replaceChildren(...new DOMParser().parseFromString(text, "text/html").body.childNodes);
    local(list);
    const waiting = list.querySelectorAll("article.alarm").length;
    document.title = waiting ? `(${waiting}) doorctl monitor` : "doorctl monitor";
    if (focused) document.getElementById(focused)?.closest("article")?.querySelector("button")?.focus();
  };

  const events = new EventSource(`/api/events?after=${document.body.dataset.change}`);
  let asked = null;
  events.addEventListener("open", () => { line.textContent = "live"; line.className = ""; });
  events.addEventListener("error", () => { line.textContent = "no connection to the monitor"; line.className = "cut"; });
  events.addEventListener("alarm", (event) => {
    const alarm = JSON.parse(event.data);
    if (alarm.state === "new") announcer.textContent = `${alarm.title}: ${alarm.text}`;
    clearTimeout(asked);
    asked = setTimeout(refresh, 50);
  });
  setInterval(refresh, 15000);
})();
