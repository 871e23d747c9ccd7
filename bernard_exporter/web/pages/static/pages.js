// Sorting, filtering, refresh and ages; the pages are complete without them.
"use strict";

const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });
const REFRESH_SECONDS = 30;
// The chosen sort order, kept across refreshes: table id to {column, descending}.
const chosen = new Map();

function keyOf(cell) {
  const marked = cell?.querySelector("time[datetime], data[value]");
  if (marked) return marked.getAttribute("datetime") ?? marked.getAttribute("value");
  return cell?.textContent.trim() ?? "";
}

function compare(left, right) {
  const unknown = (key) => key === "" || key === "—";
  if (unknown(left) || unknown(right)) return unknown(left) - unknown(right);
  return collator.compare(left, right);
}

function sortTable(table, column, descending) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head) => head.removeAttribute("aria-sort"));
  heads[column].setAttribute("aria-sort", descending ? "descending" : "ascending");
  const body = table.tBodies[0];
  const keyed = [...body.rows].map((row) => [keyOf(row.cells[column]), row]);
  keyed.sort(([left], [right]) => {
    const order = compare(left, right);
    const last = [left, right].some((key) => key === "" || key === "—");
    return descending && !last ? -order : order;
  });
  body.append(...keyed.map(([, row]) => row));
  if (table.id) chosen.set(table.id, { column, descending });
}

function makeSortable(table) {
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    if (head.hasAttribute("data-no-sort") || !head.textContent.trim() || head.querySelector("button")) return;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "sort";
    button.append(...head.childNodes);
    button.addEventListener("click", () => sortTable(table, column, head.getAttribute("aria-sort") === "ascending"));
    head.append(button);
  });
  const before = chosen.get(table.id);
  if (before) sortTable(table, before.column, before.descending);
}

function filterTable(box) {
  const name = box.dataset.filterFor;
  const tables = document.querySelectorAll(`#${CSS.escape(name)}, [data-filtered-with="${CSS.escape(name)}"]`);
  const words = box.querySelector("input").value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  const rows = [...tables].flatMap((table) => [...table.tBodies[0].rows]);
  for (const row of rows) {
    const text = row.textContent.toLowerCase();
    row.hidden = !words.every((word) => text.includes(word));
    shown += !row.hidden;
    const folded = row.closest("details");
    if (folded && words.length && !row.hidden) folded.open = true;
  }
  box.querySelector("[role=status]").textContent = words.length ? `${shown} of ${rows.length}` : "";
}

function improve(root) {
  root.querySelectorAll("table[data-sortable]").forEach(makeSortable);
  document.querySelectorAll("[data-filter-for]").forEach((box) => {
    box.hidden = !document.getElementById(box.dataset.filterFor);
    if (!box.dataset.ready) {
      box.dataset.ready = "yes";
      box.querySelector("input").addEventListener("input", () => filterTable(box));
    }
    filterTable(box);
  });
}

// A refresh replaces sort buttons with their table and restores their focus; other focused elements are not replaced.
function focusedSort() {
  const button = document.activeElement?.closest("[data-live] .sort");
  return button && { table: button.closest("table").id, column: button.parentElement.cellIndex };
}

// The time of the exporter, as the clock of this computer may be wrong: the distance of both in milliseconds.
let clockDistance = 0;

function readClock() {
  const rendered = Date.parse(document.querySelector("[data-now]")?.dataset.now);
  if (!Number.isNaN(rendered)) clockDistance = Date.now() - rendered;
}

function largestUnit(seconds) {
  for (const [unit, length] of [["day", 86400], ["hour", 3600], ["minute", 60]]) {
    if (seconds >= length) return [Math.floor(seconds / length), unit];
  }
  return [0, ""];
}

// "3 days ago", "in 2 hours", "just now", as the exporter writes it.
function distance(seconds) {
  const [count, unit] = largestUnit(Math.abs(seconds));
  if (!unit) return seconds > 0 ? "now" : "just now";
  const words = `${count} ${unit}${count > 1 ? "s" : ""}`;
  return seconds > 0 ? `in ${words}` : `${words} ago`;
}

const SHORT = { day: "d", hour: "h", minute: "min", "": "min" };

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function countAges() {
  const now = Date.now() - clockDistance;
  for (const ago of document.querySelectorAll("time[datetime] + .ago")) {
    setText(ago, distance((Date.parse(ago.previousElementSibling.dateTime) - now) / 1000));
  }
  for (const age of document.querySelectorAll("[data-since]")) {
    const [count, unit] = largestUnit(Math.max(0, (now - Date.parse(age.dataset.since)) / 1000));
    setText(age, `${count} ${SHORT[unit]}`);
  }
}

function element(tag, properties, ...content) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...content);
  return made;
}

// A banner that says what is wrong with the last refresh; no problem takes it away.
function announce(problem) {
  const banner = document.getElementById("refresh-problem");
  if (!problem) return banner?.remove();
  if (banner) return setText(banner.firstElementChild, problem);
  const known = document.querySelector("[data-now]").dataset.now;
  const time = element("time", { dateTime: known }, `${known.slice(0, 10)} ${known.slice(11, 16)}`);
  const parts = [element("strong", {}, problem), " This page is not up to date: it shows what was known ", time, " "];
  const notice = element("div", { id: "refresh-problem", className: "notice notice-critical", role: "alert" }, ...parts);
  notice.append(element("small", { className: "ago" }), ".");
  document.getElementById("content").prepend(notice);
  countAges();
}

async function fetchPage() {
  const signal = AbortSignal.timeout(REFRESH_SECONDS * 1000 - 1000);
  try {
    const answer = await fetch(location.href, { headers: { accept: "text/html" }, signal });
    return [answer, await answer.text()];
  } catch {
    return [null, ""];
  }
}

async function refresh() {
  if (document.hidden) return;
  const [answer, text] = await fetchPage();
  if (!answer) return announce("The exporter does not answer.");
  announce(answer.ok ? "" : `The exporter cannot show this page at the moment (HTTP ${answer.status}).`);
  if (!answer.ok || document.querySelector("[data-live] :focus:not(.sort), [data-live]:focus")) return;
  const focused = focusedSort();
  const page = new DOMParser().parseFromString(text, "text/html");
  for (const old of document.querySelectorAll("[data-live]")) {
    const fresh = page.querySelector(`[data-live="${CSS.escape(old.dataset.live)}"]`);
    if (!fresh) continue;
    if (old.matches("details")) fresh.open = old.open;
    const open = [...old.querySelectorAll("details")].map((details) => details.open);
    [...fresh.querySelectorAll("details")].forEach((details, index) => { details.open = open[index] ?? details.open; });
    const scrolled = old.querySelector(".scroller")?.scrollLeft;
    old.replaceWith(document.adoptNode(fresh));
    if (scrolled) fresh.querySelector(".scroller").scrollLeft = scrolled;
    fresh.querySelectorAll("table[data-sortable]").forEach(makeSortable);
    if (fresh.matches("table[data-sortable]")) makeSortable(fresh);
  }
  readClock();
  improve(document);
  if (focused) document.getElementById(focused.table)?.tHead.rows[0].cells[focused.column]?.firstElementChild?.focus();
}

function startRefreshing(button) {
  let timer = 0;
  const set = (on) => {
    button.setAttribute("aria-pressed", String(on));
    clearInterval(timer);
    if (on) timer = setInterval(refresh, REFRESH_SECONDS * 1000);
    try { localStorage.setItem("refresh", on ? "on" : "off"); } catch { /* storage is not available */ }
  };
  let kept = null;
  try { kept = localStorage.getItem("refresh"); } catch { /* storage is not available */ }
  button.hidden = !document.querySelector("[data-live]");
  button.addEventListener("click", () => set(button.getAttribute("aria-pressed") !== "true"));
  set(kept !== "off");
}

// A timeline that is wider than the screen opens with the current time in its middle.
function showNow() {
  const line = document.querySelector(".timeline .now");
  const scroller = line?.closest(".scroller");
  if (!scroller) return;
  const distanceToLine = line.getBoundingClientRect().left - scroller.getBoundingClientRect().left;
  scroller.scrollLeft += distanceToLine - scroller.clientWidth / 2;
}

// The names of the jobs stay in sight while a timeline is scrolled.
function keepLabels(scroller) {
  const svg = scroller.querySelector(".timeline svg");
  if (!svg) return;
  const left = 4 + scroller.scrollLeft * svg.viewBox.baseVal.width / svg.getBoundingClientRect().width;
  svg.querySelectorAll(".label").forEach((label) => label.setAttribute("x", left.toFixed(0)));
}

document.addEventListener("scroll", (event) => { if (event.target.matches?.(".scroller")) keepLabels(event.target); }, true);
showNow();
readClock();
setInterval(countAges, 5000);
improve(document);
document.querySelectorAll("[data-refresh]").forEach(startRefreshing);
