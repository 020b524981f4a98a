// The queue of questions: keys, time that runs out before one's eyes, and who else looks.
"use strict";

(() => {
  const MINUTE = 60000;
  const LOOK = 3000;
  const UNITS = [[24 * 60 * MINUTE, "day"], [60 * MINUTE, "hour"], [MINUTE, "minute"]];

  function told(left) {
    if (left <= 0) return "time is over";
    if (left < 10 * MINUTE) {
      const seconds = Math.floor(left / 1000);
      return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")} left`;
    }
    const parts = [];
    for (const [unit, word] of UNITS) {
      const count = Math.floor(left / unit);
      left %= unit;
      if (count) parts.push(`${count} ${word}${count === 1 ? "" : "s"}`);
    }
    return `${parts.slice(0, 2).join(" ")} left`;
  }

  function countDown() {
    for (const each of document.querySelectorAll("[data-until]")) {
      const left = new Date(each.dataset.until) - Date.now();
      const text = told(left);
      if (each.textContent !== text) each.textContent = text;
      each.classList.toggle("soon", left < 10 * MINUTE);
    }
  }

  function open(id) {
    const details = document.getElementById(id);
    if (!details) return false;
    details.open = true;
    const first = details.querySelector("input:not([type=hidden]), select, textarea");
    if (first) first.focus();
    return true;
  }

  function move(step) {
    const beside = document.querySelector(step > 0 ? "a[rel=next]" : "a[rel=prev]");
    const links = [...document.querySelectorAll("a[data-question]")];
    if (beside) beside.click();
    if (!links.length) return;
    const row = document.activeElement.closest("[id^=q]");
    const now = links.findIndex((link) => link === document.activeElement || (row && row.contains(link)));
    links[Math.min(links.length - 1, Math.max(0, now < 0 ? 0 : now + step))].focus();
  }

  function approve() {
    const tick = document.activeElement.closest("li, article")?.querySelector("input[name=item]");
    if (tick) tick.checked = !tick.checked;
    else document.querySelector("#answer button.yes")?.click();
  }

  const KEYS = {
    j: () => move(1),
    k: () => move(-1),
    a: approve,
    r: () => {
      if (document.getElementById("reject-reason")) document.getElementById("reject-reason").focus();
      else open(document.activeElement.closest("form")?.querySelector("details.reject")?.id);
    },
    e: () => open("edit") || open("edit-json"),
    "?": () => { const keys = document.getElementById("keys"); if (keys) keys.open = !keys.open; },
  };

  addEventListener("keydown", (event) => {
    const writing = event.target.closest("input:not([type=checkbox]), select, textarea");
    if (writing || event.ctrlKey || event.metaKey || event.altKey || event.repeat || !KEYS[event.key]) return;
    event.preventDefault();
    KEYS[event.key]();
  });
  // Whoever has a question open says so every few seconds, unless the tab is out of sight; and when they leave.
  function look() {
    if (!document.hidden && document.getElementById("lookers")) document.body.dispatchEvent(new CustomEvent("looking"));
  }

  addEventListener("load", look);
  addEventListener("pagehide", () => {
    const path = document.getElementById("lookers")?.getAttribute("hx-post");
    if (path) navigator.sendBeacon(`${path}-away`);
  });
  document.addEventListener("visibilitychange", look);
  setInterval(look, LOOK);
  document.addEventListener("htmx:after:swap", countDown);
  setInterval(countDown, 1000);
  countDown();
})();
