// Theme, keyboard, relative times, what is at work. Every page works without this file.

const root = document.documentElement;
const one = (selector, within = document) => within.querySelector(selector);
const all = (selector, within = document) => [...within.querySelectorAll(selector)];

// ---- theme: the system's, unless the person chose; the choice is kept on this machine only ----

const THEME = "salus.theme";
const remembered = () => { try { return localStorage.getItem(THEME); } catch { return null; } };
const remember = (theme) => { try { localStorage.setItem(THEME, theme); } catch { /* private mode: this page only */ } };
const chosen = remembered();
if (chosen === "light" || chosen === "dark") root.dataset.theme = chosen;

const isDark = () => root.dataset.theme
  ? root.dataset.theme === "dark"
  : matchMedia("(prefers-color-scheme: dark)").matches;

function switchTheme() {
  root.dataset.theme = isDark() ? "light" : "dark";
  remember(root.dataset.theme);
}

// ---- relative times: the exact instant stays in `title` and `datetime` ----

const STEPS = [[60, "second"], [60, "minute"], [24, "hour"], [30.44, "day"], [12, "month"], [Infinity, "year"]];
const SHORT = { second: "s", minute: "min", hour: "h", day: "d", month: "mo", year: "y" };

function relative(seconds) {
  const future = seconds < 0;
  let amount = Math.abs(seconds);
  if (amount < 10) return "just now";
  for (const [size, unit] of STEPS) {
    if (amount < size) {
      const text = `${Math.floor(amount)} ${SHORT[unit]}`;
      return future ? `in ${text}` : `${text} ago`;
    }
    amount /= size;
  }
  return "";
}

// The server's clock counts: how far this machine's clock is off is taken from the page's own time.
function refreshTimes(offsetMs) {
  const now = Date.now() + offsetMs;
  for (const time of all("time[data-relative]")) {
    const at = Date.parse(time.dateTime);
    if (!Number.isNaN(at)) time.textContent = relative((now - at) / 1000);
  }
}

function keepTimesFresh() {
  const stamp = Date.parse(root.dataset.now ?? "");
  if (Number.isNaN(stamp)) return;
  const offsetMs = stamp - Date.now();
  setInterval(() => { if (!document.hidden) refreshTimes(offsetMs); }, 30_000);
}

// ---- keyboard ----

const ROWS = "[data-row]";
const isTyping = (target) =>
  target instanceof HTMLElement && (target.isContentEditable || /^(input|select|textarea)$/i.test(target.tagName));

function moveBy(step) {
  const rows = all(ROWS).filter((row) => row.offsetParent !== null);
  if (rows.length === 0) return;
  const at = rows.findIndex((row) => row.classList.contains("here"));
  const next = at < 0 ? (step > 0 ? 0 : rows.length - 1) : Math.min(rows.length - 1, Math.max(0, at + step));
  rows[at]?.classList.remove("here");
  rows[next].classList.add("here");
  one("a[href]", rows[next])?.focus({ preventScroll: true });
  rows[next].scrollIntoView({ block: "nearest" });
}

let going = 0; // when `g` was pressed, so that the next letter names a place

function goTo(letter) {
  const link = all("nav.rail a[data-key]").find((a) => a.dataset.key === letter);
  if (link) link.click();
  return Boolean(link);
}

const help = () => one("#help");

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape") { closeMenus(); return; }
  if (isTyping(event.target) || help()?.open) return;
  if (going && Date.now() - going < 1_500) {
    going = 0;
    if (goTo(event.key)) { event.preventDefault(); return; }
  }
  const actions = {
    "/": () => one("#find")?.select(),
    "j": () => moveBy(1),
    "k": () => moveBy(-1),
    "?": () => help()?.showModal(),
    "g": () => { going = Date.now(); },
    "t": switchTheme,
    "Enter": () => {
      // A link or button that has the focus is opened by the browser itself.
      if (document.activeElement === document.body) one(`${ROWS}.here a[href]`)?.click();
    },
  };
  if (!Object.hasOwn(actions, event.key)) return;
  if (event.key !== "Enter") event.preventDefault();
  actions[event.key]();
}

// ---- menus close when one looks away; dialogs close by their backdrop ----

function closeMenus(except) {
  for (const menu of all("details.menu[open]")) {
    if (menu === except) continue;
    const held = menu.contains(document.activeElement);
    menu.open = false;
    if (held) one("summary", menu)?.focus();
  }
}

function onClick(event) {
  const target = event.target;
  closeMenus(target.closest?.("details.menu") ?? undefined);
  if (target === help()) help().close();
  const action = target.closest?.("[data-do]")?.dataset.do;
  if (action === "theme") switchTheme();
  if (action === "help") help()?.showModal();
  if (action === "help-close") help()?.close();
  if (action === "copy") copyFrom(target.closest("[data-do]"));
}

async function copyFrom(button) {
  const source = document.getElementById(button.dataset.from);
  if (!source) return;
  const before = button.textContent;
  try {
    await navigator.clipboard.writeText(source.value ?? source.textContent);
    button.textContent = "Copied";
  } catch {
    source.select?.();
    button.textContent = "Press Ctrl+C";
  }
  setTimeout(() => { button.textContent = before; }, 2_000);
}

// ---- a changed type reloads the search page with that type's parameters ----

function onChange(event) {
  const form = event.target.closest?.("form");
  if (event.target.matches?.("[data-reload]") && form) {
    const url = new URL(location.pathname, location.origin);
    url.searchParams.set(event.target.name, event.target.value);
    location.assign(url);
  }
}

// ---- a part that is at work is fetched again while somebody looks; its state is said in words ----

const REFRESH_MS = 1_500;

function say(text) {
  const place = one("[data-live]");
  if (place && place.textContent !== text) place.textContent = text;
}

async function refreshOnce(part) {
  const answer = await fetch(part.dataset.refresh, { headers: { accept: "text/html" }, credentials: "same-origin" });
  if (!answer.ok) throw new Error(String(answer.status));
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.getElementById(part.id);
  if (!fresh) throw new Error("the part is gone");
  // What somebody holds open is not pulled away: a confirmation, a table, text being read by keyboard.
  const held = part.contains(document.activeElement) || all("details[open]", part).length > 0;
  if (held && fresh.dataset.refresh) return part;
  part.replaceWith(fresh);
  return fresh;
}

async function keepRefreshing() {
  let part = one("[data-refresh]");
  while (part?.dataset.refresh) {
    say(document.hidden ? "paused" : "live");
    await new Promise((done) => { setTimeout(done, REFRESH_MS); });
    if (document.hidden) continue;
    try {
      part = await refreshOnce(part);
    } catch {
      say("reconnecting");
    }
  }
}

function start() {
  for (const element of all("[data-script]")) element.hidden = false;
  document.addEventListener("keydown", onKey);
  document.addEventListener("click", onClick);
  document.addEventListener("change", onChange);
  keepTimesFresh();
  keepRefreshing();
}

if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
else start();
