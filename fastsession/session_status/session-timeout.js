// Warns before a session ends: see "Timeout warning" in FastSession's documentation.
(() => {
  // Not document.currentScript, in whose place markup of a comment can be: <img name="currentScript">.
  const { src, dataset: data } = Reflect.get(Document.prototype, "currentScript", document);
  // Against the page's address, because a <base> can come from such markup too. Empty is this page.
  const url = new URL(data.signInUrl ?? "", location).href;
  if (!url.startsWith(origin + "/")) throw Error("Foreign " + url);
  const home = new URL(data.statusUrl ?? src.split("/session-timeout.js")[0], location);
  const config = {
    message: "You will be signed out in {time}.",
    stay: "Stay signed in",
    close: "Close",
    signOut: "Sign out",
    ...data,
  };
  const tabs = new BroadcastChannel(home);
  let dialog, line, timer, due, ends, warned, last, worker, led;
  let { signedIn } = data;

  const now = () => Date.now() / 1e3;
  const ask = (method) => fetch(home, { method, signal: AbortSignal.timeout(1e4) });
  const tell = (name, detail) =>
    dispatchEvent(new CustomEvent("fastsession:" + name, { cancelable: 1, detail }));
  const make = (tag, rest) => Object.assign(document.createElement(tag), rest);
  const hide = () => dialog?.close(1);

  async function check() {
    clearTimeout(timer);
    const asked = (last = ask("GET"));
    const status = await asked.then((reply) => reply.ok && reply.json()).catch(() => {});
    // Who asked again meanwhile gets the newer answer.
    if (asked !== last) return;
    // A broken connection signs nobody out.
    if (!status) wait(10);
    else if (status.signed_in) follow(status);
    else if (signedIn) {
      signedIn = 0;
      hide();
      if (tell("ended")) location.replace(url);
    }
  }

  function follow(status) {
    const left = Math.min(status.idle_left, status.absolute_left);
    const calm = left - (config.warnBefore ?? status.warn_before);
    signedIn = 1;
    ends = now() + left;
    if (calm > 0) {
      warned = 0;
      hide();
      tell("active");
    } else if (!warned) {
      warned = 1;
      warn(left, status.can_renew);
    }
    wait(calm > 0 ? calm : Math.min(left, 10));
  }

  function wait(rest) {
    due = now() + rest;
    tick();
  }

  // Timers stand still while a computer sleeps. What counts is the clock, looked at every minute.
  function tick() {
    const rest = due - now();
    if (rest <= 0) return check();
    if (dialog?.open) count();
    timer = setTimeout(tick, 1e3 * Math.min(rest, dialog?.open ? 0.5 : 60));
  }

  function count() {
    const left = Math.max(0, Math.ceil(ends - now()));
    // A screen reader says it every half minute.
    line.ariaLive = left % 30 ? "off" : "polite";
    line.textContent = config.message.replace("{time}", ((left / 60) | 0) + ":" + `${left % 60}`.padStart(2, 0));
  }

  async function act(method) {
    hide();
    await ask(method).catch(() => {});
    // If this changed nothing, there is another warning.
    warned = 0;
    tabs.postMessage(0);
    check();
  }

  function warn(left, canRenew) {
    const stay = () => act("POST");
    const signOut = () => act("DELETE");
    if (!tell("warning", { left, canRenew, stay, signOut })) return;
    const button = (textContent, onclick) => make("button", { textContent, onclick });
    line = make("p", { id: "session-timeout", role: "timer" });
    dialog = make("dialog", { className: line.id, role: "alertdialog" });
    dialog.setAttribute("aria-labelledby", line.id);
    dialog.append(
      line,
      canRenew ? button(config.stay, stay) : button(config.close, hide),
      " ",
      button(config.signOut, signOut),
    );
    dialog.onclose = () => {
      dialog.remove();
      // Escape leaves no value.
      if (canRenew && !dialog.returnValue) stay();
    };
    document.body.append(dialog);
    dialog.showModal();
  }

  // No page outlives the last tab. A service worker does, and the browser tells it which pages are left.
  async function signOutOnClose() {
    const rules = { createScriptURL: String };
    const policy = self.trustedTypes?.createPolicy("fastsession", rules) ?? rules;
    addEventListener("pagehide", ({ persisted }) => {
      // A page kept for Back is not closed. Nor is one that a link, a form or a script leads away from.
      if (signedIn && !persisted && !(now() - led < 30)) worker?.active?.postMessage(0);
    });
    self.navigation?.addEventListener("navigate", ({ destination, downloadRequest }) => {
      if (!destination.sameDocument && downloadRequest == null) led = now();
    });
    worker = await navigator.serviceWorker?.register(policy.createScriptURL(home + "/sign-out-on-close.js"));
  }

  tabs.onmessage = check;
  addEventListener("pageshow", check);
  addEventListener("visibilitychange", () => document.hidden || check());
  addEventListener("fastsession:check", check);
  if ((data.signOutOnClose ?? "false") != "false") signOutOnClose();
})();
