// Tests hashgate/service-worker in real Chromium and Firefox with uploads by fetch, XMLHttpRequest, navigating forms
// and tus. A real server records every byte that arrives.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { after, test } from "node:test";
import { chromium } from "playwright-core";
import puppeteer from "puppeteer-core";
import { CHROMIUM } from "./chromium.mjs";
import { FIREFOX } from "./firefox.mjs";
import { adversary } from "./service-worker-adversary.mjs";

/** The number of sequences of the scripted adversary, and the first one's seed, as in `adversary.test.mjs`. */
const COUNT = Number(process.env.HASHGATE_INTERLEAVINGS ?? 20);
const FIRST = Number(process.env.HASHGATE_SEED ?? 1);

const LISTED = readFileSync("target/samples/listed/listed-0.jpg");
const CLEAN = readFileSync("target/samples/clean/clean-1.jpg");
const digest = (bytes) => createHash("sha256").update(bytes).digest("hex");

const SERVICE_WORKER = `import { checkUploads } from "/hashgate/service-worker.js";
const options = Object.fromEntries(new URL(location.href).searchParams);
checkUploads({ ...options, origins: options.origins ? [options.origins] : [] });
self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));`;

const CLASSIC = `importScripts("/hashgate/service-worker.classic.js");
hashgate.checkUploads({});
self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));`;

const PAGE = `<!doctype html><html lang="en"><meta charset="utf-8"><title>app</title>
<form action="/upload" method="post" enctype="multipart/form-data"><input type="file" name="picture"></form>
<hashgate-notice></hashgate-notice>
<script type="module">
import { openGate } from "/hashgate/index.js";
import { listenToUploads } from "/hashgate/service-worker-page.js";
import "/hashgate/notice.js";
window.told = [];
for (const type of ["hashgate-checking", "hashgate-progress", "hashgate-held", "hashgate-settled"])
  addEventListener(type, () => window.told.push(type));
window.listen = () => { window.listening = listenToUploads(openGate({ filters: ["/samples/demo.hgf"], workers: 1 }),
  { notice: document.querySelector("hashgate-notice") }); };
window.register = async (query, { url = "/sw.js", type = "module" } = {}) => {
  await navigator.serviceWorker.register(url + query, { type });
  await navigator.serviceWorker.ready;
  while (!navigator.serviceWorker.controller) await new Promise((later) => setTimeout(later, 20));
};
window.picture = async (name) => (await fetch("/samples/" + name)).blob();
window.sent = async (url, init) => {
  const response = await fetch(url, init);
  const text = await response.text();
  return { status: response.status, type: response.headers.get("content-type"), text };
};
window.form = async (...names) => {
  const form = new FormData();
  form.append("comment", "hello");
  for (const name of names) form.append("picture", await picture(name), name.split("/").at(-1));
  return form;
};
window.ready = true;
</script>`;

const TYPES = { js: "text/javascript", wasm: "application/wasm", jpg: "image/jpeg" };

/** Starts a server that serves the page and records each upload. Pages of other origins may send to it, too. */
async function serving(context) {
  const uploads = [];
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, "http://localhost");
    const cors = {
      "access-control-allow-origin": "*",
      "access-control-allow-headers": "*",
      "access-control-allow-methods": "*",
    };
    const send = (status, type, body) => response.writeHead(status, { "content-type": type, ...cors }).end(body);
    if (request.method === "OPTIONS") return send(204, "text/plain", "");
    if (request.method !== "GET") {
      const body = Buffer.concat(await request.toArray());
      const type = request.headers["content-type"] ?? "";
      uploads.push({ path: pathname, type, bytes: body, digest: digest(body) });
      return send(200, "text/html", "<title>arrived</title>arrived");
    }
    if (pathname === "/") return send(200, "text/html; charset=utf-8", PAGE);
    if (pathname === "/sw.js") return send(200, "text/javascript", SERVICE_WORKER);
    if (pathname === "/classic.js") return send(200, "text/javascript", CLASSIC);
    try {
      const path = pathname
        .replace(/^\/hashgate\//, "dist/")
        .replace(/^\/samples\//, "target/samples/")
        .replace(/^\/films\//, "tests/browser/films/");
      send(200, TYPES[path.split(".").at(-1)] ?? "application/octet-stream", readFileSync(path));
    } catch {
      send(404, "text/plain", "not found");
    }
  });
  await new Promise((resolve) => server.listen(0, "localhost", resolve));
  context.after(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return { url: `http://localhost:${server.address().port}`, uploads };
}

const browsers = {};
after(() => Promise.all(Object.values(browsers).map(async (browser) => (await browser).close())));

/** For each browser, a function that opens the app in a fresh profile. */
const OPEN = {
  async Chromium(context, url) {
    browsers.Chromium ??= chromium.launch(CHROMIUM);
    const profile = await (await browsers.Chromium).newContext();
    context.after(() => profile.close());
    const page = await profile.newPage();
    await page.goto(url);
    await page.waitForFunction(() => window.ready);
    return page;
  },
  async Firefox(context, url) {
    browsers.Firefox ??= puppeteer.launch({ ...FIREFOX });
    const profile = await (await browsers.Firefox).createBrowserContext();
    context.after(() => profile.close());
    const page = await profile.newPage();
    await page.goto(url);
    await page.waitForFunction(() => window.ready);
    return page;
  },
};

async function opened(context, browser, query = "", { listen = true, ...registration } = {}) {
  const server = await serving(context);
  const page = await OPEN[browser](context, `${server.url}/`);
  await page.evaluate((...given) => window.register(...given), query, registration);
  if (listen) await page.evaluate(() => window.listen());
  return { ...server, page };
}

for (const browser of Object.keys(OPEN)) {
  test(`${browser}: a form by fetch passes if it is clean, and is answered with 451 if it is not`, async (context) => {
    const { page, uploads } = await opened(context, browser);
    const clean = await page.evaluate(async () =>
      window.sent("/upload", { method: "POST", body: await window.form("clean/clean-1.jpg", "clean/clean-2.jpg") }),
    );
    assert.equal(clean.status, 200);
    assert.equal(uploads.length, 1);
    assert.ok(uploads[0].bytes.includes(CLEAN), "the picture's bytes arrived");

    const held = await page.evaluate(async () =>
      window.sent("/upload", { method: "POST", body: await window.form("clean/clean-1.jpg", "listed/listed-0.jpg") }),
    );
    assert.equal(held.status, 451);
    assert.match(held.type, /application\/problem\+json/);
    const problem = JSON.parse(held.text);
    assert.deepEqual(problem.files, [{ name: "listed-0.jpg", outcome: "possible-match" }]);
    assert.equal(problem.status, 451);
    assert.equal(uploads.length, 1);
    const told = await page.evaluate(() => window.told);
    assert.deepEqual([...new Set(told)].sort(), [
      "hashgate-checking",
      "hashgate-held",
      "hashgate-progress",
      "hashgate-settled",
    ]);
    const shown = await page.evaluate(() => document.querySelector("hashgate-notice").shadowRoot.textContent);
    assert.match(shown, /listed-0\.jpg/);
  });

  test(`${browser}: a film is checked by the page; a listed one is answered with 451, and the notice says where`, async (context) => {
    const { page, uploads } = await opened(context, browser);
    const send = (name) =>
      page.evaluate(async (name) => {
        const film = await (await fetch(`/films/${name}.mp4`)).blob();
        const form = new FormData();
        form.append("film", film, `${name}.mp4`);
        return window.sent("/upload", { method: "POST", body: form });
      }, name);
    const held = await send("listed");
    assert.equal(held.status, 451, held.text);
    assert.deepEqual(JSON.parse(held.text).files, [{ name: "listed.mp4", outcome: "possible-match" }]);
    assert.equal(uploads.length, 0);
    const shown = await page.evaluate(() => {
      const { shadowRoot } = document.querySelector("hashgate-notice");
      return { text: shadowRoot.textContent, media: shadowRoot.querySelectorAll("video, audio, img").length };
    });
    assert.match(shown.text, /listed\.mp4.*In the film: 0:02–0:0[2345]\./s);
    assert.equal(shown.media, 0, "the notice plays nothing");
    assert.equal((await send("clean")).status, 200);
    assert.ok(uploads[0].bytes.includes(readFileSync("tests/browser/films/clean.mp4")));
  });

  test(`${browser}: bodies arrive byte for byte`, async (context) => {
    const { page, uploads } = await opened(context, browser);
    // A multipart body as a program without FormData may write it: with its own boundary, a part without a file name,
    // and an extra header.
    const head = `--x-1\r\nContent-Disposition: form-data; name="a"\r\n\r\nüber\r\n--x-1\r\nContent-Disposition: form-data; name="f"; filename="c.jpg"\r\nX-Odd: yes\r\nContent-Type: image/jpeg\r\n\r\n`;
    const tail = "\r\n--x-1--\r\n";
    const body = Buffer.concat([Buffer.from(head), CLEAN, Buffer.from(tail)]);
    const sent = await page.evaluate(
      async ({ before, behind }) => {
        const parts = [before, await window.picture("clean/clean-1.jpg"), behind];
        const headers = { "content-type": "multipart/form-data; boundary=x-1" };
        const multipart = await window.sent("/multipart", { method: "POST", headers, body: new Blob(parts) });
        const raw = await window.sent("/raw", { method: "PUT", body: await window.picture("clean/clean-1.jpg") });
        const json = await window.sent("/json", { method: "POST", body: JSON.stringify({ a: 1 }) });
        return [multipart.status, raw.status, json.status];
      },
      { before: head, behind: tail },
    );
    assert.deepEqual(sent, [200, 200, 200]);
    const of = (path) => uploads.find((upload) => upload.path === path);
    assert.equal(of("/multipart").digest, digest(body));
    assert.equal(of("/multipart").type, "multipart/form-data; boundary=x-1");
    assert.equal(of("/raw").digest, digest(CLEAN));
    assert.equal(of("/json").bytes.toString(), '{"a":1}');
  });

  test(`${browser}: a form with a preamble, as browsers don't write it, is checked`, async (context) => {
    const { page, uploads } = await opened(context, browser);
    const send = (name) =>
      page.evaluate(async (file) => {
        const head = `preamble\r\n--x-1\r\nContent-Disposition: form-data; name="f"; filename="c.jpg"\r\nContent-Type: image/jpeg\r\n\r\n`;
        const body = new Blob([head, await window.picture(file), "\r\n--x-1--\r\nepilogue"]);
        const headers = { "content-type": "multipart/form-data; boundary=x-1" };
        return window.sent("/multipart", { method: "POST", headers, body });
      }, name);
    assert.equal((await send("listed/listed-0.jpg")).status, 451);
    assert.equal(uploads.length, 0);
    const clean = await send("clean/clean-1.jpg");
    assert.equal(clean.status, 200);
    assert.ok(uploads[0].bytes.includes(CLEAN));
  });

  test(`${browser}: pictures in multipart/related, in nested parts and in compressed bodies are found`, async (context) => {
    const { page, uploads } = await opened(context, browser);
    const send = (way, name) =>
      page.evaluate(
        async ({ way: chosen, name: file }) => {
          const picture = await window.picture(file);
          const base64 = async () => {
            const binary = Array.from(new Uint8Array(await picture.arrayBuffer()), (byte) => String.fromCharCode(byte));
            return btoa(binary.join("")).replace(/.{76}/g, "$&\r\n");
          };
          const related = (encoding, content) => [
            'preamble\r\n--x-1\r\nContent-Type: application/json\r\n\r\n{"name":"a.jpg"}\r\n--x-10\r\n--x-1 \r\n',
            `content-type: image/jpeg\r\nContent-Transfer-Encoding:\r\n ${encoding}\r\n\r\n`,
            content,
            "\r\n--x-1--\r\nepilogue",
          ];
          const inner = [
            '--in\r\nContent-Disposition: attachment; filename="a \\"b\\" é.jpg"\r\n\r\n',
            picture,
            "\r\n--in--",
          ];
          const compressed = (parts, format) =>
            new Response(new Blob(parts).stream().pipeThrough(new CompressionStream(format))).blob();
          const bodies = {
            related: async () => ["multipart/related; boundary=x-1", "", new Blob(related("binary", picture))],
            base64: async () => ['multipart/related; boundary="x-1"', "", new Blob(related("base64", await base64()))],
            nested: async () => [
              "multipart/mixed; boundary=out",
              "",
              new Blob(["--out\r\nContent-Type: multipart/mixed; boundary=in\r\n\r\n", ...inner, "\r\n--out--\r\n"]),
            ],
            gzip: async () => ["image/jpeg", "gzip", await compressed([picture], "gzip")],
            both: async () => [
              "multipart/related; boundary=x-1",
              "identity, deflate",
              await compressed(related("binary", picture), "deflate"),
            ],
          };
          const [type, encoding, body] = await bodies[chosen]();
          const headers = { "content-type": type, ...(encoding && { "content-encoding": encoding }) };
          const { status, text } = await window.sent(`/${chosen}`, { method: "POST", headers, body });
          const bytes = await crypto.subtle.digest("SHA-256", await body.arrayBuffer());
          const sent = Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");
          return { status, text, sent };
        },
        { way, name },
      );
    for (const way of ["related", "base64", "nested", "gzip", "both"]) {
      const held = await send(way, "listed/listed-0.jpg");
      assert.equal(held.status, 451, way);
      const [file] = JSON.parse(held.text).files;
      assert.equal(file.outcome, "possible-match", way);
      if (way === "nested") assert.equal(file.name, 'a "b" é.jpg');
      assert.equal(uploads.length, 0, way);
      const clean = await send(way, "clean/clean-1.jpg");
      assert.equal(clean.status, 200, `${way}: ${clean.text}`);
      assert.equal(uploads.pop().digest, clean.sent, way);
    }
  });

  test(`${browser}: what can't be unpacked, and pieces by Content-Range, are held whatever the policy`, async (context) => {
    const { page, uploads } = await opened(context, browser, "?pageTimeoutMs=300&whenUnavailable=allow");
    const post = (headers, wrap = ["", ""]) =>
      page.evaluate(
        async ({ headers: given, wrap: [before, behind] }) => {
          const body = new Blob([before, await window.picture("clean/clean-1.jpg"), behind]);
          const { status, text } = await window.sent("/upload", { method: "POST", headers: given, body });
          return status === 451 ? JSON.parse(text).files[0].reason : status;
        },
        { headers, wrap },
      );
    const related = { "content-type": "multipart/related; boundary=x" };
    const part = "--x\r\nContent-Type: image/jpeg\r\n";
    const size = CLEAN.length;
    for (const [expected, ...given] of [
      ["unreadable", { "content-encoding": "zstd" }],
      ["unreadable", { "content-encoding": "gzip" }],
      ["unreadable", { "content-type": "multipart/related" }],
      ["unreadable", related],
      ["unreadable", related, [`${part}\r\n`, ""]],
      ["unreadable", related, [`${part}Content-Transfer-Encoding: quoted-printable\r\n\r\n`, "\r\n--x--"]],
      ["incomplete", { "content-range": `bytes 0-${size - 1}/${size + 1}` }],
      ["incomplete", { "content-range": `bytes 5-${size + 4}/${size + 5}` }],
      ["incomplete", { "upload-length": String(size + 1) }],
      ["incomplete", { "upload-complete": "?0" }],
      [200, { "content-range": `bytes 0-${size - 1}/${size}` }],
      [200, related, [`${part}\r\n`, "\r\n--x--"]],
    ]) {
      assert.equal(await post(...given), expected, JSON.stringify(given));
    }
    assert.equal(uploads.length, 2);
  });

  test(`${browser}: XMLHttpRequest with a raw body is checked`, async (context) => {
    const { page, uploads } = await opened(context, browser);
    const put = (name) =>
      page.evaluate(async (file) => {
        const body = await window.picture(file);
        return new Promise((resolve) => {
          const request = new XMLHttpRequest();
          request.open("PUT", "/files/picture.jpg");
          request.onloadend = () => resolve(request.status);
          request.send(body);
        });
      }, name);
    assert.equal(await put("listed/listed-0.jpg"), 451);
    assert.equal(await put("edited/listed-2-mirrored.jpg"), 451);
    assert.equal(await put("clean/clean-1.jpg"), 200);
    assert.deepEqual(
      uploads.map(({ digest: arrived }) => arrived),
      [digest(CLEAN)],
    );
  });

  test(`${browser}: a form that navigates reaches the server, or a page that says why not`, async (context) => {
    const { page, uploads, url } = await opened(context, browser);
    const submit = async (name) => {
      await page.evaluate(async (file) => {
        const files = new DataTransfer();
        files.items.add(new File([await window.picture(file)], file.split("/").at(-1), { type: "image/jpeg" }));
        document.querySelector("input").files = files.files;
        // Submits after this call has returned, because the form navigates away from the page.
        setTimeout(() => document.querySelector("form").requestSubmit(), 50);
      }, name);
      // Asks the page again and again: after a navigation, Firefox drops a function for which Puppeteer waits.
      for (const end = Date.now() + 20_000; Date.now() < end; await new Promise((later) => setTimeout(later, 100))) {
        const shown = await page
          .evaluate(() => [location.pathname, document.readyState, document.documentElement.textContent])
          .catch(() => []);
        if (shown[0] === "/upload" && shown[1] === "complete") return shown[2];
      }
      throw new Error("no answer to the form was shown");
    };
    assert.match(await submit("listed/listed-0.jpg"), /held before it left this device[\s\S]*listed-0\.jpg/);
    assert.equal(uploads.length, 0);
    await page.goto(`${url}/`);
    await page.waitForFunction(() => window.ready);
    await page.evaluate(() => window.listen());
    assert.match(await submit("clean/clean-1.jpg"), /arrived/);
    assert.equal(uploads.length, 1);
    assert.ok(uploads[0].bytes.includes(CLEAN));
  });

  test(`${browser}: a piece of a file is held, a file in one piece is checked`, async (context) => {
    const { page, uploads } = await opened(context, browser);
    const patch = (name, headers, from, to) =>
      page.evaluate(
        async ({ name: file, headers: more, from: start, to: end }) => {
          const body = (await window.picture(file)).slice(start, end);
          const all = { "content-type": "application/offset+octet-stream", ...more };
          return window.sent("/tus/1", { method: "PATCH", headers: all, body });
        },
        { name, headers, from, to },
      );
    const piece = await patch("clean/clean-1.jpg", { "upload-offset": "0" }, 0, 1000);
    assert.equal(piece.status, 451);
    assert.match(JSON.parse(piece.text).detail, /piece/);
    const whole = { "upload-offset": "0", "upload-length": String(CLEAN.length) };
    assert.equal((await patch("clean/clean-1.jpg", whole, 0, CLEAN.length)).status, 200);
    const listed = { "upload-offset": "0", "upload-length": String(LISTED.length) };
    assert.equal((await patch("listed/listed-0.jpg", listed, 0, LISTED.length)).status, 451);
    assert.equal(uploads.length, 1);
  });

  test(`${browser}: without a gate in any page, the option decides`, async (context) => {
    for (const [query, status] of [
      ["?pageTimeoutMs=300", 451],
      ["?pageTimeoutMs=300&whenUnavailable=allow", 200],
    ]) {
      const { page, uploads } = await opened(context, browser, query, { listen: false });
      const sent = await page.evaluate(async () =>
        window.sent("/upload", { method: "POST", body: await window.form("clean/clean-1.jpg") }),
      );
      assert.equal(sent.status, status);
      if (status === 451) assert.match(JSON.parse(sent.text).detail, /listenToUploads/);
      assert.equal(uploads.length, status === 200 ? 1 : 0);
    }
  });

  test(`${browser}: another origin's uploads are checked if it is named`, async (context) => {
    const other = await serving(context);
    const named = await opened(context, browser, `?origins=${encodeURIComponent(other.url)}`);
    const unnamed = await opened(context, browser);
    const send = ({ page }) =>
      page.evaluate(
        async (url) => window.sent(url, { method: "POST", body: await window.form("listed/listed-0.jpg") }),
        `${other.url}/upload`,
      );
    assert.equal((await send(named)).status, 451);
    assert.equal(other.uploads.length, 0);
    assert.equal((await send(unnamed)).status, 200);
    assert.equal(other.uploads.length, 1);
  });

  test(`${browser}: the classic script does the same`, async (context) => {
    const { page, uploads } = await opened(context, browser, "", { url: "/classic.js", type: "classic" });
    const sent = await page.evaluate(async () => [
      (await window.sent("/upload", { method: "POST", body: await window.form("listed/listed-0.jpg") })).status,
      (await window.sent("/upload", { method: "POST", body: await window.form("clean/clean-1.jpg") })).status,
    ]);
    assert.deepEqual(sent, [451, 200]);
    assert.equal(uploads.length, 1);
  });

  test(`${browser}: ${COUNT} interleavings of uploads`, { timeout: 3_600_000 }, async (context) => {
    const { page, uploads } = await opened(context, browser, "", { listen: false });
    // Runs at most 60 sequences at a time, so that the server need not keep all uploads in memory.
    const part = LISTED.subarray(1000, 3000);
    let sent = 0;
    for (let first = FIRST; first < FIRST + COUNT; first += 60) {
      const count = Math.min(60, FIRST + COUNT - first);
      const result = await page.evaluate(adversary, { first, count, steps: 20 });
      assert.deepEqual(result.problems, []);
      const arrived = uploads.splice(0);
      const listed = arrived.filter(({ bytes }) => bytes.includes(part)).map(({ path }) => path);
      assert.deepEqual(listed, [], "a listed picture arrived");
      const paths = new Set(arrived.map(({ path }) => path));
      const lost = result.due.filter((serial) => !paths.has(`/upload/${serial}`));
      assert.deepEqual(lost, [], "said to be uploaded, but did not arrive");
      sent += result.sent;
    }
    assert.ok(sent > 5 * COUNT, `${sent} uploads`);
    context.diagnostic(`${sent} uploads in ${COUNT} interleavings`);
  });
}
