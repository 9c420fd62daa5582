// A service worker that signs out when no page of the site is left: see "Timeout warning" in FastSession's documentation.
let latest;

addEventListener("message", (event) => event.waitUntil(check(event)));

async function check(event) {
  latest = event;
  // A page that is loaded again, or gives way to the next, is gone for a moment.
  await new Promise((resume) => setTimeout(resume, 3e3));
  if (event !== latest) return;
  // Pages of other sites, and those that are kept for Back, are not among them.
  const pages = await clients.matchAll({ includeUncontrolled: true });
  const home = location.href.split("/sign-out-on-close.js")[0];
  if (!pages.length) await fetch(home, { method: "DELETE", keepalive: true });
}
