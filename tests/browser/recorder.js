// Notes every change under a root from the last key on: where, what, to what, and how long after the last hand on the
// door, a key or a leaf. Defines startRecorder, play and sightings; knows nothing of what a change means.
(() => {
  const HANDS = "[data-key], [data-card], [data-act]";
  const FLASH_MS = 250; // a key shows that it was pressed, and which one differs between any two codes
  const MASKED = new Set(["data-log-row", "id"]); // numbers that count up

  const isClock = (node) => Boolean((node.nodeType === 1 ? node : node.parentElement)?.closest(".clock"));

  // A name that is the same for the same thing in another visit: its data attribute, or its place.
  function step(element) {
    for (const { name, value } of element.attributes)
      if (name.startsWith("data-") && !MASKED.has(name))
        return name === "data-door" || name === "data-view" || name === "data-act" || name === "data-rig"
          ? `[${name}=${value}]` : `[${name}]`;
    if (element.hasAttribute("data-log-row")) return "[data-log-row]";
    const alike = [...element.parentElement.children].filter((one) => one.tagName === element.tagName);
    return `${element.localName}:${alike.indexOf(element) + 1}`;
  }

  function path(node, root) {
    const steps = [];
    for (let at = node; at && at !== root; at = at.parentElement) steps.unshift(at.parentElement ? step(at) : "gone");
    return steps.join(" ") || "root";
  }

  function masked(node) {
    if (isClock(node)) return "(clock)";
    if (node.nodeType !== 1) return node.textContent;
    const copy = node.cloneNode(true);
    for (const clock of copy.querySelectorAll(".clock")) {
      clock.textContent = "(clock)";
      for (const name of ["datetime", "title"]) clock.removeAttribute(name);
    }
    for (const one of [copy, ...copy.querySelectorAll("*")])
      for (const name of MASKED) if (one.hasAttribute(name)) one.setAttribute(name, "(number)");
    return copy.outerHTML;
  }

  // What pictures leave out: clocks, the log's lines from before, and what would stick before the view as it is scrolled.
  // A sheet of the page's own making passes its policy.
  const sheet = new CSSStyleSheet();
  document.adoptedStyleSheets.push(sheet);
  function cover(root) {
    const before = [...root.querySelectorAll("[data-log-row]")]
      .map((row) => `[data-log-row="${CSS.escape(row.dataset.logRow)}"] { display: none !important }`);
    const masks = [".clock", "body > :not([data-view], :has([data-view]))"];
    sheet.replaceSync([...masks.map((one) => `${one} { visibility: hidden !important }`), ...before].join("\n"));
  }

  function start(selector) {
    const root = document.querySelector(selector);
    cover(root);
    let changes = [];
    let last = { at: performance.now(), key: false };
    let changed = last.at;

    const touch = (event) => {
      const hand = event.target.closest(HANDS);
      if (!hand) return;
      last = { at: performance.now(), key: hand.hasAttribute("data-key") };
      if (!last.key) return;
      observer.takeRecords();
      changes = []; // it was not the last key yet: how a finger types is not what the door answers
    };
    root.addEventListener("click", touch, true);

    const note = (node, what, value, now) => {
      if (isClock(node)) return;
      const element = node.nodeType === 1 ? node : node.parentElement;
      if (element?.closest("[data-key]") && last.key && now - last.at < FLASH_MS) return;
      changed = now;
      changes.push({ where: path(element, root), what, value, since_ms: now - last.at, at_ms: now });
    };
    const take = (records) => {
      const now = performance.now();
      for (const { type, target, attributeName, addedNodes, removedNodes } of records) {
        if (type === "attributes") {
          const value = MASKED.has(attributeName) ? "(number)" : target.getAttribute(attributeName);
          note(target, `@${attributeName}`, value, now);
        } else if (type === "characterData") {
          note(target, "text", target.data, now);
        } else if ([...addedNodes, ...removedNodes].every((node) => node.nodeType === 3)) {
          note(target, "text", target.textContent, now);
        } else {
          for (const node of removedNodes) note(target, "removed", masked(node), now);
          for (const node of addedNodes) note(target, "added", masked(node), now);
        }
      }
    };
    const observer = new MutationObserver(take);
    observer.observe(root, { subtree: true, attributes: true, characterData: true, childList: true });

    window.recorder = {
      quiet_ms: () => performance.now() - changed,
      stop: () => {
        take(observer.takeRecords());
        observer.disconnect();
        sheet.replaceSync("");
        root.removeEventListener("click", touch, true);
        return changes;
      },
    };
  }

  // Hands of an even pace: [what, at_ms] each.
  async function play(door, touches) {
    const begin = performance.now();
    for (const [what, at_ms] of touches) {
      await new Promise((resume) => setTimeout(resume, begin + at_ms - performance.now()));
      document.querySelector(`section[data-door="${door}"] ${what}`).click();
    }
  }

  // When the door's answer and alarms show, whatever the view they show in.
  function watch(root) {
    const seen = { released: [], alarms: {} };
    const look = () => {
      const now = performance.now();
      for (const door of root.querySelectorAll("[data-door]")) {
        const released = Boolean(door.querySelector('[data-strike="released"]'));
        const last = seen.released.findLast((one) => one.door === door.dataset.door);
        if (released !== Boolean(last && last.until === null)) {
          if (released) seen.released.push({ door: door.dataset.door, at_ms: now, until: null });
          else last.until = now;
        }
      }
      for (const alarm of root.querySelectorAll("[data-alarm]"))
        seen.alarms[alarm.dataset.alarm] ??= { kind: alarm.dataset.kind, at_ms: now };
    };
    look();
    new MutationObserver(look).observe(root, { subtree: true, attributes: true, childList: true });
    return seen;
  }

  window.startRecorder = start;
  window.play = play;
  window.sightings = watch(document);
})();
