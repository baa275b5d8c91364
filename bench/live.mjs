// npm run bench -- --only live [--seconds 20]
// What watching a live stream of 720p costs in Chromium, against a list of 1,000,000 hashes, in one run:
// - a frame's time from being taken to its verdict, of the fake camera and of a canvas;
// - the browser's processor time and the encoder's frame rate in a loopback call, without a watch and with one, by turns;
// - the time from a listed picture's appearance to the event, beside the sampling interval;
// - how many frames of it a receiver sees, with the guards `blank` and `checked-only`.
import { readdirSync, readFileSync } from "node:fs";
import { chromium } from "playwright-core";
import { CHROMIUM } from "../tests/browser/chromium.mjs";
import { CSP, serve } from "../tests/browser/server.mjs";
import { millionFilter } from "./million.mjs";

const at = process.argv.indexOf("--seconds");
const SECONDS = at < 0 ? 20 : Number(process.argv[at + 1]);
const ROUNDS = 3;
/** Linux counts processor time in this many parts of a second. */
const TICKS = 100;

const SCRIPT = `
import { openGate } from "/hashgate/index.js";
import { guardSender } from "/hashgate/webrtc.js";
const picture = async (name) => createImageBitmap(await (await fetch("/samples/" + name + ".jpg")).blob());
const pictures = { clean: await picture("clean/clean-3"), listed: await picture("listed/listed-0") };
const gate = await openGate({ filters: ["/million.hgf", "/samples/demo.hgf"] });
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];
/** A canvas of 720p that draws a picture 30 times a second, with a moving dot. */
const stage = () => {
  const canvas = Object.assign(document.createElement("canvas"), { width: 1280, height: 720 });
  const context = canvas.getContext("2d");
  const made = { canvas, shown: "clean", frames: 0, stop: () => clearInterval(timer) };
  const draw = () => {
    context.drawImage(pictures[made.shown], 0, 0, 1280, 720);
    context.fillStyle = "#888";
    context.fillRect(made.frames++ % 1200, 700, 12, 12);
  };
  draw();
  const timer = setInterval(draw, 1000 / 30);
  return made;
};
const camera = () => navigator.mediaDevices.getUserMedia({ video: { width: 1280, height: 720, frameRate: 30 } });
const state = (watch, wanted) => new Promise((resolve) => {
  const look = () => watch.state === wanted && resolve();
  watch.addEventListener("statechange", look);
  look();
});
window.frameTime = async (source, count) => {
  const drawn = source === "canvas" ? stage() : undefined;
  const stream = drawn ? drawn.canvas.captureStream(30) : await camera();
  const watch = gate.watch(stream, { everyMs: 200 });
  const times = [];
  await new Promise((resolve) => watch.addEventListener("verdict", ({ detail }) => {
    times.push(detail.frame.tookMs);
    if (times.length === count + 3) resolve();
  }));
  const { lookups, quality } = watch.verdict;
  watch.stop();
  drawn?.stop();
  for (const track of stream.getTracks()) track.stop();
  // The first ones warm up.
  return { median: median(times.slice(3)), most: Math.max(...times.slice(3)), lookups, quality };
};
/** Connects a sender with a receiver in this page. */
const connect = async (here, there) => {
  here.onicecandidate = ({ candidate }) => candidate && there.addIceCandidate(candidate);
  there.onicecandidate = ({ candidate }) => candidate && here.addIceCandidate(candidate);
  const received = new Promise((resolve) => { there.ontrack = ({ track }) => resolve(track); });
  await here.setLocalDescription(await here.createOffer());
  await there.setRemoteDescription(here.localDescription);
  await there.setLocalDescription(await there.createAnswer());
  await here.setRemoteDescription(there.localDescription);
  const video = Object.assign(document.createElement("video"), { muted: true, srcObject: new MediaStream([await received]) });
  await video.play();
  return video;
};
let call;
window.openCall = async () => {
  const stream = await camera();
  const [here, there] = [new RTCPeerConnection(), new RTCPeerConnection()];
  const [track] = stream.getVideoTracks();
  here.addTrack(track);
  const video = await connect(here, there);
  call = { here, there, stream, track, video };
};
window.watchCall = (everyMs) => { call.watch = everyMs === 0 ? undefined : gate.watch(call.track, { everyMs }); };
window.unwatchCall = () => { call.watch?.stop(); };
window.encoded = async () => {
  const stats = [...(await call.here.getStats()).values()].find(({ type, kind }) => type === "outbound-rtp" && kind === "video");
  return { frames: stats.framesEncoded, ms: stats.timestamp, height: stats.frameHeight };
};
window.closeCall = () => {
  call.here.close();
  call.there.close();
  for (const track of call.stream.getTracks()) track.stop();
};
window.latency = async (everyMs) => {
  const drawn = stage();
  const watch = gate.watch(drawn.canvas, { everyMs });
  await state(watch, "clear");
  // Somewhere within the interval.
  await wait(everyMs * (1 + Math.random()));
  const start = performance.now();
  drawn.shown = "listed";
  await state(watch, "possible-match");
  const ms = performance.now() - start;
  watch.stop();
  drawn.stop();
  return ms;
};
window.leak = async (guard, everyMs) => {
  const drawn = stage();
  const [here, there] = [new RTCPeerConnection(), new RTCPeerConnection()];
  const sender = here.addTrack(drawn.canvas.captureStream(30).getVideoTracks()[0]);
  const watch = await guardSender(gate, sender, { guard, everyMs });
  const video = await connect(here, there);
  const small = new OffscreenCanvas(32, 18).getContext("2d", { willReadFrequently: true });
  const pixelsOf = (image) => {
    small.drawImage(image, 0, 0, 32, 18);
    return small.getImageData(0, 0, 32, 18).data;
  };
  const references = Object.entries({ clean: pictures.clean, listed: pictures.listed }).map(([name, image]) => [name, pixelsOf(image)]);
  references.push(["black", new Uint8Array(32 * 18 * 4)]);
  const counts = { clean: 0, listed: 0, black: 0 };
  const each = () => {
    const pixels = pixelsOf(video);
    const far = ([, other]) => pixels.reduce((sum, value, at) => sum + (at % 4 === 3 ? 0 : Math.abs(value - other[at])), 0);
    counts[references.toSorted((a, b) => far(a) - far(b))[0][0]] += 1;
    video.requestVideoFrameCallback(each);
  };
  video.requestVideoFrameCallback(each);
  await state(watch, "clear");
  while (counts.clean < 20) await wait(20);
  drawn.shown = "listed";
  await state(watch, "possible-match");
  const black = counts.black;
  while (counts.black < black + 10) await wait(20);
  watch.stop();
  here.close();
  there.close();
  drawn.stop();
  return counts;
};
window.ready = true;
`;
const server = await serve({
  csp: `${CSP}; media-src 'self' blob:`,
  extra: {
    "/page.html": { body: `<!doctype html><script type="module" src="/page.js"></script>`, type: "text/html" },
    "/page.js": { body: SCRIPT, type: "text/javascript" },
    "/million.hgf": { body: readFileSync(millionFilter().filter) },
  },
});
const args = [...CHROMIUM.args, "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"];
const browser = await chromium.launch({ ...CHROMIUM, args });

/** Returns the seconds of processor time that the browser's living processes have used so far. */
function processorTime() {
  const stats = new Map();
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
        .replace(/^.*\) /s, "")
        .split(" ");
      stats.set(pid, { parent: fields[1], ticks: Number(fields[11]) + Number(fields[12]) });
    } catch {
      // It has just ended.
    }
  }
  const own = String(process.pid);
  const descends = (pid) => pid !== undefined && (pid === own || descends(stats.get(pid)?.parent));
  let ticks = 0;
  for (const [pid, stat] of stats) if (pid !== own && descends(pid)) ticks += stat.ticks;
  return ticks / TICKS;
}

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];
const list = (values, digits) => values.map((value) => value.toFixed(digits)).join(", ");
try {
  const page = await browser.newPage();
  await page.goto(`${server.url}/page.html`);
  await page.waitForFunction(() => window.ready);

  for (const source of ["camera", "canvas"]) {
    const { median, most, lookups, quality } = await page.evaluate((source) => window.frameTime(source, 40), source);
    const of = `${lookups} lookups, quality ${quality}`;
    console.log(`a frame of the ${source}, 720p: median ${median.toFixed(1)} ms, most ${most.toFixed(1)} (${of})`);
  }

  const INTERVALS = [0, 1000, 200];
  const cores = Object.fromEntries(INTERVALS.map((everyMs) => [everyMs, []]));
  const rates = Object.fromEntries(INTERVALS.map((everyMs) => [everyMs, []]));
  await page.evaluate(() => window.openCall());
  // The encoder's rate rises in the first seconds.
  await new Promise((resolve) => setTimeout(resolve, 10_000));
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const everyMs of INTERVALS) {
      await page.evaluate((everyMs) => window.watchCall(everyMs), everyMs);
      await new Promise((resolve) => setTimeout(resolve, 2000));
      const [before, used] = [await page.evaluate(() => window.encoded()), processorTime()];
      await new Promise((resolve) => setTimeout(resolve, SECONDS * 1000));
      const [after, usedAfter] = [await page.evaluate(() => window.encoded()), processorTime()];
      const seconds = (after.ms - before.ms) / 1000;
      cores[everyMs].push((usedAfter - used) / seconds);
      rates[everyMs].push((after.frames - before.frames) / seconds);
      await page.evaluate(() => window.unwatchCall());
    }
  }
  await page.evaluate(() => window.closeCall());
  for (const everyMs of INTERVALS) {
    const name = everyMs === 0 ? "without a watch" : `with a watch every ${everyMs} ms`;
    const [core, rate] = [median(cores[everyMs]), median(rates[everyMs])];
    const more = `${(100 * (core - median(cores[0]))).toFixed(1)}% of a core more`;
    const share = `${(100 * (rate / median(rates[0]))).toFixed(1)}% of the rate without`;
    console.log(`a call ${name}: ${core.toFixed(3)} of a core (${list(cores[everyMs], 3)}), ${more}`);
    console.log(`    ${rate.toFixed(2)} frames a second encoded (${list(rates[everyMs], 2)}), ${share}`);
  }

  for (const everyMs of [1000, 200, 100]) {
    const times = [];
    for (let round = 0; round < 6; round += 1) {
      times.push(await page.evaluate((everyMs) => window.latency(everyMs), everyMs));
    }
    const beyond = (Math.max(...times) - everyMs).toFixed(0);
    console.log(`event every ${everyMs} ms: after ${list(times, 0)} ms; at most the interval and ${beyond} ms`);
  }

  for (const [guard, everyMs] of [
    ["blank", 100],
    ["checked-only", 100],
  ]) {
    const leaks = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      leaks.push(await page.evaluate(([guard, everyMs]) => window.leak(guard, everyMs), [guard, everyMs]));
    }
    const told = leaks
      .map(({ listed, clean, black }) => `${listed} listed (${clean} clean, ${black} black)`)
      .join(", ");
    console.log(`${guard} every ${everyMs} ms, frames that the receiver showed: ${told}`);
  }
} finally {
  await browser.close();
  await server.close();
}
