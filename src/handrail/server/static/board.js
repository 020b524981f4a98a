// What every page does on its own: keep its parts fresh by one stream, and tell times in the reader's zone.
"use strict";

(() => {
  const MEASURES = ["actions", "questions", "standings", "budgets", "halts", "ladder", "policy", "sessions", "calls", "people", "payloads"];
  const GAP = 250; // milliseconds between two fetches for the same reason, however much happens
  const AGAIN = 3000;
  const UNSEEN = 30000; // a browser has six connections to a server: tabs that nobody sees give theirs back

  const full = new Intl.DateTimeFormat(undefined, {
    weekday: "short", day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", timeZoneName: "short",
  });
  const short = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });

  const row = new Intl.DateTimeFormat(undefined, {
    day: "2-digit", month: "short", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23",
  });

  function tellTimes() {
    for (const time of document.querySelectorAll("time[datetime]")) {
      const at = new Date(time.dateTime);
      const text = ("short" in time.dataset ? short : "row" in time.dataset ? row : full).format(at);
      if (time.textContent !== text) time.textContent = text;
    }
  }

  // A first change is told at once; what follows is gathered, the longer the slower the server answers.
  const waiting = new Map();
  let slowest = 0;
  let begun = 0;

  function tell(measure, news) {
    const known = waiting.get(measure);
    if (known) {
      known.more = true;
      known.news = news;
      return;
    }
    document.body.dispatchEvent(new CustomEvent(measure, { detail: { news } }));
    const entry = { more: false };
    waiting.set(measure, entry);
    setTimeout(() => {
      waiting.delete(measure);
      if (entry.more) tell(measure, entry.news);
    }, Math.max(GAP, 4 * slowest));
  }

  // One change is often told in several words, under one id: a part that was fetched since is not fetched again.
  const fresh = new WeakMap();
  const newsOf = (context) => context?.sourceEvent?.detail?.news;

  function listen() {
    const since = document.body.dataset.cursor;
    const badge = document.getElementById("live");
    if (since === undefined || badge === null) return;
    let lost = null;
    let current = null;
    let leaving = 0;

    function connect(url) {
      const stream = current = new EventSource(url);
      stream.onopen = () => {
        badge.textContent = "live";
        badge.className = "live";
        if (lost !== null) tell("all");
        lost = null;
      };
      stream.onerror = () => {
        if (lost === null) {
          lost = new Date();
          badge.textContent = `not live since ${short.format(lost)}`;
          badge.className = "live lost";
        }
        // the browser comes back by itself, but not after an answer that was no stream
        if (stream === current && stream.readyState === EventSource.CLOSED) setTimeout(() => { tell("all"); if (stream === current) connect("/live"); }, AGAIN);
      };
      stream.addEventListener("dropped", () => tell("all"));
      for (const measure of MEASURES) stream.addEventListener(measure, (event) => tell(measure, event.lastEventId || undefined));
    }

    addEventListener("pagehide", () => current?.close());
    document.addEventListener("visibilitychange", () => {
      clearTimeout(leaving);
      if (document.hidden) {
        leaving = setTimeout(() => { current?.close(); current = null; }, UNSEEN);
      } else if (current === null) {
        connect("/live");
        tell("all");
      }
    });

    connect(`/live?since=${encodeURIComponent(since)}`);
  }

  document.addEventListener("htmx:before:request", (event) => {
    const context = event.detail?.ctx, news = newsOf(context);
    if (news !== undefined && fresh.get(context.sourceElement) === news) event.preventDefault();
    else begun = performance.now();
  });
  document.addEventListener("htmx:after:swap", (event) => {
    const context = event.detail?.ctx, news = newsOf(context);
    if (news !== undefined) fresh.set(context.sourceElement, news);
    slowest = Math.min(5000, performance.now() - begun);
    tellTimes();
  });
  // a page that comes back from the browser's memory is old, and its stream is closed
  addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
  tellTimes();
  listen();
})();
