// Tests `gate.check` with films in real Chromium and Firefox. The page makes the films with WebCodecs.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { chromium } from "playwright-core";
import puppeteer from "puppeteer-core";
import { CHROMIUM } from "./chromium.mjs";
import { SERVED } from "./films.mjs";
import { FIREFOX } from "./firefox.mjs";
import { CSP, serve } from "./server.mjs";

const PAGE = `<!doctype html><meta charset="utf-8"><title>films</title><input type="file" id="input" multiple>
<script type="module" src="/page.js"></script>`;
const SCRIPT = `
import { decide, openGate } from "/hashgate/index.js";
import { guard } from "/hashgate/guard.js";
import * as films from "/films.js";
const pictures = await films.load();
const made = new Map();
/** Makes a film once. */
window.film = (recipe) => {
  const name = JSON.stringify(recipe);
  if (!made.has(name)) made.set(name, films.film(pictures, recipe));
  return made.get(name);
};
/** A recording of a screen: a picture that stands still, in which the film plays. */
window.recording = (recipe) => films.film(pictures, { ...recipe, draw(context, name, share) {
  const { width, height } = context.canvas;
  const inner = new OffscreenCanvas(320, 240);
  films.scene(inner.getContext("2d"), pictures[name], share);
  context.drawImage(pictures["clean-5"], 0, 0, width, height);
  context.drawImage(inner, 120, 90, 400, 300);
} });
window.wait = (test) => new Promise((resolve) => { const look = () => (test() ? resolve() : setTimeout(look, 20)); look(); });
Object.assign(window, { decide, openGate, guard });
window.gate = await openGate({ filters: ["/samples/demo.hgf"], warmUp: false });
window.ready = true;
`;

let server;
let browser;
let page;
const extra = {
  ...SERVED,
  "/page.html": { body: PAGE, type: "text/html; charset=utf-8" },
  "/page.js": { body: SCRIPT, type: "text/javascript" },
};

before(async () => {
  server = await serve({ extra, csp: CSP });
  browser = await chromium.launch(CHROMIUM);
  page = await browser.newPage();
  page.setDefaultTimeout(120_000);
  await page.goto(`${server.url}/page.html`);
  await page.waitForFunction(() => window.ready);
});
after(async () => {
  await browser?.close();
  await server?.close();
});

const check = (recipe, options = {}) =>
  page.evaluate(async ([recipe, options]) => window.gate.check(await window.film(recipe), options), [recipe, options]);

/** A film with two listed pictures, each in a scene of its own. They are shown from second 3 to second 7. */
const LISTED = {
  scenes: [
    ["clean-2", 3],
    ["listed-0", 2],
    ["listed-3", 2],
    ["clean-3", 3],
  ],
};
const CLEAN = {
  scenes: [
    ["clean-2", 3],
    ["clean-3", 3],
  ],
};

for (const [container, codec, more] of [
  ["mp4", "avc", {}],
  ["mp4", "avc", { fastStart: "fragmented" }],
  ["mp4", "avc", { fastStart: "in-memory" }],
  ["mov", "av1", {}],
  ["webm", "vp9", {}],
  ["mkv", "vp8", { width: 320, height: 240 }],
]) {
  test(`${codec} in ${container} ${JSON.stringify(more)}: held by several frames, with their seconds`, async () => {
    const verdict = await check({ container, codec, ...more, ...LISTED });
    assert.equal(verdict.outcome, "possible-match", JSON.stringify(verdict));
    const [match] = verdict.matches;
    assert.equal(match.strength, "several-frames");
    assert.equal(match.distinctKeys, match.frames.length);
    assert.ok(match.distinctKeys >= 2 && match.chance < 1e-4, JSON.stringify(match));
    for (const [from, to] of match.ranges) assert.ok(from >= 2.9 && to <= 7.1, JSON.stringify(match.ranges));
    const { video } = verdict;
    assert.equal(video.container, container);
    assert.equal(video.decodedBy, "webcodecs");
    assert.ok(Math.abs(video.durationS - 10) < 0.1, String(video.durationS));
    assert.deepEqual(video.gaps, []);
  });
}

test("a clean film is clear, its digests are those of its bytes, and nothing leaves the page", async () => {
  await check(CLEAN);
  const before = server.requests.length;
  const { verdict, bytes } = await page.evaluate(async (recipe) => {
    const file = await window.film(recipe);
    const verdict = await window.gate.check(file);
    return {
      verdict: { ...verdict, isSame: verdict.file === file },
      bytes: Array.from(new Uint8Array(await file.arrayBuffer())),
    };
  }, CLEAN);
  assert.deepEqual(
    server.requests.slice(before).filter((request) => !request.endsWith("/hashgate/worker.js")),
    [],
  );
  assert.equal(verdict.outcome, "clear", JSON.stringify(verdict));
  assert.equal(verdict.matches, undefined);
  assert.ok(verdict.isSame, "the very file");
  for (const hash of ["sha256", "md5"]) {
    assert.equal(verdict[hash], createHash(hash).update(Uint8Array.from(bytes)).digest("hex"));
  }
});

test("one listed picture is weak: reported, and held only if the host asks for it", async () => {
  const recipe = {
    scenes: [
      ["clean-2", 3],
      ["listed-0", 3],
      ["clean-3", 3],
    ],
  };
  const weak = await check(recipe);
  assert.equal(weak.outcome, "clear");
  assert.equal(weak.matches[0].distinctKeys, 1);
  assert.ok(weak.matches[0].ranges[0][0] >= 2.9);
  const held = await check(recipe, { video: { minDistinct: 1 } });
  assert.equal(held.outcome, "possible-match");
});

test("scenes between far keyframes are found: gaps are filled, and the dense stage looks at the rest", async () => {
  const recipe = {
    keyEveryS: 60,
    scenes: [
      ["clean-2", 6],
      ["listed-0", 2],
      ["clean-3", 3],
      ["listed-3", 2],
      ["clean-4", 3],
    ],
  };
  const seen = await page.evaluate(async (recipe) => {
    const progress = [];
    const file = await window.film(recipe);
    const onProgress = (done) => progress.push(done);
    return { verdict: await window.gate.check(file, { video: { whole: true, onProgress } }), progress };
  }, recipe);
  assert.equal(seen.verdict.outcome, "possible-match", JSON.stringify(seen.verdict));
  const ranges = seen.verdict.matches[0].ranges;
  assert.equal(ranges.length, 2, JSON.stringify(ranges));
  assert.ok(ranges[0][1] - ranges[0][0] >= 1 && ranges[0][0] >= 5.9, "the dense stage saw more of each scene");
  for (const stage of ["first", "dense"]) {
    const seconds = seen.progress.filter((done) => done.stage === stage).map((done) => done.seconds);
    assert.deepEqual(
      seconds,
      seconds.toSorted((a, b) => a - b),
    );
    assert.ok(seconds.at(-1) > 15 && seconds.length > 0, `${stage}: ${seconds}`);
  }
});

test("a recording of a screen is found by the part that moves", async () => {
  const verdict = await page.evaluate(
    async (scenes) => {
      const file = await window.recording({ scenes });
      return window.gate.check(file);
    },
    [
      ["clean-2", 3],
      ["listed-0", 3],
      ["listed-3", 3],
      ["clean-3", 3],
    ],
  );
  assert.equal(verdict.outcome, "possible-match", JSON.stringify(verdict));
  assert.equal(verdict.matches[0].strength, "several-frames");
});

test("what can't be looked at is unchecked, with its seconds, and held by default", async () => {
  const seen = await page.evaluate(async (recipe) => {
    const whole = new Uint8Array(await (await window.film(recipe)).arrayBuffer());
    const early = new Uint8Array(await (await window.film({ ...recipe, fastStart: "in-memory" })).arrayBuffer());
    const text = (bytes, from, to) => {
      const copy = bytes.slice();
      const find = [...from].map((character) => character.charCodeAt(0));
      // Changes the last occurrence of the name. The first one is among the brands at the start of the file.
      const at = copy.findLastIndex((_, place) => find.every((code, step) => copy[place + step] === code));
      if (at < 0) throw new Error(`${from} isn't in the film`);
      copy.set(
        [...to].map((character) => character.charCodeAt(0)),
        at,
      );
      return copy;
    };
    const noise = early.slice();
    // Replaces the middle third of the file, which holds the frames, by noise.
    for (let at = Math.floor(noise.length / 3), end = 2 * at, state = 1; at < end; at += 1) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      noise[at] = state >>> 24;
    }
    const files = {
      black: await window.film({ scenes: [["black", 3]] }),
      "without its end": new File([whole.slice(0, whole.length - 200)], "cut.mp4"),
      "cut amid the pictures": new File([early.slice(0, early.length / 2)], "cut.mp4"),
      "noise inside": new File([noise], "noise.mp4"),
      encrypted: new File([text(whole, "avc1", "encv")], "encrypted.mp4"),
      "a codec that nobody knows": new File([text(whole, "avc1", "zzzz")], "odd.mp4"),
      avi: new File(
        [new TextEncoder().encode("RIFF\u0000\u0010\u0000\u0000AVI LIST"), new Uint8Array(4096)],
        "film.avi",
      ),
      "too many bytes": await window.film(recipe),
    };
    const verdicts = {};
    for (const [name, file] of Object.entries(files)) {
      const gate =
        name === "too many bytes"
          ? await window.openGate({ filters: ["/samples/demo.hgf"], warmUp: false, maxFilmBytes: 1000 })
          : window.gate;
      verdicts[name] = await gate.check(file);
      verdicts[name].decision = window.decide(verdicts[name], { unchecked: {} });
      if (gate !== window.gate) gate.close();
    }
    return verdicts;
  }, CLEAN);
  const reasons = Object.fromEntries(
    Object.entries(seen).map(([name, { outcome, reason }]) => [name, reason ?? outcome]),
  );
  assert.deepEqual(reasons, {
    black: "incomplete",
    "without its end": "unreadable",
    "cut amid the pictures": "unreadable",
    "noise inside": "unreadable",
    encrypted: "unsupported-film",
    "a codec that nobody knows": "unsupported-film",
    avi: "unsupported-film",
    "too many bytes": "too-large",
  });
  for (const [name, { decision }] of Object.entries(seen)) assert.equal(decision, "hold", name);
  assert.ok(seen["noise inside"].video.gaps.length > 0, JSON.stringify(seen["noise inside"]));
  assert.ok(seen["cut amid the pictures"].video.gaps.length > 0);
});

test("sound alone is no film, and passes by default", async () => {
  const verdict = await page.evaluate(async () => {
    const bunny = await import("/mediabunny.mjs");
    const target = new bunny.BufferTarget();
    const output = new bunny.Output({ format: new bunny.WebMOutputFormat(), target });
    const source = new bunny.AudioBufferSource({ codec: "opus", bitrate: 64_000 });
    output.addAudioTrack(source);
    await output.start();
    await source.add(new AudioBuffer({ length: 48_000, sampleRate: 48_000, numberOfChannels: 1 }));
    await output.finalize();
    const verdict = await window.gate.check(new File([target.buffer], "sound.webm"));
    return { ...verdict, decision: window.decide(verdict, { unchecked: {} }) };
  });
  assert.deepEqual([verdict.outcome, verdict.reason, verdict.decision], ["unchecked", "not-a-picture", "upload"]);
});

test("maxFileBytes isn't for films; bytes are taken as files are", async () => {
  const seen = await page.evaluate(async (recipe) => {
    const file = await window.film(recipe);
    const gate = await window.openGate({ filters: ["/samples/demo.hgf"], warmUp: false, maxFileBytes: 1000 });
    const bytes = await file.arrayBuffer();
    const verdicts = [await gate.check(file), await gate.check(bytes), await window.gate.check(bytes)];
    gate.close();
    return verdicts.map(({ outcome }) => outcome);
  }, LISTED);
  assert.deepEqual(seen, ["possible-match", "possible-match", "possible-match"]);
});

test("an abort ends the check at once, and the gate goes on", async () => {
  const seen = await page.evaluate(
    async ([listed, clean]) => {
      const [file, other] = [await window.film(clean), await window.film(listed)];
      const stopping = new AbortController();
      const progress = [];
      const onProgress = ({ seconds }) => {
        progress.push(seconds);
        stopping.abort(new Error("enough"));
      };
      const error = await window.gate
        .check(file, { signal: stopping.signal, video: { onProgress } })
        .catch((error) => error);
      return { message: error.message, count: progress.length, next: (await window.gate.check(other)).outcome };
    },
    [LISTED, CLEAN],
  );
  assert.deepEqual(seen, { message: "enough", count: 1, next: "possible-match" });
});

test("confirm gets all candidates in one question; its answer decides", async () => {
  const seen = await page.evaluate(async (recipe) => {
    const file = await window.film(recipe);
    const ask = async (answer) => {
      const asked = [];
      const confirm = async (candidate) => {
        asked.push(candidate);
        return answer;
      };
      const gate = await window.openGate({ filters: ["/samples/demo.hgf"], warmUp: false, confirm });
      const verdict = await gate.check(file);
      gate.close();
      return { asked, verdict };
    };
    return { listed: await ask("listed"), unknown: await ask("unknown") };
  }, LISTED);
  const { asked, verdict } = seen.listed;
  assert.equal(asked.length, 1);
  assert.equal(asked[0].frames.length, verdict.matches[0].frames.length);
  assert.equal(asked[0].lists[0].strength, "several-frames");
  assert.deepEqual([verdict.outcome, verdict.confirmedBy], ["match", "host"]);
  assert.deepEqual([seen.unknown.verdict.outcome, seen.unknown.verdict.confirmation], ["possible-match", "unknown"]);
});

test("a film whose bytes are listed is held by its digest, in Node too", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "hashgate-film-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const bytes = Buffer.from(
    await page.evaluate(
      async (recipe) => Array.from(new Uint8Array(await (await window.film(recipe)).arrayBuffer())),
      CLEAN,
    ),
  );
  const list = join(folder, "list.csv");
  writeFileSync(list, `hash,type\n${createHash("md5").update(bytes).digest("hex")},md5\n`);
  const filter = join(folder, "films.hgf");
  execFileSync("target/debug/hashgate", ["build", list, "--out", filter, "--name", "Films", "--category", "drawn"]);
  const inPage = await page.evaluate(
    async ([recipe, filter]) => {
      const gate = await window.openGate({ filters: [Uint8Array.from(filter)], warmUp: false });
      const verdicts = [await gate.check(await window.film(recipe)), await gate.check(new Blob(["text"]))];
      gate.close();
      return verdicts;
    },
    [CLEAN, Array.from(readFileSync(filter))],
  );
  assert.equal(inPage[0].matches[0].strength, "exact-bytes");
  const { openGate } = await import("../../dist/node.js");
  const gate = await openGate({ filters: [filter] });
  const digests = await gate.check(bytes);
  gate.close();
  assert.equal(digests.outcome, "possible-match");
  const pictures = await openGate({ filters: ["target/samples/demo.hgf"] });
  const verdict = await pictures.check(bytes);
  pictures.close();
  assert.deepEqual([verdict.outcome, verdict.reason], ["unchecked", "unsupported-film"]);
  assert.match(verdict.detail, /in browsers alone/);
});

test("the guard holds a listed film, and lets a clean one through", async () => {
  const seen = await page.evaluate(
    async ([listed, clean]) => {
      const input = document.querySelector("#input");
      const events = [];
      const kept = [];
      for (const type of ["hashgate-held", "hashgate-settled"]) {
        addEventListener(type, ({ detail }) => events.push([type, detail.verdict?.matches?.[0].strength]));
      }
      input.addEventListener("change", () => kept.push([...input.files].map(({ name }) => name)));
      window.guard(input, window.gate);
      const rename = (file, name) => new File([file], name);
      const data = new DataTransfer();
      data.items.add(rename(await window.film(listed), "listed.mp4"));
      data.items.add(rename(await window.film(clean), "clean.mp4"));
      input.files = data.files;
      input.dispatchEvent(new Event("change", { bubbles: true }));
      await window.wait(() => events.some(([type]) => type === "hashgate-settled"));
      return { events, kept };
    },
    [LISTED, CLEAN],
  );
  assert.deepEqual(
    seen.events.find(([type]) => type === "hashgate-held"),
    ["hashgate-held", "several-frames"],
  );
  assert.deepEqual(seen.kept.at(-1), ["clean.mp4"]);
});

test("Firefox: decoded frames of RGB are hashed as those of Chromium", async (t) => {
  const firefox = await puppeteer.launch({
    ...FIREFOX,
    protocolTimeout: 120_000,
  });
  t.after(() => firefox.close());
  const tab = await firefox.newPage();
  // Both browsers check the same bytes.
  const recipe = { container: "webm", codec: "vp9", ...LISTED };
  const bytes = Buffer.from(
    await page.evaluate(
      async (recipe) => Array.from(new Uint8Array(await (await window.film(recipe)).arrayBuffer())),
      recipe,
    ),
  );
  extra["/made.webm"] = { body: bytes, type: "video/webm" };
  await tab.goto(`${server.url}/page.html`);
  await tab.waitForFunction("window.ready");
  const verdict = await tab.evaluate(async () => window.gate.check(await (await fetch("/made.webm")).blob()));
  assert.equal(verdict.outcome, "possible-match", JSON.stringify(verdict));
  assert.equal(verdict.matches[0].strength, "several-frames");
  const here = await check(recipe);
  let bits = 0;
  for (let at = 0; at < 64; at += 1) {
    for (
      let differ = Number.parseInt(verdict.pdq[at], 16) ^ Number.parseInt(here.pdq[at], 16);
      differ;
      differ &= differ - 1
    )
      bits += 1;
  }
  assert.ok(bits <= 8, `${bits} bits between the first frames`);
});
