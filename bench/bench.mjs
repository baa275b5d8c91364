// npm run bench [-- --rounds N --only PARTS,OF-NAMES --files FOLDER --no-setup]
// Measures in real Chromium how long it takes from a File to its verdict, and compares this with other ways to hash the
// same files, in one run. The files are drawn, or are the JPEG, PNG, WebP, HEIC and JPEG XL files of FOLDER. Prints
// medians and ratios, and writes target/bench/bench.json. docs/lab/performance.md explains the output.
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { chromium as launcher } from "playwright-core";
import { makeDemoList } from "../scripts/demo-list.mjs";
import { programs } from "../scripts/programs.mjs";
import { run } from "../scripts/run.mjs";
import { setUp } from "../scripts/setup.mjs";
import { serve } from "../tests/browser/server.mjs";
import { FOLDER, millionFilter } from "./million.mjs";

// Films and streams have benches of their own.
const others = { film: "./film.mjs", "film-large": "./film-large.mjs", live: "./live.mjs" };
const other = others[process.argv[process.argv.indexOf("--only") + 1]];
if (other) {
  await import(other);
  process.exit();
}

const MB = 1e6;
const argument = (name) => (process.argv.includes(name) ? process.argv[process.argv.indexOf(name) + 1] : undefined);
const only = argument("--only") ?? "";
const files = argument("--files");
const rounds = Number(argument("--rounds")) || 9;
const ALL_WAYS = ["hashgate", "image", "bitmap", "imageDecoder", "imageDecoderFull", "general"];
const TYPES = {
  jpg: "image/jpeg",
  jpeg: "image/jpeg",
  png: "image/png",
  webp: "image/webp",
  heic: "image/heic",
  jxl: "image/jxl",
};
/** Whether a decoder of its own reads the format, which has no other way to read it. */
const isOwn = (name) => /\.(heic|jxl)$/.test(name);
const typeOf = (name) => TYPES[name.split(".").at(-1).toLowerCase()];
const DRAWN = [
  "thumbnail-baseline.jpg",
  "2mp-baseline.jpg",
  "12mp-baseline.jpg",
  "48mp-baseline.jpg",
  "2mp-progressive.jpg",
  "12mp-progressive.jpg",
  "48mp-progressive.jpg",
  "12mp-photograph.png",
  "12mp-rgba.png",
  "12mp-grid.heic",
  "1mp.jxl",
];
// A WebP of quality 1 is lossless.
const CONVERTED = [
  ["thumbnail-baseline.jpg", "thumbnail.png", "image/png"],
  ["thumbnail-baseline.jpg", "thumbnail.webp", "image/webp", 0.9],
  ["2mp-baseline.jpg", "2mp.png", "image/png"],
  ["12mp-baseline.jpg", "12mp.png", "image/png"],
  ["2mp-baseline.jpg", "2mp.webp", "image/webp", 0.9],
  ["12mp-baseline.jpg", "12mp.webp", "image/webp", 0.9],
  ["12mp-photograph.png", "12mp-photograph.webp", "image/webp", 0.9],
  ["12mp-photograph.png", "12mp-lossless.webp", "image/webp", 1],
];

if (!process.argv.includes("--no-setup")) {
  setUp();
  makeDemoList("target");
}
const { filter } = millionFilter();
run("cargo", [
  "run",
  "--release",
  "--quiet",
  "--locked",
  "--package",
  "hashgate-bench",
  "--bin",
  "draw-pictures",
  "--",
  FOLDER,
]);
const extra = {
  "/page.html": {
    body: `<!doctype html><meta charset="utf-8"><title>bench</title><script type="module" src="/page.js"></script>`,
    type: "text/html; charset=utf-8",
  },
  "/page.js": { body: readFileSync("bench/page.js"), type: "text/javascript" },
  "/pdq.js": { body: readFileSync("bench/pdq.js"), type: "text/javascript" },
  "/million.hgf": { body: readFileSync(filter) },
};
const folder = files ?? FOLDER;
for (const name of readdirSync(folder).filter(typeOf)) {
  extra[`/bench/${name}`] = { body: readFileSync(`${folder}/${name}`), type: typeOf(name) };
}
const given = files ? readdirSync(files).filter(typeOf).sort() : DRAWN;
const server = await serve({ extra });
const launch = () =>
  launcher.launch({
    executablePath: programs(["CHROMIUM_PATH"]).CHROMIUM_PATH,
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"],
  });
const browser = await launch();
let single;

/** Starts a browser that uses only one processor. Returns undefined where that isn't possible (it is on Linux). */
async function launchOnOneProcessor() {
  const keepTo = (processors) =>
    execFileSync("taskset", ["--all-tasks", "--cpu-list", "--pid", processors, String(process.pid)], {
      stdio: "ignore",
    });
  let allowed;
  try {
    allowed = /^Cpus_allowed_list:\s*(\S+)/m.exec(readFileSync("/proc/self/status", "utf8"))[1];
    keepTo(String(Number.parseInt(allowed, 10)));
  } catch {
    return undefined;
  }
  // The browser's processes inherit the processors that this process may use.
  return await launch().finally(() => keepTo(allowed));
}

/** Returns the renderer process with the most CPU time: that of the page and its workers. */
async function renderer() {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send("SystemInfo.getProcessInfo");
  await session.detach();
  const renderers = processInfo.filter(({ type }) => type === "renderer");
  return renderers.sort((a, b) => b.cpuTime - a.cpuTime)[0]?.id;
}

/**
 * Returns the resident memory of a process in bytes, now and at its peak. The peak counts from when `5` was last written
 * to the process's `clear_refs`. Both values come from `/proc`, so this works on Linux alone.
 */
function resident(pid) {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const of = (field) => 1024 * Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1]);
  return { now: of("VmRSS"), most: of("VmHWM") };
}

async function peakOf(page, way, name) {
  try {
    const pid = await renderer();
    writeFileSync(`/proc/${pid}/clear_refs`, "5");
    const before = resident(pid).now;
    await page.evaluate(([way, name]) => window.run(way, name), [way, name]);
    return resident(pid).most - before;
  } catch {
    return undefined;
  }
}

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];
const result = { browser: browser.version(), rounds, pictures: [], together: {}, first: [] };
try {
  const page = await browser.newPage();
  await page.goto(`${server.url}/page.html`);
  await page.waitForFunction(() => window.ready, undefined, { timeout: 120_000 });
  const pictures = [];
  for (const name of given) {
    const type = typeOf(name);
    pictures.push([name, await page.evaluate(([name, type]) => window.add(name, type), [name, type])]);
  }
  for (const made of files ? [] : CONVERTED)
    pictures.push([made[1], await page.evaluate((made) => window.convert(...made), made)]);

  const chosen = only.split(",");
  for (const [name, bytes] of pictures.filter(([name]) => chosen.some((part) => name.includes(part)))) {
    const ways = {};
    // The browser doesn't decode every format that the gate does.
    const shown = await page.evaluate((name) => window.isShown(name), name);
    const WAYS = ALL_WAYS.filter((way) => way === "hashgate" || (shown && !(way === "general" && isOwn(name))));
    for (const way of WAYS) ways[way] = { times: [], longest: 0 };
    // The first round only warms up. In each round every way is measured once, so that other load on the machine
    // affects all of them.
    for (let round = 0; round <= (name.startsWith("48mp") ? Math.ceil(rounds / 3) : rounds); round += 1) {
      for (const way of WAYS) {
        const { milliseconds, longest, outcome, reason, by } = await page.evaluate(
          ([way, name]) => window.run(way, name),
          [way, name],
        );
        if (outcome === "unchecked") throw new Error(`${name} by ${way}: ${reason}`);
        if (round > 0) ways[way].times.push(milliseconds);
        ways[way].longest = Math.max(ways[way].longest, longest);
        if (by) ways[way].decodedBy = by;
      }
    }
    for (const way of WAYS) {
      const { times } = ways[way];
      ways[way].median = median(times);
      ways[way].megabytesPerSecond = bytes / MB / (ways[way].median / 1000);
      ways[way].peakBytes = await peakOf(page, way, name);
    }
    const memory = isOwn(name) ? undefined : await page.evaluate((name) => window.memory(name), name);
    const ratio = (way) => ways.hashgate.median / ways[way].median;
    const ratios = Object.fromEntries(WAYS.slice(1).map((way) => [way, ratio(way)]));
    result.pictures.push({ name, bytes, ways, ratios, wasmBytes: memory });
    const cell = (value, width = 9) => String(value).padStart(width);
    if (result.pictures.length === 1) {
      const head = "picture, median ms (hashgate / it)";
      console.log(`${head.padEnd(34)}${ALL_WAYS.map((way) => cell(way, 18)).join("")}`);
    }
    const row = WAYS.map((way) => {
      const times = way === "hashgate" ? "" : ` (${ratio(way).toFixed(3)})`;
      return cell(`${ways[way].median.toFixed(1)}${times}`, 18);
    });
    console.log(`${`${name}, ${(bytes / MB).toFixed(1)} MB`.padEnd(34)}${row.join("")}`);
    const { decodedBy, megabytesPerSecond, peakBytes } = ways.hashgate;
    const longest = WAYS.map((way) => `${way} ${ways[way].longest.toFixed(0)}`).join(", ");
    const peaks = WAYS.map((way) => `${way} ${((ways[way].peakBytes ?? Number.NaN) / MB).toFixed(0)}`).join(", ");
    console.log(
      `    by ${decodedBy}, ${megabytesPerSecond.toFixed(0)} MB/s` +
        (memory === undefined ? "" : `, wasm memory ${(memory / MB).toFixed(1)} MB`),
    );
    console.log(`    longest task of the page's thread, ms (under 50: 0): ${longest}`);
    if (peakBytes !== undefined) console.log(`    process memory beyond the start, MB: ${peaks}`);
  }

  // What a file of a decoder's own takes beside a PNG of as many pixels, in this run.
  const medianOf = (name) => result.pictures.find((picture) => picture.name === name)?.ways.hashgate.median;
  const [grid, png] = ["12mp-grid.heic", "12mp-photograph.png"].map(medianOf);
  if (grid && png) console.log(`12mp-grid.heic takes ${(grid / png).toFixed(2)} of the time of 12mp-photograph.png`);

  const several = given.filter((name) => name.includes(only) && (files || /^12mp.*jpg$/.test(name)));
  if (several.length > 0) single = await launchOnOneProcessor();
  const alone = await single?.newPage();
  await alone?.goto(`${server.url}/page.html`);
  await alone?.waitForFunction(() => window.ready, undefined, { timeout: 120_000 });
  for (const name of several) {
    await alone?.evaluate(([name, type]) => window.add(name, type), [name, typeOf(name)]);
    // `inTurn`: either the hashing worker or the lookup worker works at a time. `together`: one or two hashing workers
    // run beside the lookup worker. `alone`: the same with one hashing worker, but the whole browser is limited to one
    // processor.
    const ways = { inTurn: [page, "inTurn", 1], one: [page, "together", 1], two: [page, "together", 2] };
    if (alone) ways.alone = [alone, "together", 1];
    const times = { inTurn: [], one: [], two: [], alone: [] };
    // The second browser hasn't seen the files, so rounds -4 to 0 warm up and aren't counted.
    for (let round = -4; round <= rounds; round += 1) {
      for (const [way, [page, how, workers]] of Object.entries(ways)) {
        const ask = [how, name, workers];
        const taken = await page.evaluate(([how, name, workers]) => window[how](name, workers), ask);
        if (round > 0) times[way].push(taken);
      }
    }
    const two = median(times.two);
    console.log(`ten files of ${name}: by two workers ${two.toFixed(0)} ms, which is`);
    result.together[name] = { two };
    for (const [way, what] of [
      ["alone", "as fast as by one worker on one processor"],
      ["inTurn", "as fast as one file after the other"],
      ["one", "as fast as by one worker that is given all of them, with the other workers and the browser beside it"],
    ]) {
      if (!ways[way]) continue;
      const taken = median(times[way]);
      result.together[name][way] = { milliseconds: taken, throughput: taken / two };
      console.log(`    ${(taken / two).toFixed(2)} times ${what} (${taken.toFixed(0)} ms)`);
    }
  }

  // Uses a new page for each measurement, because a browser keeps compiled code within a page.
  for (const name of given.filter((name) => !files && /^12mp.*jpg$/.test(name) && name.includes(only))) {
    for (const warmUp of [true, false]) {
      const times = [];
      for (let round = 0; round < Math.ceil(rounds / 2); round += 1) {
        const context = await browser.newContext();
        const page = await context.newPage();
        await page.goto(`${server.url}/page.html?first`);
        await page.waitForFunction(() => window.ready);
        await page.evaluate(([name, type]) => window.add(name, type), [name, typeOf(name)]);
        times.push(await page.evaluate(([name, warmUp]) => window.first(name, warmUp), [name, warmUp]));
        await context.close();
      }
      const [first, second, tenth] = [0, 1, 9].map((number) => median(times.map((of) => of[number])));
      result.first.push({ name, warmUp, first, second, tenth });
      console.log(
        `${name} in a fresh page, warmed up: ${warmUp}: the first takes ${first.toFixed(1)} ms, the second ${second.toFixed(1)}, the tenth ${tenth.toFixed(1)}`,
      );
    }
  }
} finally {
  await single?.close();
  await browser.close();
  await server.close();
}
writeFileSync(`${FOLDER}/bench.json`, `${JSON.stringify(result, undefined, 2)}\n`);
console.log(`written: ${FOLDER}/bench.json`);
