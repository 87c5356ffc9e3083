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
  for (const target of all("[data-target]")) {
    const left = (Date.parse(target.dataset.target) - now) / 1000;
    const text = span(Math.abs(left));
    target.replaceChildren();
    if (left >= 0) { target.textContent = `${text} left`; continue; }
    const late = document.createElement("strong");
    late.className = "overdue";
    late.textContent = `overdue by ${text}`;
    target.append(late);
    target.closest("tr")?.classList.add("late");
  }
}

function span(seconds) {
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600)} h ${Math.floor(seconds % 3_600 / 60)} min`;
  return `${Math.floor(seconds / 86_400)} d`;
}

function keepTimesFresh() {
  const stamp = Date.parse(root.dataset.now ?? "");
  if (Number.isNaN(stamp)) return;
  const offsetMs = stamp - Date.now();
  setInterval(() => { if (!document.hidden) refreshTimes(offsetMs); }, 10_000);
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
  if (event.key === "Escape") {
    closeMenus();
    // `/` leads into the field: there is a way out, so that letters are keys again.
    if (event.target === one("#find")) event.target.blur();
    return;
  }
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
    "a": () => act("a"),
    "e": () => act("e"),
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
  setTimeout(release, 0);
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
  if (action === "pause") pause(target.closest("[data-do]"));
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

// ---- one stream per tab: what changed comes as a piece of the page and is swapped by its id ----

const RETRY_MS = 2_000;
let source;
let cursor = "";
let isPaused = false;
const held = new Map(); // pieces that came while somebody was writing in the old one

function connect() {
  const part = one("[data-stream]");
  if (!part || source || isPaused || document.hidden) return;
  const address = new URL(part.dataset.stream, location.origin);
  if (cursor) address.searchParams.set("after", cursor);
  source = new EventSource(address);
  const seen = (event) => { if (event.lastEventId) cursor = event.lastEventId; };
  source.addEventListener("open", () => say("live"));
  source.addEventListener("fragment", (event) => { seen(event); swap(event.data); });
  source.addEventListener("cursor", seen);
  source.addEventListener("resync", () => location.reload());
  source.addEventListener("error", () => {
    say("reconnecting");
    // The browser tries again by itself, unless the answer was a refusal.
    if (source?.readyState === EventSource.CLOSED) { source = undefined; setTimeout(connect, RETRY_MS); }
  });
}

function disconnect() {
  source?.close();
  source = undefined;
  if (one("[data-stream]")) say("paused");
}

function pause(button) {
  isPaused = !isPaused;
  button.setAttribute("aria-pressed", String(isPaused));
  button.textContent = isPaused ? "Resume" : "Pause";
  if (isPaused) disconnect(); else connect();
}

// What somebody holds open or writes in is not pulled away.
const isHeld = (element) => all("details[open]", element).length > 0
  || (element.contains(document.activeElement) && isTyping(document.activeElement) && document.activeElement.type !== "checkbox");

function swap(html) {
  const holder = document.createElement("template");
  holder.innerHTML = html;
  const fresh = holder.content.firstElementChild;
  if (!fresh?.id) return;
  const old = document.getElementById(fresh.id);
  if (old && isHeld(old)) { held.set(fresh.id, html); return; }
  held.delete(fresh.id);
  if (old) replace(old, fresh); else grow(fresh);
  place(fresh);
}

function replace(old, fresh) {
  const hadFocus = old.contains(document.activeElement);
  if (old.classList.contains("here")) fresh.classList.add("here");
  const [was, is] = [one("input[type=checkbox]", old), one("input[type=checkbox]", fresh)];
  if (was && is) is.checked = was.checked;
  old.replaceWith(fresh);
  if (hadFocus) one("a[href]", fresh)?.focus({ preventScroll: true });
}

function grow(fresh) {
  const list = all("[data-grows]").find((list) => fresh.id.startsWith(list.dataset.grows));
  if (!list) return;
  list.prepend(fresh);
  for (const part of all("[data-when-empty]")) if (part.dataset.whenEmpty === list.id) part.hidden = true;
  for (const part of all("[data-when-full]")) if (part.dataset.whenFull === list.id) part.hidden = false;
}

// A ranked list stays in order; what has the focus stays where it is.
function place(fresh) {
  const list = fresh.parentElement;
  if (!list?.matches("[data-ranked]") || fresh.contains(document.activeElement)) return;
  const rank = (element) => Number(element.dataset.rank ?? 0);
  const before = [...list.children].find((other) => other !== fresh && rank(other) < rank(fresh));
  if (fresh.nextElementSibling !== (before ?? null)) list.insertBefore(fresh, before ?? null);
}

function release() {
  for (const [id, html] of held) {
    const old = document.getElementById(id);
    if (!old || !isHeld(old)) swap(html);
  }
}

// ---- acting on alerts: while the stream is live it brings the changed row, and the page stays where it is ----

function act(key) {
  const button = one(`${ROWS}.here [data-act="${key}"]`) ?? one(`.person [data-act="${key}"]`);
  button?.form?.requestSubmit(button);
}

async function onSubmit(event) {
  const [form, button] = [event.target, event.submitter];
  if (source?.readyState !== EventSource.OPEN || !form.matches("form[action='/alerts/act']")) return;
  event.preventDefault();
  const body = new URLSearchParams(new FormData(form, button));
  try {
    const answer = await fetch(form.action, { method: "POST", body, credentials: "same-origin", redirect: "manual" });
    if (answer.type !== "opaqueredirect") throw new Error(String(answer.status));
    for (const open of all("details[open]", form.closest(ROWS) ?? form)) open.open = false;
    form.closest("details")?.removeAttribute("open");
    release();
  } catch {
    document.removeEventListener("submit", onSubmit);
    form.requestSubmit(button); // the page of the refusal says why
  }
}

function start() {
  for (const element of all("[data-script]")) element.hidden = false;
  document.addEventListener("keydown", onKey);
  document.addEventListener("click", onClick);
  document.addEventListener("change", onChange);
  document.addEventListener("submit", onSubmit);
  document.addEventListener("focusout", () => setTimeout(release, 0));
  document.addEventListener("visibilitychange", () => { if (document.hidden) disconnect(); else connect(); });
  keepTimesFresh();
  keepRefreshing();
  connect();
}

if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
else start();
