// Publishes lists for tests, and serves them. A list's `fault` makes the server misbehave.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

const CLI = "target/debug/hashgate";

/** Makes a key pair in `folder`. Returns the file of the private key, and the public key as text. */
export function keygen(folder, name) {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, name);
  execFileSync(CLI, ["keygen", "--out", file, "--name", `${name}.test`]);
  return { file, trust: readFileSync(`${file}.pub`, "utf8").trim() };
}

/** Signs the hashes `rows`, and publishes them as the next release of the list in `folder`. */
export function publish(folder, key, rows, { name = "Test list", more = [] } = {}) {
  mkdirSync(folder, { recursive: true });
  const list = `${folder}.csv`;
  writeFileSync(list, `hash,type\n${rows.join("\n")}\n`);
  const names = ["--name", name, "--category", "drawn sample pictures"];
  execFileSync(CLI, ["publish", list, "--dir", folder, "--key", key.file, ...names, ...more]);
}

export const cosign = (manifest, key) => execFileSync(CLI, ["cosign", manifest, "--key", key.file]);

/** Returns the rows of the demo list. */
export function listedRows() {
  const [head, ...lines] = readFileSync("target/demo.csv", "utf8").trim().split("\n");
  const place = head.split(",").indexOf("pdq");
  return lines.map((line) => `${line.split(",")[place]},pdq`);
}

/** Returns `count` rows with hashes of no picture. */
export const numberedRows = (count) =>
  Array.from({ length: count }, (_, n) => `${createHash("sha256").update(String(n)).digest("hex")},pdq`);

/**
 * Serves lists under /lists/SITE/. A site is a folder that `publish` made, as it was at `release`. Its `fault` replaces
 * the answers for the files that `fault.on` names: "manifest", "full" or "delta", or several of them.
 */
export class Lists {
  sites = new Map();
  requests = [];

  add(site, folder, release) {
    this.sites.set(site, { folder, release, fault: undefined });
    return this.sites.get(site);
  }

  handle = (request, response, pathname) => {
    const [, site, name] = /^\/lists\/([^/]+)\/([^/]+)$/.exec(pathname) ?? [];
    const state = this.sites.get(site);
    if (!state) return false;
    const kind = name.split(/[-.]/)[0];
    this.requests.push({ site, name, kind, headers: request.headers });
    const good = this.#good(state, name);
    if (state.fault && [state.fault.on].flat().includes(kind)) state.fault.act(request, response, good);
    else if (good) answer(request, response, good);
    else response.writeHead(404).end();
    return true;
  };

  #good({ folder, release }, name) {
    const past = join(folder, `manifest-${release}.txt`);
    const file = name === "manifest.txt" && existsSync(past) ? past : join(folder, name);
    if (!existsSync(file)) return undefined;
    const body = readFileSync(file);
    const etag = `"${createHash("sha256").update(body).digest("hex").slice(0, 16)}"`;
    return { body, etag, type: file.endsWith(".txt") ? "text/plain; charset=utf-8" : "application/octet-stream" };
  }
}

/** Answers like a static file server that supports conditional requests and ranges. */
export function answer(request, response, { body, etag, type }, headers = {}) {
  if (request.headers["if-none-match"] === etag) return response.writeHead(304, { etag }).end();
  const [, start] = /^bytes=(\d+)-$/.exec(request.headers.range ?? "") ?? [];
  const whole = start === undefined || (request.headers["if-range"] ?? etag) !== etag;
  if (!whole && Number(start) >= body.length) return response.writeHead(416).end();
  const sent = whole ? body : body.subarray(Number(start));
  response.writeHead(whole ? 200 : 206, {
    "content-type": type,
    "content-length": sent.length,
    "accept-ranges": "bytes",
    etag,
    ...(!whole && { "content-range": `bytes ${start}-${body.length - 1}/${body.length}` }),
    ...headers,
  });
  return response.end(sent);
}

/** Starts an answer with the head of the whole body, and closes the connection after `length` bytes. */
function cut(response, body, length, headers = {}) {
  response.writeHead(200, { "content-length": body.length, ...headers });
  response.write(body.subarray(0, length), () => response.destroy());
}

const status = (code) => (_, response) => response.writeHead(code, { "content-type": "text/plain" }).end("fault\n");
const send =
  (make, headers = {}) =>
  (_, response, { body }) => {
    const made = make(body);
    response.writeHead(200, { "content-length": made.length, ...headers }).end(made);
  };
const flipped = (body, place) => {
  const copy = Buffer.from(body);
  copy[place] ^= 1 << (place % 8);
  return copy;
};

/** Yields `count` byte positions below `length` at which bits are flipped: the same in each run. */
function* places(count, length) {
  for (let n = 0; n < count; n += 1) yield (Math.imul(n + 1, 2654435761) >>> 0) % length;
}

/** Sends an endless answer, as fast as the client reads it. */
function endless(_, response) {
  response.writeHead(200, { "content-type": "application/octet-stream" });
  const block = Buffer.alloc(1 << 16, "hashgate");
  const pump = () => {
    while (!response.destroyed && response.write(block));
    if (!response.destroyed) response.once("drain", pump);
  };
  pump();
}

/**
 * Returns faulty answers to a request for a file of `size` bytes, by name. Each is `[codes, act]`. `act` sends the
 * answer. `codes` has two error codes that a gate must report: the first if the file is the manifest, the second if it
 * is another file of the release. Where a code is `undefined`, the gate may accept the answer or keep the list that it
 * has.
 */
export function faults(size) {
  const html = Buffer.from("<!doctype html><title>Sign in</title><p>Please sign in to the network.</p>");
  const unavailable = ["manifest-unavailable", "release-unavailable"];
  const other = ["manifest-syntax", "release-length"];
  const made = {
    "no answer": [unavailable, () => {}],
    "silence after the head": [
      unavailable,
      (_, response, { body }) => response.writeHead(200, { "content-length": body.length }).flushHeaders(),
    ],
    "silence in the middle": [
      unavailable,
      (_, response, { body }) => {
        response.writeHead(200, { "content-length": body.length });
        response.write(body.subarray(0, body.length >> 1));
      },
    ],
    "connection closed": [unavailable, (request) => request.socket.destroy()],
    "slow, but it comes": [
      [],
      async (_, response, { body, etag }) => {
        response.writeHead(200, { "content-length": body.length, etag });
        for (let at = 0; at < body.length; at += Math.ceil(body.length / 8)) {
          response.write(body.subarray(at, at + Math.ceil(body.length / 8)));
          await new Promise((resolve) => setTimeout(resolve, 40));
        }
        response.end();
      },
    ],
    "less than its length says": [
      ["manifest-unavailable", "release-length"],
      (_, response, { body }) => cut(response, Buffer.concat([body, body]), body.length),
    ],
    "a byte too much": [other, send((body) => Buffer.concat([body, Buffer.alloc(1)]))],
    "nothing at all": [other, send(() => Buffer.alloc(0))],
    "a page to sign in": [other, send(() => html, { "content-type": "text/html" })],
    "another type": [[], send((body) => body, { "content-type": "text/html" })],
    gzip: [[], send((body) => gzipSync(body), { "content-encoding": "gzip" })],
    "gzip that isn't said": [other, send((body) => gzipSync(body))],
    "gzip that is none": [unavailable, send((body) => body, { "content-encoding": "gzip" })],
    "gzip, cut off": [
      unavailable,
      (_, response, { body }) => {
        const packed = gzipSync(body);
        cut(response, packed, packed.length >> 1, { "content-encoding": "gzip" });
      },
    ],
    // The gate requests a manifest with its ETag, so this answer means "unchanged". For other files it is an error.
    "304 without a body": [[undefined, "release-unavailable"], status(304)],
    204: [unavailable, status(204)],
    "206 that wasn't asked for": [
      unavailable,
      (_, response, { body }) => {
        const range = `bytes 0-${body.length - 1}/${body.length}`;
        response.writeHead(206, { "content-length": body.length, "content-range": range }).end(body);
      },
    ],
    "a redirect to the file": [
      [],
      (request, response, good) =>
        request.url.includes("?")
          ? answer(request, response, good)
          : response.writeHead(302, { location: `${request.url}?moved` }).end(),
    ],
    "a redirect in a circle": [
      unavailable,
      (request, response) => response.writeHead(302, { location: request.url }).end(),
    ],
    "a redirect to a page": [other, (_, response) => response.writeHead(302, { location: "/page.html" }).end()],
    "a redirect to another origin": [
      unavailable,
      (request, response) => {
        const { port } = new URL(`http://${request.headers.host}`);
        response.writeHead(302, { location: `http://localhost:${port}${request.url}` }).end();
      },
    ],
    "an endless body": [["manifest-too-large", "release-length"], endless],
  };
  for (const code of [401, 403, 404, 410, 416, 429, 500, 503]) made[`status ${code}`] = [unavailable, status(code)];
  for (let tenth = 0; tenth < 10; tenth += 1) {
    const length = Math.floor((size * tenth) / 10);
    // This server never sends more than the first part, whichever range is requested.
    made[`cut off at ${tenth} tenths`] = [unavailable, (_, response, { body }) => cut(response, body, length)];
    made[`${tenth} tenths, said to be the whole`] = [other, send((body) => body.subarray(0, length))];
  }
  const refusals = [/^manifest-(syntax|field|bad-signature|wrong-key)$/, "release-digest"];
  for (const place of places(10, size)) {
    made[`bit ${place % 8} of byte ${place} flipped`] = [refusals, send((body) => flipped(body, place))];
  }
  return made;
}
