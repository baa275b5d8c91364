// Tests every example of docs/how-to/live-streams.md and check-films.md, unchanged, in real Chromium with its fake
// camera.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { chromium } from "playwright-core";
import { CHROMIUM } from "./chromium.mjs";
import { SERVED } from "./films.mjs";
import { CSP, serve } from "./server.mjs";

const pageOf = (name) => readFileSync(`docs/how-to/${name}.md`, "utf8");
const recipe = (page, heading) => {
  const section = pageOf(page)
    .split(/^#+ /m)
    .find((text) => text.startsWith(heading));
  const found = section?.match(/```js\n(.*?)```/s)?.[1] ?? assert.fail(`no example under "${heading}"`);
  // Replaces the package's name by URLs, because the test serves the package without a bundler.
  return found.replaceAll(/"hashgate(?:\/(\w+))?"/g, (_, entry) => `"/hashgate/${entry ?? "index"}.js"`);
};
const asFunction = (text, given, answer = "") => `export async function run(${given}) {\n${text}\n${answer}\n}`;

const modules = {
  "/watch.js": asFunction(recipe("live-streams", "Watch a camera"), "gate, console", "return watch;"),
  "/call.js": recipe("live-streams", "Guard a call"),
  "/screen.js": recipe("live-streams", "Guard a shared screen"),
  "/record.js": recipe("live-streams", "Upload a recording"),
  "/whip.js": recipe("live-streams", "Publish by WHIP"),
  "/films-recipe.js": asFunction(recipe("check-films", "Check films"), "gate, film, console"),
};
const SCRIPT = `
import { openGate } from "/hashgate/index.js";
import * as films from "/films.js";
window.films = films;
window.gate = await openGate({ filters: ["/samples/demo.hgf"], warmUp: false });
/** Resolves once the watch is in a state. */
window.until = (watch, state) => new Promise((resolve) => {
  const look = () => watch.state === state && resolve(state);
  watch.addEventListener("statechange", look);
  look();
});
/** Connects a sender's connection with another one, and shows what that receives. */
window.answer = async (offer) => {
  const there = new RTCPeerConnection();
  const received = new Promise((resolve) => { there.ontrack = ({ track }) => resolve(track); });
  await there.setRemoteDescription(offer);
  await there.setLocalDescription(await there.createAnswer());
  while (there.iceGatheringState !== "complete") {
    await new Promise((resolve) => there.addEventListener("icegatheringstatechange", resolve, { once: true }));
  }
  const video = document.createElement("video");
  video.muted = true;
  video.srcObject = new MediaStream([await received]);
  const shown = new Promise((resolve) => video.requestVideoFrameCallback(resolve));
  video.play().catch(() => {});
  return { sdp: there.localDescription, shown };
};
window.ready = true;
`;

let server;
let browser;
let page;
const uploads = [];

before(async () => {
  const script = (body) => ({ body, type: "text/javascript" });
  const extra = Object.fromEntries(Object.entries(modules).map(([path, body]) => [path, script(body)]));
  server = await serve({
    csp: CSP,
    extra: {
      ...SERVED,
      ...extra,
      "/page.html": {
        body: `<!doctype html><title>recipes</title><script type="module" src="/page.js"></script>`,
        type: "text/html",
      },
      "/page.js": script(SCRIPT),
    },
    handle(request, response, pathname) {
      if (pathname !== "/upload") return false;
      const pieces = [];
      request.on("data", (piece) => pieces.push(piece));
      request.on("end", () => {
        uploads.push(Buffer.concat(pieces));
        response.writeHead(204).end();
      });
      return true;
    },
  });
  const args = [
    ...CHROMIUM.args,
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--auto-select-desktop-capture-source=Entire screen",
  ];
  browser = await chromium.launch({ ...CHROMIUM, args });
  page = await browser.newPage();
  page.setDefaultTimeout(60_000);
  await page.goto(`${server.url}/page.html`);
  await page.waitForFunction(() => window.ready);
});
after(async () => {
  await browser?.close();
  await server?.close();
});

test("watch a camera", async () => {
  const seen = await page.evaluate(async () => {
    const logged = [];
    const watch = await (await import("/watch.js")).run(window.gate, { log: (state) => logged.push(state) });
    await window.until(watch, "clear");
    watch.stop();
    return logged;
  });
  assert.deepEqual(seen, ["clear"]);
});

test("guard a call: the receiver shows the guarded track", async () => {
  const state = await page.evaluate(async () => {
    const camera = await navigator.mediaDevices.getUserMedia({ video: true });
    const connection = new RTCPeerConnection();
    const { startVideo } = await import("/call.js");
    const watch = await startVideo(window.gate, connection, camera, () => {});
    await window.until(watch, "clear");
    await connection.setLocalDescription(await connection.createOffer());
    while (connection.iceGatheringState !== "complete") {
      await new Promise((resolve) => connection.addEventListener("icegatheringstatechange", resolve, { once: true }));
    }
    const { sdp, shown } = await window.answer(connection.localDescription);
    await connection.setRemoteDescription(sdp);
    await shown;
    const sent = connection.getSenders()[0].track === watch.track;
    watch.stop();
    connection.close();
    return { sent, by: watch.by };
  });
  assert.deepEqual(state, { sent: true, by: "track-processor" });
});

test("guard a shared screen: the watch ends when it is stopped", async () => {
  const state = await page.evaluate(async () => {
    // There is no screen to share, so the page shares a canvas instead. Everything else is as in the example.
    const canvas = Object.assign(document.createElement("canvas"), { width: 320, height: 240 });
    canvas.getContext("2d").fillRect(0, 0, 9, 9);
    const stream = canvas.captureStream(10);
    navigator.mediaDevices.getDisplayMedia = async () => stream;
    const connection = new RTCPeerConnection();
    const watch = await (await import("/screen.js")).shareScreen(window.gate, connection);
    const ended = new Promise((resolve) => watch.addEventListener("end", () => resolve("end")));
    stream.getVideoTracks()[0].dispatchEvent(new Event("ended"));
    return [await ended, watch.track.readyState];
  });
  assert.deepEqual(state, ["end", "ended"]);
});

test("upload a recording: it is checked as a film, and what arrives is the recording", async () => {
  await page.evaluate(async () => {
    const camera = await navigator.mediaDevices.getUserMedia({ video: true });
    const { record } = await import("/record.js");
    await record(window.gate, camera, new Promise((resolve) => setTimeout(resolve, 2500)));
  });
  assert.equal(uploads.length, 1);
  assert.equal(uploads[0].subarray(0, 4).toString("hex") === "1a45dfa3" || uploads[0].includes("ftyp"), true);
});

test("publish by WHIP: the endpoint receives video", async () => {
  await page.route("**/whip", async (route) => {
    const offer = { type: "offer", sdp: route.request().postData() };
    const sdp = await page.evaluate(async (offer) => {
      const { sdp, shown } = await window.answer(offer);
      window.shown = shown;
      return sdp.sdp;
    }, offer);
    await route.fulfill({ status: 201, contentType: "application/sdp", body: sdp });
  });
  const state = await page.evaluate(async () => {
    const camera = await navigator.mediaDevices.getUserMedia({ video: true });
    const { connection, watch } = await (await import("/whip.js")).publish(window.gate, camera, "/whip");
    await window.shown;
    const { state } = watch;
    watch.stop();
    connection.close();
    return state;
  });
  assert.equal(state, "clear");
});

test("check a film", async () => {
  const logged = await page.evaluate(async () => {
    const pictures = await window.films.load();
    const film = await window.films.film(pictures, {
      scenes: [
        ["clean-2", 2],
        ["listed-0", 2],
        ["listed-3", 2],
      ],
    });
    const logged = [];
    await (await import("/films-recipe.js")).run(window.gate, film, { log: (said) => logged.push(said) });
    return logged;
  });
  assert.match(String(logged[0]), /^\d+ of 6 s$/);
  assert.ok(logged.at(-1)[0][0] >= 1.9, JSON.stringify(logged.at(-1)));
});
