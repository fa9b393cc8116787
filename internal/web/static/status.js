"use strict";
// The live page: items come by /v1/stream, the rest is asked for now and then.

const number = new Intl.NumberFormat("id-ID");
const decimal = new Intl.NumberFormat("id-ID", { maximumFractionDigits: 1 });
const ratio = new Intl.NumberFormat("id-ID", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const short = new Intl.NumberFormat("id-ID", { notation: "compact", compactDisplay: "long", maximumFractionDigits: 2 });
const unknown = "–";
const words = {
  state: { open: "tersedia", almost_full: "hampir penuh", full: "penuh", closed: "tutup", unknown: "tidak diketahui" },
  quality: { none: "belum ada", stale: "kedaluwarsa", partial: "sebagian", estimated: "perkiraan", live: "langsung" },
  trend: { rising: "↗ naik", steady: "→ tetap", falling: "↘ turun" },
  status: { closed: "ditutup", limited: "dibatasi" },
};
const byId = (id) => document.getElementById(id);
const show = (value, format = number) => (value === null || value === undefined ? unknown : format.format(value));

function element(name, className, text) {
  const e = document.createElement(name);
  if (className) e.className = className;
  if (text !== undefined) e.textContent = text;
  return e;
}

// put writes a text where it differs, and lets a number that moved be seen.
function put(node, text, flash) {
  if (node.textContent === text) return;
  const before = node.textContent;
  node.textContent = text;
  if (!flash || before === "" || before === unknown) return;
  const cell = node.closest("td") || node;
  cell.classList.add("moved");
  setTimeout(() => cell.classList.remove("moved"), 900);
}

function ageText(seconds) {
  if (seconds < 60) return Math.floor(seconds) + " dtk";
  if (seconds < 3600) return Math.floor(seconds / 60) + " mnt";
  if (seconds < 172800) return Math.floor(seconds / 3600) + " jam";
  return Math.floor(seconds / 86400) + " hari";
}

// A list keeps one table's rows, sorted by name.
class List {
  constructor(table, columns, fill) {
    this.body = table.tBodies[0];
    this.columns = columns;
    this.fill = fill;
    this.rows = new Map();
    this.find = "";
  }

  clear() {
    this.rows.clear();
    this.body.replaceChildren();
  }

  set(item) {
    let row = this.rows.get(item.id);
    if (!row) {
      row = this.add(item);
    }
    row.item = item;
    row.seen = performance.now();
    this.fill(row, item);
    this.age(row);
    this.filter(row);
  }

  add(item) {
    const tr = element("tr");
    tr.dataset.id = item.id;
    const row = { tr, key: item.name + " " + (item.direction || "") + " " + item.id, cells: {} };
    for (const [name, className] of this.columns) {
      const cell = element(name === "name" ? "th" : "td", className);
      if (name === "name") cell.scope = "row";
      row.cells[name] = cell;
      tr.append(cell);
    }
    let after = null;
    for (const other of this.rows.values()) {
      if (other.key > row.key && (after === null || other.key < after.key)) after = other;
    }
    this.body.insertBefore(tr, after ? after.tr : null);
    this.rows.set(item.id, row);
    return row;
  }

  age(row) {
    const age = row.item.age_s;
    put(row.cells.age, age === null ? unknown : ageText(age + (performance.now() - row.seen) / 1000));
  }

  filter(row) {
    row.tr.hidden = this.find !== "" && !row.tr.textContent.toLowerCase().includes(this.find);
  }

  search(text) {
    this.find = text.trim().toLowerCase();
    for (const row of this.rows.values()) this.filter(row);
  }
}

function fillName(cell, name, small) {
  if (!cell.firstChild) cell.append(element("span"), element("small"));
  put(cell.firstChild, name);
  put(cell.lastChild, small);
}

function fillClass(cell, kind) {
  if (!cell.firstChild) cell.append(element("span", "free"), element("span", "of"), element("span", "word"));
  cell.className = "num s-" + (kind ? kind.state : "none");
  put(cell.children[0], kind ? show(kind.free) : "", true);
  put(cell.children[1], kind ? " / " + number.format(kind.capacity) : "");
  put(cell.children[2], kind ? words.state[kind.state] || kind.state : "");
}

function fillSite(row, site) {
  fillName(row.cells.name, site.name, site.kecamatan || "");
  for (const name of ["car", "motorcycle"]) {
    fillClass(row.cells[name], site.classes.find((c) => c.class === name));
  }
  const others = site.classes.filter((c) => c.class !== "car" && c.class !== "motorcycle");
  put(row.cells.other, others.map((c) => c.class + " " + show(c.free) + " / " + number.format(c.capacity)).join(", "));
  put(row.cells.quality, words.quality[site.quality] || site.quality);
}

function fillSegment(row, segment) {
  fillName(row.cells.name, segment.name, [segment.direction, segment.id, words.status[segment.status]].filter(Boolean).join(" · "));
  if (!row.cells.los.firstChild) row.cells.los.append(element("span"));
  const los = row.cells.los.firstChild;
  los.className = "los los-" + (segment.los || "none");
  put(los, segment.los || unknown);
  put(row.cells.speed, show(segment.speed_kmh, decimal), true);
  put(row.cells.flow, show(segment.flow_vph === null ? null : Math.round(segment.flow_vph)), true);
  put(row.cells.dj, segment.regime === "oversaturated" ? "jenuh" : show(segment.dj, ratio), true);
  put(row.cells.trend, segment.trend ? words.trend[segment.trend] : unknown);
  put(row.cells.quality, words.quality[segment.quality] || segment.quality);
}

const sites = new List(byId("sites"), [
  ["name", ""], ["car", "num"], ["motorcycle", "num"], ["other", "num wide"], ["quality", "wide"], ["age", "num"],
], fillSite);
const segments = new List(byId("segments"), [
  ["name", ""], ["los", ""], ["speed", "num"], ["flow", "num wide"], ["dj", "num wide"], ["trend", "wide"], ["quality", "wide"], ["age", "num"],
], fillSegment);

// summarize adds up what is known of the sites.
function summarize() {
  for (const name of ["car", "motorcycle"]) {
    let free = 0, capacity = 0, known = false;
    for (const { item } of sites.rows.values()) {
      const kind = item.classes.find((c) => c.class === name);
      if (!kind) continue;
      capacity += kind.capacity;
      if (kind.free !== null && kind.state !== "closed") {
        free += kind.free;
        known = true;
      }
    }
    put(byId("sum-" + name), known ? number.format(free) : unknown);
    put(byId("sum-" + name + "-of"), "dari / of " + number.format(capacity));
  }
}

let summing = false;
function summarizeSoon() {
  if (summing) return;
  summing = true;
  requestAnimationFrame(() => {
    summing = false;
    summarize();
  });
}

function link(state, text) {
  byId("link").dataset.link = state;
  put(byId("link-text"), text);
}

// connect opens the event stream. The browser resumes it by itself; where it
// gave up (the server refused), it is opened anew.
function connect() {
  const stream = new EventSource("/v1/stream");
  stream.onopen = () => link("live", "langsung / live");
  stream.onerror = () => {
    link("lost", "terputus, mencoba lagi … / lost, trying again");
    if (stream.readyState === EventSource.CLOSED) setTimeout(connect, 10000);
  };
  stream.addEventListener("reset", () => {
    sites.clear();
    segments.clear();
  });
  stream.addEventListener("site", (event) => {
    sites.set(JSON.parse(event.data));
    summarizeSoon();
  });
  stream.addEventListener("segment", (event) => segments.set(JSON.parse(event.data)));
}

async function ask(path) {
  const answer = await fetch(path, { headers: { Accept: "application/json" } });
  if (!answer.ok && answer.status !== 503) throw new Error(path + ": " + answer.status);
  return answer.json();
}

// fillTable writes rows of cells; a cell is a text, or a text with a class.
function fillTable(table, rows) {
  table.tBodies[0].replaceChildren(...rows.map((cells) => {
    const tr = element("tr");
    cells.forEach((cell, i) => {
      const [text, className] = Array.isArray(cell) ? cell : [cell, ""];
      const e = element(i === 0 ? "th" : "td", className);
      if (i === 0) e.scope = "row";
      if (text instanceof Node) e.append(text);
      else e.textContent = text;
      tr.append(e);
    });
    return tr;
  }));
}

function percent(account) {
  const box = element("span");
  if (account.percent === null) {
    box.textContent = account.suppressed ? "dirahasiakan" : unknown;
    return box;
  }
  const bar = element("progress");
  bar.max = 100;
  bar.value = Math.min(100, account.percent);
  bar.setAttribute("aria-hidden", "true");
  box.append(decimal.format(account.percent) + "% ", bar);
  return box;
}

async function revenue() {
  const summary = await ask("/v1/revenue/summary");
  put(byId("year"), String(summary.year));
  put(byId("sum-year"), "tahun " + summary.year);
  const known = summary.accounts.filter((a) => a.recorded !== null);
  put(byId("sum-money"), known.length ? "Rp" + short.format(known.reduce((sum, a) => sum + a.recorded, 0)) : unknown);
  fillTable(byId("accounts"), summary.accounts.map((a) => {
    const name = element("span", "", a.name);
    name.append(element("small", "", a.account));
    return [name, [show(a.target), "num wide"], [show(a.recorded), "num"], [show(a.due), "num wide"], [show(a.realized), "num wide"], percent(a)];
  }));
}

async function congestion() {
  const city = await ask("/v1/traffic/congestion");
  put(byId("sum-index"), show(city.index, decimal), true);
}

async function gateway() {
  const ready = await ask("/readyz");
  const reasons = byId("reasons");
  reasons.hidden = ready.ready;
  put(reasons, ready.ready ? "" : "Gerbang belum siap / not ready: " + ready.reasons.map((r) => r.detail).join("; "));
  put(byId("journal"), "· " + number.format(ready.head));
  fillTable(byId("sources"), ready.sources.map((s) => [
    s.id + " (" + s.type + ")",
    s.silent ? ["senyap", "bad"] : s.connected ? ["tersambung", "ok"] : ["putus", "bad"],
    [number.format(s.received), "num"],
    [s.lag_s === null ? unknown : ageText(s.lag_s), "num"],
  ]));
  fillTable(byId("followers"), ready.followers.map((f) => [
    f.name, [number.format(f.cursor), "num"], [number.format(f.lag), f.lag > 10000 ? "num bad" : "num"], [show(f.lag_s, ratio), "num"],
  ]));
}

// every asks again and again, not while nobody looks, and not before the last
// answer came.
function every(seconds, task) {
  const again = async () => {
    try {
      if (!document.hidden) await task();
    } catch (error) {
      console.warn(error);
    }
    setTimeout(again, seconds * 1000);
  };
  again();
}

byId("find-site").addEventListener("input", (event) => sites.search(event.target.value));
byId("find-segment").addEventListener("input", (event) => segments.search(event.target.value));
setInterval(() => {
  for (const list of [sites, segments]) for (const row of list.rows.values()) list.age(row);
}, 1000);
connect();
every(5, congestion);
every(5, gateway);
every(30, revenue);
