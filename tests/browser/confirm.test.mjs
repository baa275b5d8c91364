// Tests `confirm`: the service gets the hashes of a possible match over HTTP, and learns nothing about other files.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { chromium } from "playwright-core";
import { hashgateConfirmer, hmaConfirmer } from "../../dist/confirm.js";
import { decide, openGate } from "../../dist/node.js";
import { CHROMIUM } from "./chromium.mjs";

const filters = ["target/samples/demo.hgf"];
const list = readFileSync("target/demo.csv", "utf8")
  .trim()
  .split("\n")
  .slice(1)
  .map((line) => line.split(","))
  .map(([, , , pdq, , sha256, md5]) => ({ pdq, sha256, md5 }));
const sample = (folder, index) =>
  readFileSync(`target/samples/${folder}/${readdirSync(`target/samples/${folder}`).sort()[index]}`);

const distance = (one, other) =>
  [...(BigInt(`0x${one}`) ^ BigInt(`0x${other}`)).toString(2)].filter((bit) => bit === "1").length;
const near = (hashes, pdq) => hashes.filter((entry) => distance(entry.pdq, pdq) <= 31);

/** Builds a filter of these rows. */
function filterOf(rows) {
  const folder = mkdtempSync("target/confirm-");
  writeFileSync(`${folder}/list.csv`, ["hash,type", ...rows].join("\n"));
  const out = ["--out", `${folder}/list.hgf`, "--name", "Another list", "--category", "test"];
  execFileSync("target/debug/hashgate", ["build", `${folder}/list.csv`, ...out]);
  return `${folder}/list.hgf`;
}

/**
 * Starts a server on which `hashes` are listed, and which answers in the formats of both services (hashgate and HMA).
 */
async function matcher(hashes, { status = 200, body, delayMs = 0 } = {}) {
  const requests = [];
  const server = createServer(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url, "http://localhost");
    const chunks = await request.toArray();
    const sent = Buffer.concat(chunks).toString();
    requests.push({ method: request.method, pathname, headers: request.headers, query: searchParams, sent });
    await new Promise((resolve) => setTimeout(resolve, delayMs));
    const answer = () => {
      if (pathname === "/hma/m/lookup") {
        const found = near(hashes, searchParams.get("signal"));
        if (found.length === 0) return {};
        return {
          BANK: found.map(({ pdq }, index) => ({ bank_content_id: index, distance: String(distance(pdq, pdq)) })),
        };
      }
      if (!sent) return {};
      const { pdq, sha256, md5 } = JSON.parse(sent);
      const exact = hashes.some((entry) => entry.sha256 === sha256 || entry.md5 === md5);
      return { outcome: exact || (pdq && near(hashes, pdq).length > 0) ? "listed" : "not-listed" };
    };
    response.writeHead(status, { "content-type": "application/json" }).end(body ?? JSON.stringify(answer()));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${server.address().port}`;
  const close = () => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  };
  return { url, requests, close };
}

/** Opens a gate, checks the files, and closes the gate. */
async function checking(options, ...files) {
  const gate = await openGate({ filters, workers: 1, ...options });
  try {
    const verdicts = [];
    for (const file of files) verdicts.push(await gate.check(file));
    return { verdicts, report: gate.report() };
  } finally {
    gate.close();
  }
}

let knowing;
let ignorant;
before(async () => {
  [knowing, ignorant] = await Promise.all([matcher(list), matcher([])]);
});
after(() => Promise.all([knowing.close(), ignorant.close()]));

test("our server is asked once about a possible match, with hashes alone, and never about a clear picture", async () => {
  const start = knowing.requests.length;
  const confirm = hashgateConfirmer({ url: knowing.url, token: "secret" });
  const { verdicts, report } = await checking(
    { confirm },
    sample("listed", 0),
    sample("edited", 2),
    sample("clean", 0),
  );
  const requests = knowing.requests.slice(start);
  assert.deepEqual(
    verdicts.map(({ outcome, confirmedBy }) => [outcome, confirmedBy]),
    [
      ["match", "hashgate"],
      ["match", "hashgate"],
      ["clear", undefined],
    ],
  );
  assert.deepEqual(
    requests.map(({ method, pathname }) => `${method} ${pathname}`),
    ["POST /v1/confirm", "POST /v1/confirm"],
  );
  const [listed, mirrored] = requests.map(({ sent }) => JSON.parse(sent));
  assert.deepEqual(listed, { ...list[0], ring: 0, key: verdicts[0].matches.at(-1).key });
  // For the mirrored copy, the gate sends the hash of the view that matched, not that of the picture as it is.
  assert.equal(mirrored.pdq, verdicts[1].matches[0].pdq);
  assert.notEqual(mirrored.pdq, verdicts[1].pdq);
  assert.ok(distance(mirrored.pdq, list[2].pdq) <= 31 && distance(verdicts[1].pdq, list[2].pdq) > 31);
  assert.equal(requests[0].headers.authorization, "Bearer secret");
  assert.equal(requests[0].headers.cookie, undefined);
  assert.deepEqual(report.totals, {
    checked: 3,
    clear: 1,
    dismissed: 0,
    possible: 0,
    confirmed: 2,
    unchecked: {},
    overridden: 0,
    appealed: 0,
  });
});

test("what the service doesn't know is clear, and the verdict says who said so", async () => {
  const confirm = hashgateConfirmer({ url: new URL(`${ignorant.url}/`) });
  const { verdicts, report } = await checking({ confirm }, sample("listed", 1));
  assert.equal(verdicts[0].outcome, "clear");
  assert.equal(verdicts[0].confirmedBy, "hashgate");
  assert.equal(verdicts[0].matches[0].signal, "sha256");
  assert.equal(report.totals.clear, 1);
  assert.equal(report.totals.dismissed, 1);
  assert.equal(report.lists[0].dismissed, 1);
});

test("a damaged picture whose bytes aren't listed after all is unchecked, not clear", async () => {
  // The list has the SHA-256 digest of this file, which is cut off, so that its pixels can't be read.
  const damaged = sample("clean", 1).subarray(0, 5000);
  const sha256 = createHash("sha256").update(damaged).digest("hex");
  const options = { filters: [filterOf([`${sha256},sha256`, `${list[0].pdq},pdq`])] };
  const held = await checking(options, damaged);
  assert.equal(held.verdicts[0].outcome, "possible-match");
  const confirm = hashgateConfirmer({ url: ignorant.url });
  const { verdicts, report } = await checking({ ...options, confirm }, damaged);
  assert.deepEqual([verdicts[0].outcome, verdicts[0].reason], ["unchecked", "unreadable"]);
  assert.equal(decide(verdicts[0], { unchecked: "block" }), "hold");
  assert.deepEqual([report.totals.clear, report.totals.dismissed, report.totals.unchecked.unreadable], [0, 1, 1]);
});

test("a Hasher-Matcher-Actioner confirms by Hamming distance, and clears whole pictures alone", async (context) => {
  const browser = await chromium.launch(CHROMIUM);
  context.after(() => browser.close());
  // Crops a listed picture. It matches through the derived view that undoes the crop.
  const page = await browser.newPage();
  const cropped = await page.evaluate(
    async (bytes) => {
      const picture = await createImageBitmap(new Blob([new Uint8Array(bytes)]));
      const canvas = document.createElement("canvas");
      [canvas.width, canvas.height] = [picture.width * 0.96, picture.height * 0.96];
      canvas.getContext("2d").drawImage(picture, picture.width * -0.02, picture.height * -0.02);
      return canvas.toDataURL("image/jpeg", 0.9).split(",")[1];
    },
    [...sample("listed", 0)],
  );
  const files = [sample("edited", 0), Buffer.from(cropped, "base64"), sample("listed", 0)];

  const listed = await checking({ confirm: hmaConfirmer({ url: `${knowing.url}/hma` }) }, files[0]);
  assert.equal(listed.verdicts[0].outcome, "match");
  assert.equal(listed.verdicts[0].confirmedBy, "hasher-matcher-actioner");
  const { query, pathname } = knowing.requests.at(-1);
  assert.equal(pathname, "/hma/m/lookup");
  const pdq = listed.verdicts[0].matches[0].pdq;
  assert.deepEqual(Object.fromEntries(query), { signal_type: "pdq", signal: pdq, seed: pdq });

  const confirm = hmaConfirmer({ url: `${ignorant.url}/hma/` });
  const whole = await checking({ confirm, views: "plain" }, files[0]);
  assert.deepEqual([whole.verdicts[0].outcome, whole.verdicts[0].matches[0].view], ["clear", "plain"]);

  const { verdicts } = await checking({ confirm }, ...files);
  assert.deepEqual(
    verdicts.map(({ outcome, confirmation, matches }) => [outcome, confirmation, matches[0].view ?? matches[0].signal]),
    [
      // HMA is asked about the picture as it is and answers "not listed". A derived view matched, so the answer proves
      // nothing and the verdict stays a possible match.
      ["possible-match", "unknown", "without-inset-1"],
      ["possible-match", "unknown", "zoom-out-2"],
      // HMA knows no digests, so a match by digest stays unconfirmed.
      ["possible-match", "unknown", "sha256"],
    ],
  );
});

test("no failure of the service turns a possible match to clear", async (context) => {
  const check = async (confirm, confirmTimeoutMs = 10_000) =>
    (await checking({ confirm, confirmTimeoutMs }, sample("edited", 0))).verdicts[0];
  const broken = await Promise.all([
    matcher([], { status: 503 }),
    matcher([], { body: "<html>" }),
    matcher([], { body: '{"outcome":"clear"}' }),
    matcher([], { body: '["BANK"]' }),
  ]);
  context.after(() => Promise.all(broken.map(({ close }) => close())));
  for (const [confirm, detail] of [
    [hashgateConfirmer({ url: broken[0].url }), /expected HTTP status 200, got 503/],
    [hmaConfirmer({ url: broken[0].url }), /m\/lookup: expected HTTP status 200, got 503/],
    [hashgateConfirmer({ url: broken[1].url }), /expected JSON/],
    [hashgateConfirmer({ url: broken[2].url }), /outcome: expected "listed", "not-listed" or "unknown", got "clear"/],
    [hmaConfirmer({ url: broken[3].url }), /expected matches by bank/],
    // Nothing listens at this port.
    [hashgateConfirmer({ url: "http://127.0.0.1:9" }), /fetch failed/],
    [() => true, /expected "listed", "not-listed" or "unknown", got boolean/],
    [
      () => {
        throw new Error("thrown at once");
      },
      /thrown at once/,
    ],
  ]) {
    const verdict = await check(confirm);
    assert.deepEqual([verdict.outcome, verdict.confirmation], ["possible-match", "failed"]);
    assert.match(verdict.confirmationDetail, detail);
    assert.equal(decide(verdict, { unchecked: "allow" }), "hold");
  }
  const unknown = await check(async () => "unknown");
  assert.deepEqual([unknown.outcome, unknown.confirmation], ["possible-match", "unknown"]);
});

test("a service that doesn't answer is given up, and told so", async (context) => {
  const slow = await matcher([], { delayMs: 60_000 });
  context.after(() => slow.close());
  const signals = [];
  const client = hashgateConfirmer({ url: slow.url });
  const confirm = (candidate, options) => {
    signals.push(options.signal);
    return client(candidate, options);
  };
  const { verdicts } = await checking({ confirm, confirmTimeoutMs: 50 }, sample("edited", 0));
  assert.deepEqual([verdicts[0].outcome, verdicts[0].confirmation], ["possible-match", "timed-out"]);
  assert.match(verdicts[0].confirmationDetail, /within 50 ms/);
  assert.ok(signals[0].aborted && signals[0].reason.name === "TimeoutError");
  // The gate doesn't wait for a `confirm` that ignores its abort signal.
  const deaf = await checking({ confirm: () => new Promise(() => {}), confirmTimeoutMs: 50 }, sample("edited", 0));
  assert.equal(deaf.verdicts[0].confirmation, "timed-out");

  const gate = await openGate({
    filters,
    workers: 1,
    confirm(_, { signal }) {
      asked(signal);
      return new Promise(() => {});
    },
  });
  let asked;
  const next = () => new Promise((resolve) => (asked = resolve));
  // First aborts the check, then closes the gate. Each must abort the signal that `confirm` got.
  const controller = new AbortController();
  let once = next();
  const aborted = gate.check(sample("edited", 0), { signal: controller.signal });
  let signal = await once;
  controller.abort();
  await assert.rejects(aborted, { name: "AbortError" });
  assert.ok(signal.aborted);
  once = next();
  const closed = gate.check(sample("edited", 0));
  signal = await once;
  gate.close();
  await assert.rejects(closed, { code: "closed" });
  assert.ok(signal.aborted);
  assert.equal(gate.report().totals.checked, 0);
});

test("lists that matched by one hash are one question; by different hashes, two, of which one listed is enough", async () => {
  const asked = [];
  const answering = (answer) => async (candidate) => {
    asked.push(candidate);
    return answer(candidate);
  };
  const [demo] = filters;
  const same = await checking({ filters: [demo, demo], confirm: answering(() => "not-listed") }, sample("edited", 6));
  assert.equal(same.verdicts[0].outcome, "clear");
  // The gate asks about each matching hash once, also if a derived view matched.
  assert.ok(asked.length >= 1);
  for (const { lists } of asked) assert.equal(lists.length, 2);
  assert.equal(new Set(asked.map(({ pdq, ring }) => `${pdq} ${ring}`)).size, asked.length);
  // The copy's own hash differs from that of the listed picture.
  assert.notEqual(same.verdicts[0].pdq, list[6].pdq);
  const both = [demo, filterOf([`${same.verdicts[0].pdq},pdq`])];
  asked.length = 0;
  const another = ({ lists }) => (lists.some((entry) => entry.list === "Another list") ? "listed" : "not-listed");
  const { verdicts, report } = await checking({ filters: both, confirm: answering(another) }, sample("edited", 6));
  assert.equal(verdicts[0].outcome, "match");
  assert.deepEqual(
    asked.map(({ lists }) => lists.map((entry) => entry.list)),
    [["Demo list"], ["Another list"]],
  );
  assert.deepEqual(
    report.lists.map(({ confirmed }) => confirmed),
    [1, 1],
  );
  const open = ({ lists }) => (lists[0].list === "Another list" ? "unknown" : "not-listed");
  const left = await checking({ filters: both, confirm: answering(open) }, sample("edited", 6));
  assert.deepEqual([left.verdicts[0].outcome, left.verdicts[0].confirmation], ["possible-match", "unknown"]);
});

test("wrong options are refused with the field", async () => {
  await assert.rejects(
    openGate({ filters, confirm: "https://example.org/" }),
    /confirm: expected a function, got string/,
  );
  await assert.rejects(openGate({ filters, confirmTimeoutMs: 0 }), /confirmTimeoutMs: expected milliseconds above 0/);
});

test("decide: clear is sent, matches are held, and the host says what becomes of the rest", () => {
  const of = (verdict, unchecked) => decide(verdict, { unchecked });
  const unchecked = (reason, whenUnavailable) => ({
    outcome: "unchecked",
    reason,
    detail: "",
    lookups: 0,
    ...(whenUnavailable && { whenUnavailable }),
  });
  assert.equal(of({ outcome: "clear", lookups: 1 }, "block"), "upload");
  for (const outcome of ["match", "possible-match"]) assert.equal(of({ outcome, matches: [] }, "allow"), "hold");
  assert.equal(of(unchecked("unreadable"), "block"), "hold");
  assert.equal(of(unchecked("unreadable"), "allow"), "upload");
  assert.equal(of(unchecked("not-a-picture"), { "not-a-picture": "allow" }), "upload");
  assert.equal(of(unchecked("unreadable"), { "not-a-picture": "allow" }), "hold");
  assert.equal(of(unchecked("unavailable", "block"), "allow"), "hold");
  assert.equal(of(unchecked("unavailable", "allow"), "block"), "upload");
  assert.equal(of(unchecked("unavailable"), { unavailable: "allow" }), "upload");
  // A misspelt policy throws, and never lets a file pass.
  assert.throws(() => of(unchecked("unreadable"), "alow"), /unchecked: expected "block" or "allow", got "alow"/);
  assert.throws(() => of({ outcome: "clear" }, undefined), /unchecked: expected "block" or "allow", got undefined/);
});
