// Drives a real browser over the pages of streams while events arrive: the time from sending an event to its sight, a lost connection, keys.
//
//   node streams.mjs SIGN_IN_LINK TOKEN FOLDER PATIENT
//
// TOKEN sends events. Writes pictures into FOLDER and a summary as JSON to standard output; every problem is a line on standard error.

import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const [link, token, folder, patient] = process.argv.slice(2);
const packages = process.env.SALUS_BROWSER_PACKAGES ?? join(import.meta.dirname, "node_modules");
const require = createRequire(join(packages, "here.js"));
const { chromium } = require("playwright-core");
const axeSource = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const origin = new URL(link).origin;
const sizes = [{ width: 1440, height: 900 }, { width: 390, height: 844 }];
const problems = [];
// Nothing is judged by its time: a machine may be busy with other things. What never comes is given up.
const PATIENCE_MS = 180_000;
const check = (condition, where, what) => { if (!condition) problems.push(`${where}: ${what}`); };
let pictures = 0;

mkdirSync(folder, { recursive: true });
const browser = await chromium.launch({
  executablePath: process.env.SALUS_CHROMIUM || "/usr/bin/chromium",
  timeout: PATIENCE_MS,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-sync"],
});

async function open(context, name) {
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  page.on("console", (message) => {
    // A connection that is cut on purpose is told on the console too.
    if (message.type() === "error" && !/ERR_(INTERNET_DISCONNECTED|FAILED|CONNECTION)|Failed to load/.test(message.text())) problems.push(`${name}: console: ${message.text()}`);
  });
  page.on("pageerror", (error) => problems.push(`${name}: script: ${error}`));
  return page;
}

async function visit(page, path) {
  const response = await page.goto(new URL(path, origin).href, { waitUntil: "load" });
  check(response.status() === 200, path, `status ${response.status()}`);
  await page.waitForFunction(() => !document.querySelector("[data-stream]") || document.querySelector("[data-live]").textContent === "live", null, { timeout: PATIENCE_MS })
    .catch(() => check(false, path, "the page does not become live"));
}

async function accessible(page, name) {
  const session = await page.context().newCDPSession(page);
  await session.send("Runtime.evaluate", { expression: axeSource });
  const expression = "axe.run(document, { resultTypes: ['violations'] }).then((r) => JSON.stringify(r.violations.map((v) => [v.id, v.nodes[0].target.join(' ')])))";
  const { result } = await session.send("Runtime.evaluate", { expression, awaitPromise: true });
  for (const [id, place] of JSON.parse(result.value)) problems.push(`${name}: axe ${id}: ${place}`);
  await session.detach();
}

let n = 0;
async function publish(data) {
  n += 1;
  const event = { id: `b${n}`, kind: "vital_signs", patient: `Patient/${patient}`, at: new Date().toISOString(), source: "monitor", unit: "Ward 3", data };
  const sent = Date.now();
  const answer = await fetch(`${origin}/api/v1/events`, { method: "POST", headers: { authorization: `Bearer ${token}`, "content-type": "application/json" }, body: JSON.stringify(event) });
  check(answer.ok, "publish", `status ${answer.status}: ${await answer.text()}`);
  return sent;
}

// Milliseconds from sending an event until its value is on the page.
async function sight(page, selector, text, data) {
  const seen = page.evaluate(([selector, text, patience]) => new Promise((done) => {
    const look = () => { if ([...document.querySelectorAll(selector)].some((one) => one.textContent.includes(text))) { observer.disconnect(); done(Date.now()); } };
    const observer = new MutationObserver(look);
    observer.observe(document.body, { childList: true, subtree: true, characterData: true });
    setTimeout(() => { observer.disconnect(); done(0); }, patience);
    look();
  }), [selector, text, PATIENCE_MS]);
  const sent = await publish(data);
  const at = await seen;
  check(at > 0, "sight", `\`${text}\` does not come into sight`);
  return at - sent;
}

const first = await browser.newContext();
const door = await open(first, "sign-in");
await door.goto(link);
await Promise.all([door.waitForURL(`${origin}/`), door.locator("main form button").click()]);
const state = await first.storageState();
await first.close();

// How long it takes until an event is on the board: the median of some is told.
const context = await browser.newContext({ storageState: state, viewport: sizes[0] });
const page = await open(context, "ward");
await visit(page, "/ward");
await publish({ heart_rate: 80 });
await page.waitForSelector("li.bed", { timeout: PATIENCE_MS });
const times = [];
for (let rate = 81; rate < 92; rate += 1) times.push(await sight(page, "li.bed dd", `${rate} /min`, { heart_rate: rate }));
times.sort((a, b) => a - b);
const median = times[Math.floor(times.length / 2)];

// An alert arises, is handled by keyboard, and the row changes where it stands.
await visit(page, "/alerts");
const alertMs = await sight(page, "#queue-rows tr", "critical", { heart_rate: 141, respiratory_rate: 26, spo2: 91, systolic: 101, temperature: 38.4, consciousness: "A", breathing: "air" });
await page.keyboard.press("j");
await page.keyboard.press("a");
await page.waitForFunction(() => [...document.querySelectorAll("#queue-rows tr")].some((row) => row.textContent.includes("acknowledged")), null, { timeout: PATIENCE_MS })
  .catch(() => check(false, "alerts", "`a` does not acknowledge"));
check(page.url().endsWith("/alerts"), "alerts", "acknowledging leads away");

// A lost connection: what happened meanwhile is there after it comes back, and nothing twice.
const rows = () => page.locator("#queue-rows tr").count();
const before = await rows();
await context.setOffline(true);
await page.evaluate(() => dispatchEvent(new Event("offline")));
await page.locator("[data-do=pause]").click();
check((await page.locator("[data-live]").innerText()) === "paused", "alerts", "`Pause` does not say so");
await publish({ heart_rate: 142, systolic: 192 });
await context.setOffline(false);
await page.locator("[data-do=pause]").click();
await page.waitForFunction((before) => document.querySelectorAll("#queue-rows tr").length > before, before, { timeout: PATIENCE_MS })
  .catch(() => check(false, "alerts", "what happened while the connection was lost does not come"));
const ids = await page.locator("#queue-rows tr").evaluateAll((rows) => rows.map((row) => row.id));
check(new Set(ids).size === ids.length, "alerts", "an alert is there twice");

// What somebody writes in is not pulled away.
await page.locator("#queue-rows details summary").first().click();
await page.locator("#queue-rows input[name=reason]").first().fill("patient seen");
await publish({ heart_rate: 150 });
await page.waitForTimeout(600);
check((await page.locator("#queue-rows input[name=reason]").first().inputValue()) === "patient seen", "alerts", "what was written is gone");
const one = await page.locator("#queue-rows a.main").first().getAttribute("href");
await context.close();

const pages = [["ward", "/ward"], ["alerts", "/alerts"], ["alert", one], ["vitals", `/patients/${patient}/vitals?hours=1`], ["surveillance", "/surveillance"],
  ["streams", "/streams"], ["dead-letters", "/streams/dead-letters"], ["rules", "/rules"], ["rule", "/rules/founding%2Fheart-rate"]];
for (const size of sizes) {
  for (const colorScheme of ["light", "dark"]) {
    const looking = await browser.newContext({ storageState: state, viewport: size, colorScheme });
    for (const [name, path] of pages) {
      const shown = await open(looking, name);
      await visit(shown, path);
      const wider = await shown.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      check(wider <= 0, `${name} ${size.width}`, `scrolls sideways by ${wider} px`);
      await shown.screenshot({ path: join(folder, `${name}-${colorScheme}-${size.width}.png`) });
      await accessible(shown, `${name} ${colorScheme} ${size.width}`);
      pictures += 1;
      await shown.close();
    }
    await looking.close();
  }
}
await browser.close();
for (const line of problems) process.stderr.write(`${line}\n`);
process.stdout.write(`${JSON.stringify({ median, times, alertMs, pictures, problems: problems.length })}\n`);
process.exitCode = problems.length === 0 ? 0 : 1;
