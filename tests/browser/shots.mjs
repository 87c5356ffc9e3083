// Drives a real browser over the pages of a running server: every page, light and dark, at two widths, with and without script.
//
//   node shots.mjs SIGN_IN_LINK FOLDER
//
// Writes one picture per page, width and theme into FOLDER, and a summary as JSON to standard output. Every problem is a line on
// standard error, and one problem is enough for exit code 1. SALUS_BROWSER_PACKAGES names the node_modules folder with
// playwright-core and axe-core; SALUS_CHROMIUM the browser.

import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const [link, folder] = process.argv.slice(2);
const packages = process.env.SALUS_BROWSER_PACKAGES ?? join(import.meta.dirname, "node_modules");
const require = createRequire(join(packages, "here.js"));
const { chromium } = require("playwright-core");
const axeSource = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const origin = new URL(link).origin;
const sizes = [{ width: 1440, height: 900 }, { width: 390, height: 844 }];
const schemes = ["light", "dark"];
const problems = [];
// Nothing is judged by its time: a machine may be busy with other things. What never comes is given up.
const PATIENCE_MS = 180_000;
const problem = (where, what) => { problems.push(`${where}: ${what}`); };
const check = (condition, where, what) => { if (!condition) problem(where, what); };
let axeRuns = 0;
let requests = 0;

mkdirSync(folder, { recursive: true });
const browser = await chromium.launch({
  executablePath: process.env.SALUS_CHROMIUM || "/usr/bin/chromium",
  timeout: PATIENCE_MS,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync"],
});

// A page that reports what goes wrong on it.
async function open(context, name) {
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  page.expectedStatus = 200;
  page.on("console", (message) => {
    if (!["error", "warning"].includes(message.type())) return;
    // The browser reports a refused page as an error of its own; where one is wanted, it is the point.
    if (page.expectedStatus !== 200 && message.text().startsWith("Failed to load resource")) return;
    problem(name, `console: ${message.text()}`);
  });
  page.on("pageerror", (error) => problem(name, `script: ${error}`));
  page.on("request", (request) => {
    requests += 1;
    const url = new URL(request.url());
    check(url.origin === origin || url.protocol === "data:", name, `a request left for ${url.origin}`);
  });
  return page;
}

async function visit(page, path, status = 200) {
  page.expectedStatus = status;
  const response = await page.goto(new URL(path, origin).href, { waitUntil: "load" });
  check(response.status() === status, path, `status ${response.status()}, not ${status}`);
  const headers = response.headers();
  check(headers["content-security-policy"]?.startsWith("default-src 'none'"), path, "no strict policy");
  check(headers["cache-control"] === "no-store", path, `cache-control is ${headers["cache-control"]}`);
  check(headers["referrer-policy"] === "no-referrer", path, "addresses may be told to others");
  return response;
}

// The checker runs through the debugger, because the pages' policy lets no foreign script in.
async function accessible(page, name) {
  const session = await page.context().newCDPSession(page);
  await session.send("Runtime.evaluate", { expression: axeSource });
  const expression = "axe.run(document, { resultTypes: ['violations'] }).then((r) => JSON.stringify(r.violations))";
  const { result } = await session.send("Runtime.evaluate", { expression, awaitPromise: true });
  for (const found of JSON.parse(result.value)) {
    const places = found.nodes.slice(0, 3).map((node) => node.target.join(" ")).join(", ");
    problem(name, `axe ${found.id} (${found.impact}): ${found.help}: ${places}`);
  }
  axeRuns += 1;
  await session.detach();
}

async function look(page, name, size, scheme) {
  const place = `${name} ${scheme} ${size.width}`;
  const wider = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  check(wider <= 0, place, `scrolls sideways by ${wider} px`);
  await page.screenshot({ path: join(folder, `${name}-${scheme}-${size.width}.png`) });
  await accessible(page, place);
}

// Signs in once and keeps the session for every later browser window.
async function signIn() {
  const context = await browser.newContext();
  const page = await open(context, "sign-in");
  await visit(page, "/", 401);
  await accessible(page, "sign-in needed");
  page.expectedStatus = 200;
  await page.goto(link);
  const button = page.locator("main form button");
  if (await button.count()) {
    await accessible(page, "sign-in");
    await Promise.all([page.waitForURL(`${origin}/`), button.click()]);
  }
  check(new URL(page.url()).pathname === "/", "sign-in", `led to ${new URL(page.url()).pathname}`);
  const cookies = await context.cookies();
  check(cookies.some((c) => c.httpOnly && c.sameSite === "Strict"), "sign-in", "the session's cookie is open to scripts or other sites");
  const state = await context.storageState();
  await visit(page, "/auth/link?token=used", await usedStatus(page));
  await context.close();
  return state;
}

// A used or unknown link opens nothing: whatever page is shown, it is no overview.
async function usedStatus(page) {
  page.expectedStatus = 0;
  const response = await page.goto(`${origin}/auth/link?token=used`);
  check(!(await page.locator("nav.rail").count()), "used link", "it opened a session");
  return response.status();
}

// Addresses of one patient and one resource with more than one version, found as a person finds them.
async function explore(state) {
  const context = await browser.newContext({ storageState: state, viewport: sizes[0] });
  const page = await open(context, "explore");
  await visit(page, "/patients");
  // Somebody old has the longest record.
  await page.fill("#born", "lt1965");
  await Promise.all([page.waitForURL(/\/patients\?/), page.click("main form button.primary")]);
  const patient = await page.locator("tr[data-row] a.main").first().getAttribute("href");
  const name = (await page.locator("tr[data-row] a.main").first().innerText()).split("\n").at(-1);
  await visit(page, patient);
  const event = await page.locator(".timeline a").first().getAttribute("href");
  await context.close();
  return { patient, event, family: name.split(",")[0].trim() };
}

async function filtering(state, family) {
  for (const javaScriptEnabled of [true, false]) {
    const place = javaScriptEnabled ? "filter" : "filter without script";
    const context = await browser.newContext({ storageState: state, javaScriptEnabled, viewport: sizes[0] });
    const page = await open(context, place);
    await visit(page, "/patients");
    await page.fill("#name", family);
    await Promise.all([page.waitForURL(/\/patients\?/), page.click("main form button.primary")]);
    check(!page.url().includes(family), place, "a name stands in the address");
    const rows = await page.locator("tr[data-row]").count();
    check(rows > 0, place, "nobody was found");
    const names = await page.locator("tr[data-row] a.main").allInnerTexts();
    check(names.every((text) => text.includes(family)), place, "somebody else was found");
    check((await page.inputValue("#name")) === family, place, "the filter is not shown");
    await Promise.all([page.waitForURL(/\/patients\?/), (async () => { await page.fill("#find", family); await page.press("#find", "Enter"); })()]);
    check(!page.url().includes(family), place, "the name of the top field stands in the address");
    await page.fill("#find", "Patient/nobody");
    page.expectedStatus = 404;
    await Promise.all([page.waitForURL(/\/resources\/Patient\/nobody/), page.press("#find", "Enter")]);
    check(await page.locator("h1").count() === 1, place, "no page says that the resource is unknown");
    await context.close();
  }
}

async function searching(state) {
  const context = await browser.newContext({ storageState: state, viewport: sizes[0] });
  const page = await open(context, "search");
  await visit(page, "/search");
  await Promise.all([page.waitForURL(/type=Observation/), page.selectOption("#type", "Observation")]);
  check(await page.locator("#params option").count() > 10, "search", "no hints");
  await page.locator("input[name=name]").first().fill("status");
  await page.locator("input[name=value]").first().fill("final");
  await Promise.all([page.waitForURL(/q=/), page.click("main form button.primary")]);
  check(await page.locator("tr[data-row]").count() > 0, "search", "nothing was found");
  const shared = page.url();
  const next = page.locator("nav.pager a[rel=next]");
  check(await next.count() === 1, "search", "no next page");
  const firstRow = await page.locator("tr[data-row] a.main").first().getAttribute("href");
  await Promise.all([page.waitForURL(/cursor=/), next.click()]);
  check(await page.locator("tr[data-row] a.main").first().getAttribute("href") !== firstRow, "search", "the next page is the same");
  page.expectedStatus = 400;
  await page.goto(shared.replace(/q=.*/, "q=color%3Dred"));
  check(/color/.test(await page.locator("[role=alert]").innerText()), "search", "an unknown parameter is not named");
  await accessible(page, "search with a problem");
  await context.close();
  return new URL(shared).pathname + new URL(shared).search;
}

// A pipeline as an engineer meets it: started from the list, watched, its row opened, run again. Addresses of what there is to see.
async function pipelines(state) {
  const context = await browser.newContext({ storageState: state, viewport: sizes[0], colorScheme: "light" });
  const page = await open(context, "pipelines");
  await visit(page, "/pipelines");
  check(/\d+:\d+/.test(await page.locator(".faults").innerText()), "pipelines", "a wrong file does not say where");
  const start = page.locator("form[action='/pipelines/labs/run'] button");
  if (await start.count() === 0) { await context.close(); return []; }
  await Promise.all([page.waitForURL(/\/runs\/.+/), start.click()]);
  check(await page.locator("#run[data-refresh]").count() === 1, "run", "it is not shown as it works");
  await accessible(page, "run at work");
  await page.screenshot({ path: join(folder, "run-live-light-1440.png") });
  await page.waitForSelector("#run:not([data-refresh])", { timeout: PATIENCE_MS });
  check(await page.locator("#summary .chip").innerText().then((text) => text.includes("completed")), "run", "it did not complete");
  check(await page.locator(".sum .chip.good").count() >= 2, "run", "a sum does not hold");
  const run = new URL(page.url()).pathname;
  const rows = `/quarantine?run=${run.split("/").at(-1)}`;
  await visit(page, rows);
  await page.locator("section[aria-labelledby=rows] details.confirm summary").first().click();
  await accessible(page, "quarantine, about to open");
  await Promise.all([page.waitForURL(/\/open$/), page.locator("section[aria-labelledby=rows] details.confirm[open] button").click()]);
  check((await page.locator(".opened pre").innerText()).includes("Zabriskie"), "quarantine", "the row is not shown");
  await accessible(page, "quarantine, opened");
  await page.screenshot({ path: join(folder, "quarantine-opened-light-1440.png") });
  await visit(page, rows);
  check(!(await page.content()).includes("Zabriskie"), "quarantine", "a value stands in the list");
  await page.locator("section[aria-labelledby=counts] details.confirm summary").first().click();
  await Promise.all([page.waitForURL(/\/runs\/.+/), page.locator("section[aria-labelledby=counts] details.confirm[open] button").click()]);
  check(new URL(page.url()).pathname !== run, "replay", "no new run was shown");
  await page.waitForSelector("#run:not([data-refresh])", { timeout: PATIENCE_MS });
  await context.close();
  await withoutScript(state);
  return [["run", run], ["quality", "/pipelines/labs/quality"], ["quarantine", rows]];
}

async function withoutScript(state) {
  const context = await browser.newContext({ storageState: state, viewport: sizes[1], javaScriptEnabled: false });
  const page = await open(context, "run without script");
  await visit(page, "/pipelines");
  await Promise.all([page.waitForURL(/\/runs\/.+/), page.locator("form[action='/pipelines/labs/run'] button").click()]);
  for (const until = Date.now() + PATIENCE_MS; Date.now() < until && await page.locator("[data-live] a").count();) {
    await page.waitForTimeout(200);
    await Promise.all([page.waitForLoadState("load"), page.locator("[data-live] a").click()]);
  }
  check(await page.locator(".sum").count() > 0, "run without script", "reloading does not lead to its end");
  await context.close();
}

async function keyboard(state) {
  const context = await browser.newContext({ storageState: state, viewport: sizes[0], colorScheme: "light" });
  const page = await open(context, "keyboard");
  await visit(page, "/patients");
  await page.keyboard.press("/");
  check(await page.evaluate(() => document.activeElement?.id === "find"), "keyboard", "`/` does not lead to the field");
  await page.keyboard.press("Escape");
  check(await page.evaluate(() => document.activeElement === document.body), "keyboard", "Escape does not lead out of the field");
  await page.keyboard.press("j");
  await page.keyboard.press("j");
  await page.keyboard.press("k");
  const second = await page.evaluate(() => [...document.querySelectorAll("[data-row]")].findIndex((row) => row.classList.contains("here")));
  check(second === 0, "keyboard", `after j, j, k row ${second} is marked, not row 0`);
  await Promise.all([page.waitForURL(/\/patients\/.+/), page.keyboard.press("Enter")]);
  await page.keyboard.press("?");
  check(await page.locator("#help").isVisible(), "keyboard", "`?` shows no help");
  await accessible(page, "help");
  await page.keyboard.press("Escape");
  check(!(await page.locator("#help").isVisible()), "keyboard", "help does not close");
  await page.keyboard.press("t");
  await visit(page, "/settings");
  check(await page.evaluate(() => document.documentElement.dataset.theme === "dark"), "keyboard", "the theme is not remembered");
  // The two keys belong together within a moment, which a busy machine may miss.
  for (let tries = 0; tries < 20 && !/\/search$/.test(page.url()); tries += 1) {
    await page.keyboard.press("g");
    await page.keyboard.press("s");
    await page.waitForURL(/\/search$/, { timeout: 5_000 }).catch(() => {});
  }
  check(/\/search$/.test(page.url()), "keyboard", "`g` and `s` do not lead to the search");
  await page.keyboard.press("Tab");
  check(await page.evaluate(() => document.activeElement?.matches(".skip")), "keyboard", "the first stop is not the skip link");
  await page.locator("details.menu.purpose summary").click();
  await accessible(page, "purpose menu");
  await page.locator(".menu.purpose button:not([aria-current])").first().click();
  await page.waitForURL(`${origin}/`);
  await page.locator("details.menu:not(.purpose) summary").click();
  await accessible(page, "person menu");
  await context.close();
}

async function signOut(state) {
  const context = await browser.newContext({ storageState: state });
  const page = await open(context, "sign-out");
  await visit(page, "/");
  await page.locator("details.menu:not(.purpose) summary").click();
  page.expectedStatus = 401;
  await Promise.all([page.waitForLoadState("load"), page.locator(".sheet form button").last().click()]);
  await page.waitForSelector("body.bare");
  await visit(page, "/patients", 401);
  await context.close();
}

const state = await signIn();
const found = await explore(state);
const shared = await searching(state);
const ran = await pipelines(state);
await filtering(state, found.family);
await keyboard(state);

const pages = [
  ["overview", "/"], ["patients", "/patients"], ["patient", found.patient], ["search-start", "/search"], ["search", shared],
  ["resource-tree", found.event], ["resource-json", `${found.event}?view=json`], ["resource-versions", `${found.event}?view=versions`],
  ["pipelines", "/pipelines"], ["runs", "/runs"], ...(ran.length ? ran : [["quarantine", "/quarantine"]]),
  ["demo-ward", "/ward"], ["demo-alerts", "/alerts"], ["audit", "/audit"], ["settings", "/settings"], ["error-404", "/nowhere", 404],
];
for (const size of sizes) {
  for (const colorScheme of schemes) {
    const context = await browser.newContext({ storageState: state, viewport: size, colorScheme });
    for (const [name, path, status] of pages) {
      const page = await open(context, name);
      await visit(page, path, status);
      await look(page, name, size, colorScheme);
      await page.close();
    }
    await context.close();
    const stranger = await browser.newContext({ viewport: size, colorScheme });
    const page = await open(stranger, "sign-in-needed");
    await visit(page, "/", 401);
    await look(page, "sign-in-needed", size, colorScheme);
    await stranger.close();
  }
}
await signOut(state);
await browser.close();

for (const line of problems) process.stderr.write(`${line}\n`);
process.stdout.write(`${JSON.stringify({ pictures: (pages.length + 1) * sizes.length * schemes.length, axeRuns, requests, family: found.family, ran: ran.length > 0, problems: problems.length })}\n`);
process.exitCode = problems.length === 0 ? 0 : 1;
