// Warns before a session ends: see "Timeout warning" in FastSession's documentation.
(() => {
  const { src, dataset } = document.currentScript;
  const config = {
    statusUrl: src.split("/session-timeout.js")[0],
    signInUrl: location.href.split("#")[0],
    message: "You will be signed out in {time}.",
    stay: "Stay signed in",
    close: "Close",
    signOut: "Sign out",
    ...dataset,
  };
  const channel = new BroadcastChannel(config.statusUrl);
  let dialog, message, timer, due, ends, warned, latest;
  let { signedIn } = dataset;

  const now = () => Date.now() / 1000;
  const ask = (method) => fetch(config.statusUrl, { method, signal: AbortSignal.timeout(10000) });
  const tell = (name, detail) =>
    dispatchEvent(new CustomEvent("fastsession:" + name, { cancelable: true, detail }));
  const make = (tag, properties) => Object.assign(document.createElement(tag), properties);
  const hide = () => dialog?.close("hidden");

  async function check() {
    clearTimeout(timer);
    const asked = (latest = ask("GET"));
    const status = await asked.then((answer) => answer.ok && answer.json()).catch(() => {});
    // Who asked again meanwhile gets the newer answer.
    if (asked !== latest) return;
    // A broken connection signs nobody out.
    if (!status) wait(10);
    else if (status.signed_in) follow(status);
    else if (signedIn) {
      signedIn = false;
      hide();
      if (tell("ended")) location.replace(config.signInUrl);
    }
  }

  function follow(status) {
    const left = Math.min(status.idle_left, status.absolute_left);
    const calm = left - (config.warnBefore ?? status.warn_before);
    signedIn = true;
    ends = now() + left;
    if (calm > 0) {
      warned = false;
      hide();
      tell("active");
    } else if (!warned) {
      warned = true;
      warn(left, status.can_renew);
    }
    wait(calm > 0 ? calm : Math.min(left, 10));
  }

  function wait(seconds) {
    due = now() + seconds;
    tick();
  }

  // Timers stand still while a computer sleeps. What counts is the clock, looked at every minute.
  function tick() {
    const rest = due - now();
    if (rest <= 0) return check();
    if (dialog?.open) count();
    timer = setTimeout(tick, 1000 * Math.min(rest, dialog?.open ? 0.5 : 60));
  }

  function count() {
    const left = Math.max(0, Math.ceil(ends - now()));
    const time = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, 0)}`;
    // A screen reader says it every half minute.
    message.ariaLive = left % 30 ? "off" : "polite";
    message.textContent = config.message.replace("{time}", time);
  }

  async function act(method) {
    hide();
    await ask(method).catch(() => {});
    // If this changed nothing, there is another warning.
    warned = false;
    channel.postMessage(method);
    check();
  }

  function warn(left, canRenew) {
    const stay = () => act("POST");
    const signOut = () => act("DELETE");
    if (!tell("warning", { left, canRenew, stay, signOut })) return;
    const button = (textContent, onclick) => make("button", { textContent, onclick });
    message = make("p", { id: "session-timeout", role: "timer" });
    dialog = make("dialog", { className: message.id, role: "alertdialog" });
    dialog.setAttribute("aria-labelledby", message.id);
    dialog.append(
      message,
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

  channel.onmessage = check;
  addEventListener("pageshow", check);
  addEventListener("visibilitychange", () => document.hidden || check());
  addEventListener("fastsession:check", check);
})();
