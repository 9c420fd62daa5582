// Moves the timeline that the server has drawn. Without this script it stands still, and all the rest works.
"use strict";

const timeline = document.querySelector("[data-timeline]");
if (timeline) {
  const times = Object.fromEntries(
    ["created", "renewed", "now", "idle", "absolute"].map((name) => [name, Number(timeline.dataset[name])]),
  );
  const drawnAt = times.now;
  const loadedAt = Date.now();

  function tick() {
    // The server's clock, and wall time since: a laptop that slept has aged as well.
    times.now = drawnAt + Math.floor((Date.now() - loadedAt) / 1000);
    for (const track of timeline.querySelectorAll("svg.timeline")) move(track);
    for (const cell of timeline.querySelectorAll("[data-distance]")) {
      if (cell.dataset.distance !== "now") cell.textContent = distance(times[cell.dataset.distance] - times.now);
    }
    const at = timeline.querySelector('[data-distance="now"]').closest("tr").querySelector("time");
    at.dateTime = new Date(times.now * 1000).toISOString();
    at.textContent = at.dateTime.slice(0, 19).replace("T", " ") + " UTC";
    if (times.now >= Math.min(times.idle, times.absolute)) {
      const reason = times.idle < times.absolute ? "idle" : "absolute";
      timeline.querySelector("[data-over]").textContent =
        `The session is over: its next request will be expired_${reason}.`;
      clearInterval(clock);
    }
  }

  function move(track) {
    const from = times[track.dataset.from];
    const to = times[track.dataset.to];
    const share = Math.min(1, Math.max(0, (times.now - from) / Math.max(1, to - from)));
    const place = `${(100 * share).toFixed(2)}%`;
    track.querySelector("[data-passed]").setAttribute("width", place);
    track.querySelector('[data-mark="now"]').setAttribute("x", place);
  }

  function distance(seconds) {
    const length = Math.abs(seconds);
    const days = Math.floor(length / 86400);
    const parts = [Math.floor(length / 3600) % 24, Math.floor(length / 60) % 60, length % 60];
    const hours = parts.map((part, index) => (index ? String(part).padStart(2, "0") : part)).join(":");
    const text = days ? `${days} ${days === 1 ? "day" : "days"}, ${hours}` : hours;
    return seconds > 0 ? `in ${text}` : `${text} ago`;
  }

  const clock = setInterval(tick, 1000);
}

// After an experiment, readers and keyboards go on at its result.
document.getElementById("result")?.focus({ preventScroll: true });
