// The demo page: everything about a picture happens here, through the published package alone.
import { hashgateConfirmer } from "/hashgate/confirm.js";
import { openGate } from "/hashgate/index.js";
import { clock, makeFilm, thumbnails, timeline } from "./films.js";
import { setUpLive } from "./live.js";

const element = (id) => document.getElementById(id);
const [drop, choose, all, clear, results] = ["drop", "choose", "all", "clear", "results"].map(element);

/** For each outcome: its name on this page, and what it means for the upload. */
const OUTCOMES = {
  clear: { name: "clear", kind: "clear", says: "Not on the list: it would be uploaded." },
  match: { name: "held", kind: "held", says: "On the service’s list: it would not be sent." },
  "possible-match": { name: "held", kind: "held", says: "Possibly on the list: the upload would wait." },
  unchecked: { name: "not checked", kind: "unchecked", says: "Could not be checked: the service decides." },
};
const STRENGTHS = {
  "exact-bytes": "the file's bytes are the same as a listed file's",
  "several-frames": "several frames of the film fit listed pictures or films",
  "all-rings": "the whole fingerprint of the picture fits a listed picture",
  "one-ring": "part of the fingerprint of the picture fits a listed picture",
};
const WORKERS = Math.min(4, Math.max(1, navigator.hardwareConcurrency - 1));

const counts = { checked: 0, clear: 0, held: 0, unchecked: 0, asked: 0 };
const waiting = [];
let gate;
let running = 0;

function make(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

function facts(rows) {
  const list = make("dl", "facts");
  for (const [name, value] of rows) list.append(make("dt", "", name), make("dd", "", String(value)));
  return list;
}

/** Adds a card for a picture at once, and its verdict as soon as a worker is free. */
function take(blob, name) {
  const card = element("result").content.firstElementChild.cloneNode(true);
  const address = URL.createObjectURL(blob);
  const thumb = card.querySelector(".thumb");
  thumb.src = address;
  thumb.addEventListener("error", () => thumb.removeAttribute("src"), { once: true });
  card.querySelector(".name").textContent = name;
  card.address = address;
  results.append(card);
  counts.asked += 1;
  waiting.push({ blob, name, card });
  element("empty").hidden = true;
  clear.disabled = false;
  show();
  next();
}

/**
 * Starts waiting checks. Runs only as many at once as there are workers, so that the shown time doesn't include
 * waiting.
 */
function next() {
  while (gate && running < WORKERS && waiting.length > 0) {
    running += 1;
    const job = waiting.shift();
    job.card.querySelector(".badge").textContent = "checking";
    const start = performance.now();
    gate
      .check(job.blob, {
        video: {
          whole: true,
          onProgress: ({ seconds, of }) => {
            job.card.querySelector(".says").textContent = `${clock(seconds)} of ${clock(of)}`;
          },
        },
      })
      .catch((error) => ({ outcome: "unchecked", detail: error.message, lookups: 0 }))
      .then((verdict) => {
        answer(job, verdict, performance.now() - start);
        if (verdict.matches) return showAsked();
      })
      .finally(() => {
        running -= 1;
        next();
      });
  }
}

function answer({ name, card, blob }, verdict, ms) {
  // The person has removed the card meanwhile.
  if (!card.isConnected) return;
  const outcome = OUTCOMES[verdict.outcome];
  counts.checked += 1;
  counts[outcome.kind] += 1;
  card.classList.add(outcome.kind);
  card.querySelector(".badge").textContent = outcome.name;
  card.querySelector(".says").textContent = outcome.says;
  card.querySelector(".time").textContent = `${ms.toFixed(0)} ms`;
  if (verdict.pdq) card.querySelector(".pdq").textContent = verdict.pdq;
  if (verdict.quality !== undefined) card.querySelector(".quality").textContent = String(verdict.quality);
  const details = card.querySelector("details");
  details.hidden = false;
  details.querySelector("summary").textContent = verdict.outcome === "clear" ? "Details" : "What this means";
  details.querySelector(".more").append(...explain(verdict, blob));
  const done = counts.checked === counts.asked;
  const held = `${counts.clear} clear, ${counts.held} held, ${counts.unchecked} not checked`;
  element("live").textContent = done ? `All ${counts.checked} pictures checked: ${held}.` : `${name}: ${outcome.name}.`;
  show();
}

function explain(verdict, file) {
  const parts = [];
  const say = (text) => parts.push(make("p", "", text));
  for (const match of verdict.matches ?? []) {
    const how = match.signal === "pdq" && match.view !== "plain" ? `, seen ${match.view.replaceAll("-", " ")}` : "";
    say(`On “${match.list}” (${match.category}), release ${match.release}: ${STRENGTHS[match.strength]}${how}.`);
  }
  if (verdict.video) parts.unshift(timeline(verdict), thumbnails(file, verdict));
  if (verdict.outcome === "clear" && verdict.matches && !verdict.confirmedBy) {
    say("Only frames of one kind matched, which chance can do: a film is held by several that differ.");
  }
  if (verdict.outcome === "clear" && verdict.confirmedBy) {
    say("That was chance: the service was asked once, and its full list doesn't hold it. The upload goes on.");
  }
  if (verdict.outcome === "match") {
    say(
      "The service was asked once, about the fingerprint alone, and its full list holds it. A list can be wrong too.",
    );
  }
  if (verdict.outcome === "possible-match") {
    say("The service could not be asked, so this is a question, not a finding: such a filter can be wrong.");
    if (verdict.confirmationDetail) say(`Why: ${verdict.confirmationDetail}.`);
  }
  if (OUTCOMES[verdict.outcome].kind === "held") {
    say("You could choose another picture, or ask the service for a review; it should say how to appeal.");
  }
  if (verdict.outcome === "unchecked") say(`Why: ${verdict.detail}.`);
  const rows = [
    ["PDQ", verdict.pdq],
    ["SHA-256", verdict.sha256],
    ["size", verdict.width && `${verdict.width} × ${verdict.height} pixels, ${verdict.format ?? verdict.video?.codec}`],
    [
      "film",
      verdict.video &&
        `${clock(verdict.video.durationS)} of ${verdict.video.container}, ${verdict.video.frames} frames`,
    ],
    ["left unread", verdict.caveat && "the scans of AC terms, which the hash doesn't need"],
    ["matched at", seconds(verdict)],
    ["lookups", verdict.lookups.toLocaleString("en")],
  ];
  parts.push(facts(rows.filter(([, value]) => value)));
  return parts;
}

/** Returns where in a film the matches are, in words; undefined for any other file. */
function seconds({ matches = [] }) {
  const ranges = matches.flatMap(({ ranges = [] }) => ranges);
  return ranges.map(([from, to]) => `${clock(from)} to ${clock(to)}`).join(", ");
}

function show() {
  for (const name of ["clear", "held", "unchecked"]) element(`count-${name}`).textContent = String(counts[name]);
  element("checked").textContent = String(counts.checked);
  const progress = element("progress");
  progress.max = Math.max(1, counts.asked);
  progress.value = counts.checked;
}

/** Counts this page's requests from now on, by the browser's own records. Leaves out those of {@link showAsked}. */
function countRequests() {
  let sent = 0;
  new PerformanceObserver((list) => {
    const names = list.getEntries().map(({ name }) => name);
    sent += names.filter((name) => !name.startsWith("blob:") && new URL(name).pathname !== "/metrics").length;
    element("sent").textContent = String(sent);
  }).observe({ type: "resource" });
}

/** Reads from the server's metrics how often it was asked. */
async function askedOf() {
  const lines = (await (await fetch("/metrics")).text()).split("\n");
  const counts = lines.filter((line) => line.startsWith("hashgate_confirms_total{"));
  return counts.reduce((sum, line) => sum + Number(line.split(" ").pop()), 0);
}

let askedBefore = 0;
async function showAsked() {
  try {
    element("asked").textContent = String((await askedOf()) - askedBefore);
  } catch {
    element("asked").textContent = "?";
  }
}

const STATES = {
  current: "Current: pictures are checked against it.",
  expired: "Expired: it isn't used any more, and nothing is checked until there is a newer one.",
  none: "There is no list, so nothing is checked.",
};
const SOURCES = { network: "downloaded in this visit", storage: "this browser's storage", host: "handed over" };

/** Shows the status of the gate's list, now and after each change. */
function showStatus() {
  const status = gate.status();
  const [info] = gate.filters;
  const time = (unixS) =>
    unixS && new Date(unixS * 1000).toLocaleString("en", { dateStyle: "medium", timeStyle: "medium" });
  const count = (number) => number.toLocaleString("en");
  const { lastRefresh, lastError, storage } = status;
  const refresh =
    lastRefresh && `${lastRefresh.outcome}, ${count(lastRefresh.bytes)} bytes, ${time(lastRefresh.atUnixS)}`;
  const rows = [
    ["list", status.list],
    ["holds", status.category],
    ["release", status.release],
    ["issued", time(status.issuedUnixS)],
    ["expires", time(status.expiresUnixS)],
    ["signed by", status.signedBy?.join(", ")],
    ["hashes", count(status.entries)],
    ["size", `${count(status.bytes)} bytes`],
    ["comes from", SOURCES[status.from]],
    ["kept in", storage.problem ? `${storage.kind}: ${storage.problem.message}` : storage.kind],
    ["last refresh", refresh],
    ["last error", lastError ? `${lastError.code}: ${lastError.message}` : "none"],
    ["geometry", info && `k = ${info.k}, ${info.sliceBits} bits a slice, ${info.rings} rings`],
    ["lookups", info && `at most ${count(info.lookups)} for a clean picture`],
    ["false alarms", info && `at most 1 in ${count(Math.round(1e12 / info.falsePositiveParts))} clean pictures`],
    ["checksum", info?.checksum],
  ];
  element("list-state").textContent = status.refreshing ? "Looking for a newer release…" : STATES[status.state];
  element("filter").replaceChildren(...facts(rows.filter(([, value]) => value !== undefined)).childNodes);
  element("refresh").disabled = status.refreshing;
}

/** Fetches the drawn samples before requests are counted. Afterwards they are like files of the person. */
async function loadSamples() {
  const groups = await (await fetch("/samples/samples.json")).json();
  const load = async ({ path, about }) => ({ about, path, blob: await (await fetch(`/samples/${path}`)).blob() });
  for (const group of groups) group.files = await Promise.all(group.files.map(load));
  for (const { title, files } of groups) {
    const list = make("ul", "samples");
    for (const { about, path, blob } of files) {
      const button = make("button");
      button.type = "button";
      button.title = about;
      const thumb = make("img");
      thumb.src = URL.createObjectURL(blob);
      thumb.alt = `Check: ${about}`;
      button.append(thumb);
      button.addEventListener("click", () => take(blob, path));
      const item = make("li");
      item.append(button);
      list.append(item);
    }
    element("samples").append(make("p", "group", title), list);
  }
  return groups.flatMap((group) => group.files);
}

/** Sets up the buttons that draw films. */
function offerFilms(samples) {
  const of = (part) => samples.filter(({ path }) => path.startsWith(part)).map(({ blob }) => blob);
  const [listed, clean] = [of("listed/"), of("clean/")];
  const films = { listed: [clean[2], listed[0], listed[3], clean[3]], clean: [clean[2], clean[4], clean[3]] };
  for (const [name, pictures] of Object.entries(films)) {
    const button = element(`film-${name}`);
    button.disabled = typeof VideoEncoder === "undefined";
    button.addEventListener("click", async () => {
      button.disabled = true;
      element("film-state").textContent = "Drawing and encoding…";
      try {
        const film = await makeFilm(pictures, name);
        element("film-state").textContent = "";
        take(film, film.name);
      } catch (error) {
        element("film-state").textContent = `This browser can't make the film: ${error.message}`;
      } finally {
        button.disabled = false;
      }
    });
  }
}

function listen() {
  const takeAll = (files) => {
    for (const file of files) take(file, file.name || "pasted picture");
  };
  choose.addEventListener("change", () => {
    takeAll(choose.files);
    choose.value = "";
  });
  document.addEventListener("paste", (event) => takeAll(event.clipboardData?.files ?? []));
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    drop.classList.add("over");
  });
  document.addEventListener("dragleave", () => drop.classList.remove("over"));
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    takeAll(event.dataTransfer?.files ?? []);
  });
  clear.addEventListener("click", () => {
    waiting.length = 0;
    for (const card of results.children) URL.revokeObjectURL(card.address);
    results.replaceChildren();
    for (const name of Object.keys(counts)) counts[name] = 0;
    element("empty").hidden = false;
    clear.disabled = true;
    show();
    choose.focus();
  });
}

try {
  listen();
  const samples = await loadSamples();
  // Keeps idle workers, so that none has to load its script again while requests are counted. (A real service would
  // write its curators' keys into its page.)
  const trust = { keys: [(await (await fetch("/samples/list.pub")).text()).trim()] };
  const opened = await openGate({
    source: "/list/manifest.txt",
    trust,
    whenUnavailable: "block",
    confirm: hashgateConfirmer({ url: "/" }),
    // Fetched before requests are counted.
    filmWasmModule: await WebAssembly.compileStreaming(fetch("/hashgate/hashgate-film.wasm")),
    workers: WORKERS,
    idleMs: 2 ** 31 - 1,
  });
  await Promise.all(samples.slice(-WORKERS).map(({ blob }) => opened.check(blob)));
  askedBefore = await askedOf();
  countRequests();
  gate = opened;
  showStatus();
  gate.addEventListener("statechange", showStatus);
  element("refresh").addEventListener("click", () => gate.refresh());
  element("state").textContent = "Ready. From here on, a clean picture needs no network.";
  offerFilms(samples);
  setUpLive(gate);
  choose.disabled = false;
  all.disabled = false;
  all.addEventListener("click", () => {
    for (const { blob, path } of samples) take(blob, path);
  });
  document.documentElement.dataset.ready = "true";
  next();
} catch (error) {
  element("state").classList.add("failed");
  element("state").textContent = `The check could not be set up, so nothing can be checked here: ${error.message}`;
}
