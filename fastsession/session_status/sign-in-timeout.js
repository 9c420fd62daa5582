// Loads a sign-in page again that has been open too long: see "Timeout warning" in FastSession's documentation.
(() => {
  // Both as in session-timeout.js: neither markup of a comment nor a <base> leads away.
  const { src, dataset: data } = Reflect.get(Document.prototype, "currentScript", document);
  // Without a fragment, which would be a place on this page and load nothing.
  const url = new URL(data.signInUrl ?? "", location).href.split("#")[0];
  if (!url.startsWith(origin + "/")) throw Error("Foreign " + url);
  const home = new URL(data.statusUrl ?? src.split("/sign-in-timeout.js")[0], location);
  const limit = Number(data.reloadAfter ?? 600);
  if (!(limit >= 60)) throw Error("data-reload-after is a number of seconds, at least 60");
  let used;

  const use = () => (used = Date.now());
  const old = () => !document.hidden && Date.now() - used >= limit * 1e3;
  const read = () => fetch(home, { signal: AbortSignal.timeout(1e4) }).then((reply) => reply.ok && reply.json());

  // Timers stand still while a computer sleeps. What counts is the clock.
  async function check() {
    if (!old()) return;
    const status = await read().catch(() => {});
    // Somebody may have begun to type. Without an answer, there would be no page to load.
    if (status?.signed_in !== false || !old()) return;
    use();
    if (dispatchEvent(new CustomEvent("fastsession:stale", { cancelable: true }))) location.replace(url);
  }

  use();
  for (const type of ["input", "click", "submit"]) addEventListener(type, use, true);
  addEventListener("pageshow", check);
  addEventListener("visibilitychange", check);
  setInterval(check, 1e4);
})();
