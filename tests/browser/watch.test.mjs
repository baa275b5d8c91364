// Tests `gate.watch` and `hashgate/webrtc` with live streams: in real Chromium, with its fake camera and with canvases,
// and in Firefox.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { chromium } from "playwright-core";
import puppeteer from "puppeteer-core";
import { CHROMIUM } from "./chromium.mjs";
import { FIREFOX } from "./firefox.mjs";
import { CSP, serve } from "./server.mjs";

const PAGE = `<!doctype html><meta charset="utf-8"><title>watch</title><script type="module" src="/page.js"></script>`;
/** Draws pictures on canvases, and notes what a watch tells. */
const SCRIPT = `
import { openGate } from "/hashgate/index.js";
import { guardSender } from "/hashgate/webrtc.js";
const picture = async (url) => createImageBitmap(await (await fetch(url)).blob());
const [listed, other, clean] = await Promise.all(
  ["listed/listed-0", "listed/listed-3", "clean/clean-3"].map((name) => picture("/samples/" + name + ".jpg")));
const pictures = { listed, other, clean };
/** A canvas of 640 x 480 that draws one of the pictures 30 times a second, with a moving dot. */
const stage = (shown = "clean") => {
  const canvas = Object.assign(document.createElement("canvas"), { width: 640, height: 480 });
  const context = canvas.getContext("2d");
  const made = { canvas, shown, frames: 0, stop: () => clearInterval(timer) };
  const draw = () => {
    context.drawImage(pictures[made.shown], 0, 0, 640, 480);
    context.fillStyle = "#888";
    context.fillRect(made.frames++ % 600, 470, 6, 6);
  };
  draw();
  const timer = setInterval(draw, 1000 / 30);
  return made;
};
/** Notes the events of a watch, and waits for them. */
const noting = (watch) => {
  const notes = [];
  const waiting = new Set();
  const note = (entry) => {
    notes.push(entry);
    for (const check of waiting) check();
  };
  watch.addEventListener("verdict", ({ detail }) => note({ type: "verdict", state: watch.state, ...detail }));
  watch.addEventListener("statechange", () => note({ type: "state", state: watch.state }));
  watch.addEventListener("end", () => note({ type: "end" }));
  const until = (test) =>
    new Promise((resolve) => {
      const check = () => {
        const found = notes.find(test);
        if (!found) return;
        waiting.delete(check);
        resolve(found);
      };
      waiting.add(check);
      check();
    });
  return { notes, until, forget: () => notes.splice(0) };
};
/** Whether the middle of a video is black. */
const look = (video) => {
  const canvas = new OffscreenCanvas(64, 48);
  const context = canvas.getContext("2d");
  context.drawImage(video, 0, 0, 64, 48);
  const { data } = context.getImageData(8, 8, 48, 32);
  let sum = 0;
  for (let at = 0; at < data.length; at += 4) sum += data[at] + data[at + 1] + data[at + 2];
  return sum / (data.length / 4) / 3;
};
const likeness = (video, shown) => {
  const of = (image) => {
    const canvas = new OffscreenCanvas(32, 24);
    const context = canvas.getContext("2d");
    context.drawImage(image, 0, 0, 32, 24);
    return context.getImageData(0, 0, 32, 24).data;
  };
  const [one, two] = [of(video), of(pictures[shown])];
  return one.reduce((sum, value, at) => sum + Math.abs(value - two[at]), 0) / one.length;
};
Object.assign(window, { openGate, guardSender, stage, noting, look, likeness, pictures });
window.gate = await openGate({ filters: ["/samples/demo.hgf"], warmUp: false });
window.ready = true;
`;
const policy = CSP.replace("img-src 'self' blob:", "img-src 'self' blob:; media-src 'self' blob:");

let server;
let browser;
let page;

before(async () => {
  server = await serve({
    csp: policy,
    extra: {
      "/page.html": { body: PAGE, type: "text/html; charset=utf-8" },
      "/page.js": { body: SCRIPT, type: "text/javascript" },
    },
  });
  const args = [...CHROMIUM.args, "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"];
  browser = await chromium.launch({ ...CHROMIUM, args });
  page = await browser.newPage();
  page.setDefaultTimeout(120_000);
  await page.goto(`${server.url}/page.html`);
  await page.waitForFunction(() => window.ready);
});
after(async () => {
  await browser?.close();
  await server?.close();
});

/**
 * Draws a clean, then a listed picture on a canvas that a watch follows, and then releases the held stream. The watch
 * checks each new frame.
 */
const follow = async () => {
  const drawn = window.stage();
  const watch = window.gate.watch(drawn.canvas, { everyMs: 100 });
  const { until, notes, forget } = window.noting(watch);
  const before = { state: watch.state, by: watch.by, track: watch.track };
  const clear = await until(({ type, state }) => type === "verdict" && state === "clear");
  drawn.shown = "listed";
  const shownAt = performance.now();
  const hit = await until(({ outcome }) => outcome === "possible-match");
  const hitMs = performance.now() - shownAt;
  drawn.shown = "clean";
  await until(({ type, outcome, state }) => type === "verdict" && outcome === "clear" && state === "possible-match");
  const held = watch.state;
  forget();
  watch.release();
  const released = watch.state;
  await until(({ type, state }) => type === "state" && state === "clear");
  forget();
  drawn.shown = "other";
  await until(({ outcome }) => outcome === "possible-match");
  drawn.shown = "listed";
  const several = await until(({ matches }) => matches?.[0].strength === "several-frames");
  watch.stop();
  await until(({ type }) => type === "end");
  const count = notes.length;
  await new Promise((resolve) => setTimeout(resolve, 300));
  drawn.stop();
  return { before, clear, hit, hitMs, held, released, several, later: notes.length - count };
};

function assertFollowed({ before, clear, hit, held, released, several, later }, by) {
  assert.deepEqual([before.state, before.by], ["starting", by]);
  assert.equal(before.track, undefined);
  assert.equal(clear.outcome, "clear");
  assert.ok(clear.lookups > 0 && clear.quality >= 50, JSON.stringify(clear));
  assert.equal(clear.frame.width, 640);
  assert.ok(clear.frame.tookMs > 0);
  assert.match(hit.matches[0].strength, /^(one-ring|all-rings)$/);
  assert.equal(hit.matches[0].distinctKeys, 1);
  assert.equal(held, "possible-match", "a match stays until it is released");
  assert.equal(released, "starting");
  assert.ok(several.matches[0].distinctKeys >= 2);
  assert.equal(several.matches[0].frames.length, several.matches[0].distinctKeys);
  assert.equal(later, 0, "no event after the end");
}

test("Chromium: a canvas is watched by a track processor, and nothing leaves the page", async () => {
  const before = server.requests.length;
  assertFollowed(await page.evaluate(follow), "track-processor");
  const fetched = server.requests.slice(before).filter((request) => !/\/hashgate\/worker\.js$/.test(request));
  assert.deepEqual(fetched, []);
});

test("Chromium: a camera, its stop, and an aborted watch", async () => {
  const seen = await page.evaluate(async () => {
    const camera = await navigator.mediaDevices.getUserMedia({ video: { width: 1280, height: 720 } });
    const watch = window.gate.watch(camera, { everyMs: 100 });
    const { until, notes } = window.noting(watch);
    const first = await until(({ type }) => type === "verdict");
    await until(() => notes.filter(({ type }) => type === "verdict").length >= 5);
    const stopping = new AbortController();
    const other = window.gate.watch(camera.getVideoTracks()[0], { signal: stopping.signal });
    const ended = window.noting(other).until(({ type }) => type === "end");
    stopping.abort();
    await ended;
    // `stop` of a track fires no event. The watch notices that the stream of the track's frames has ended.
    camera.getVideoTracks()[0].stop();
    await until(({ type }) => type === "end");
    const took = notes.filter(({ type }) => type === "verdict").map(({ frame }) => frame.tookMs);
    return { first, by: watch.by, state: watch.state, took };
  });
  assert.equal(seen.by, "track-processor");
  assert.equal(seen.first.outcome, "clear");
  assert.deepEqual([seen.first.frame.width, seen.first.frame.height], [1280, 720]);
});

test("Chromium: a playing <video> is watched by the element", async () => {
  const seen = await page.evaluate(async () => {
    const drawn = window.stage("listed");
    const video = document.createElement("video");
    video.muted = true;
    video.srcObject = drawn.canvas.captureStream();
    await video.play();
    const watch = window.gate.watch(video, { everyMs: 100 });
    const hit = await window.noting(watch).until(({ outcome }) => outcome === "possible-match");
    watch.stop();
    drawn.stop();
    return { by: watch.by, hit };
  });
  assert.equal(seen.by, "video-element");
  assert.equal(seen.hit.matches[0].signal, "pdq");
});

test("wrong sources and options are refused by name", async () => {
  const messages = await page.evaluate(() => {
    const refusal = (...given) => {
      try {
        window.gate.watch(...given);
        return "none";
      } catch (error) {
        return `${error.code}: ${error.message}`;
      }
    };
    const canvas = document.createElement("canvas");
    const sound = new AudioContext().createMediaStreamDestination().stream;
    return [
      refusal({}),
      refusal(sound),
      refusal(sound.getAudioTracks()[0]),
      refusal(canvas, { everyMs: 5 }),
      refusal(canvas, { guard: "black" }),
    ];
  });
  assert.deepEqual(messages, [
    "invalid-options: watch: expected a MediaStream, a video track, a <video> or a <canvas>, got Object",
    "invalid-options: watch: expected a source with a video track, got one without",
    "invalid-options: watch: expected a MediaStream, a video track, a <video> or a <canvas>, got a track of sound",
    "invalid-options: everyMs: expected milliseconds from 20, got 5",
    'invalid-options: guard: expected event, blank, checked-only, got "black"',
  ]);
});

test("confirm: an answer of not-listed releases the stream, listed doesn't; all frames are asked about", async () => {
  const seen = await page.evaluate(async () => {
    const asked = [];
    let answer = "not-listed";
    const confirm = async (candidate) => {
      asked.push(candidate);
      return answer;
    };
    const gate = await window.openGate({ filters: ["/samples/demo.hgf"], warmUp: false, confirm });
    const drawn = window.stage("listed");
    const watch = gate.watch(drawn.canvas, { everyMs: 100 });
    const { until } = window.noting(watch);
    await until(({ outcome }) => outcome === "possible-match");
    // The service answers "not-listed", so the stream is released. The picture is on the list with several ring keys,
    // and each further key that matches is asked about separately.
    await until(({ type, state }) => type === "state" && state === "starting");
    await until(() => asked.length >= 3);
    const dismissed = asked.slice(0, 3);
    answer = "listed";
    drawn.shown = "other";
    const match = await until(({ outcome }) => outcome === "match");
    const { state } = watch;
    gate.close();
    drawn.stop();
    return { dismissed, candidate: asked[0], match, state };
  });
  assert.equal(new Set(seen.dismissed.map(({ key, pdq }) => key + pdq)).size, 3, "nothing is asked about twice");
  assert.match(seen.candidate.pdq, /^[0-9a-f]{64}$/);
  assert.equal(seen.candidate.frames.length, 1);
  assert.equal(seen.match.confirmedBy, "host");
  assert.equal(seen.state, "possible-match");
});

test("confirm: what matches while a question is open is asked about, whatever its answer", async () => {
  const seen = await page.evaluate(async () => {
    const asked = [];
    const answers = [];
    const confirm = (candidate) => {
      asked.push(candidate);
      return new Promise((answer) => answers.push(answer));
    };
    const options = { filters: ["/samples/demo.hgf"], warmUp: false, confirm, confirmTimeoutMs: 60_000 };
    const gate = await window.openGate(options);
    const drawn = window.stage("other");
    const watch = gate.watch(drawn.canvas, { everyMs: 100 });
    const { until, notes } = window.noting(watch);
    await until(({ outcome }) => outcome === "possible-match");
    drawn.shown = "listed";
    await until(({ matches }) => matches?.[0].strength === "several-frames");
    drawn.shown = "clean";
    const before = asked.length;
    answers[0]("not-listed");
    while (asked.length < 2) await new Promise((resolve) => setTimeout(resolve, 20));
    const released = notes.some(({ type, state }, at) => type === "state" && state === "starting" && at > 0);
    answers[1]("listed");
    const match = await until(({ outcome }) => outcome === "match");
    gate.close();
    drawn.stop();
    return { before, released, frames: asked.map(({ frames }) => frames.length), match: match.outcome };
  });
  assert.deepEqual(seen, { before: 1, released: false, frames: [1, 2], match: "match" });
});

/**
 * Makes a call between two connections of the page. Reports what the receiver shows after the listed picture has
 * appeared.
 */
const call = async ({ guard, everyMs }) => {
  const drawn = window.stage();
  const [here, there] = [new RTCPeerConnection(), new RTCPeerConnection()];
  here.onicecandidate = ({ candidate }) => candidate && there.addIceCandidate(candidate);
  there.onicecandidate = ({ candidate }) => candidate && here.addIceCandidate(candidate);
  const received = new Promise((resolve) => {
    there.ontrack = ({ track }) => resolve(track);
  });
  const [track] = drawn.canvas.captureStream(30).getVideoTracks();
  const sender = here.addTrack(track);
  const watch = await window.guardSender(window.gate, sender, { guard, everyMs });
  const { until } = window.noting(watch);
  await here.setLocalDescription(await here.createOffer());
  await there.setRemoteDescription(here.localDescription);
  await there.setLocalDescription(await there.createAnswer());
  await here.setRemoteDescription(there.localDescription);
  const video = document.createElement("video");
  video.muted = true;
  video.srcObject = new MediaStream([await received]);
  await video.play();
  // Looks at every frame that the receiver shows.
  const counts = { listed: 0, black: 0, clean: 0, total: 0 };
  let wake = () => {};
  const each = () => {
    counts.total += 1;
    const isBlack = window.look(video) < 8;
    if (isBlack) counts.black += 1;
    else if (window.likeness(video, "listed") < window.likeness(video, "clean")) counts.listed += 1;
    else counts.clean += 1;
    wake();
    video.requestVideoFrameCallback(each);
  };
  video.requestVideoFrameCallback(each);
  const counted = (test) =>
    new Promise((resolve) => {
      wake = () => test(counts) && resolve();
      wake();
    });
  await counted(({ clean }) => clean >= 30);
  const before = { ...counts };
  drawn.shown = "listed";
  await until(({ outcome }) => outcome === "possible-match");
  const blackBefore = counts.black;
  await counted(({ black }) => black >= blackBefore + 20);
  const during = { ...counts };
  drawn.shown = "clean";
  await until(({ type, outcome, state }) => type === "verdict" && outcome === "clear" && state === "possible-match");
  const held = { ...counts };
  await counted(({ black }) => black >= held.black + 5);
  watch.release();
  const cleanBefore = counts.clean;
  await counted(({ clean }) => clean >= cleanBefore + 5);
  const after = { ...counts };
  watch.stop();
  here.close();
  there.close();
  drawn.stop();
  return { before, during, after, by: watch.by, cleanWhileHeld: cleanBefore - during.clean };
};

test("Chromium: in a call, `blank` at 10 a second leaks at most 3 frames", async (t) => {
  const seen = await page.evaluate(call, { guard: "blank", everyMs: 100 });
  t.diagnostic(JSON.stringify(seen));
  assert.equal(seen.by, "track-processor");
  assert.equal(seen.before.listed, 0);
  assert.ok(seen.during.listed <= 3, JSON.stringify(seen));
  assert.equal(seen.after.listed, seen.during.listed);
  assert.equal(seen.cleanWhileHeld, 0, "black until it is released");
});

test("Chromium: in a call, `checked-only` leaks no frame", async (t) => {
  const seen = await page.evaluate(call, { guard: "checked-only", everyMs: 50 });
  t.diagnostic(JSON.stringify(seen));
  assert.equal(seen.after.listed, 0, JSON.stringify(seen));
  assert.ok(seen.after.clean > seen.before.clean, "the stream shows again after the release");
});

test("Firefox: by <video> and VideoFrame; guards that need a generator are refused", async (t) => {
  const firefox = await puppeteer.launch({
    ...FIREFOX,
    protocolTimeout: 120_000,
  });
  t.after(() => firefox.close());
  const tab = await firefox.newPage();
  await tab.goto(`${server.url}/page.html`);
  await tab.waitForFunction("window.ready");
  assertFollowed(await tab.evaluate(follow), "video-element");
  const code = await tab.evaluate(() => {
    try {
      window.gate.watch(document.createElement("canvas"), { guard: "blank" });
      return "none";
    } catch (error) {
      return error.code;
    }
  });
  assert.equal(code, "guard-unavailable");
});

test("Firefox with resistFingerprinting: unchecked, canvas-noise", async (t) => {
  const extraPrefsFirefox = { "privacy.resistFingerprinting": true };
  const firefox = await puppeteer.launch({ ...FIREFOX, extraPrefsFirefox });
  t.after(() => firefox.close());
  const tab = await firefox.newPage();
  await tab.goto(`${server.url}/page.html`);
  await tab.waitForFunction("window.ready");
  const seen = await tab.evaluate(async () => {
    const drawn = window.stage("listed");
    const watch = window.gate.watch(drawn.canvas, { everyMs: 100 });
    const told = await window.noting(watch).until(({ type }) => type === "verdict");
    watch.stop();
    drawn.stop();
    return { ...told, by: watch.by };
  });
  assert.deepEqual([seen.outcome, seen.reason, seen.state], ["unchecked", "canvas-noise", "unchecked"]);
});
