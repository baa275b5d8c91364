// The scripted adversary for the service worker, a function that runs in the page. All its random choices come from a
// seed, so that a run can be repeated.

/**
 * Runs `count` random sequences of `steps` actions: sends uploads in all ways, aborts and repeats them, and takes the
 * gate away and back. Returns the problems found, and the number of clean uploads that must have reached the server.
 */
export async function adversary({ first, count, steps }) {
  const { listenToUploads } = await import("/hashgate/service-worker-page.js");
  const { openGate } = await import("/hashgate/index.js");
  const wait = (ms) => new Promise((done) => setTimeout(done, ms));
  const pictures = {
    clean: await window.picture("clean/clean-1.jpg"),
    listed: await window.picture("listed/listed-0.jpg"),
  };
  window.judged ??= (async () => {
    const real = await openGate({ filters: ["/samples/demo.hgf"], workers: 1 });
    const verdicts = { clean: await real.check(pictures.clean), listed: await real.check(pictures.listed) };
    real.close();
    return verdicts;
  })();
  const verdicts = await window.judged;
  if (verdicts.listed.outcome !== "possible-match" || verdicts.clean.outcome !== "clear") throw new Error("samples");
  const tail = 8;
  const heads = {
    clean: await pictures.clean.slice(0, 4000).text(),
    listed: await pictures.listed.slice(0, 4000).text(),
  };
  const below = {
    /** Each sequence has its own random generator. */
    from: (seed) => (limit) => {
      seed = (seed + 0x6d2b79f5) | 0;
      let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
      t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
      return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4294967296) * limit);
    },
  };
  // The engine has checked both pictures before. This stand-in for a gate returns those verdicts after a random delay.
  const delays = below.from(first);
  const gate = {
    record() {},
    async check(file) {
      await wait(delays(6));
      const head = await file.slice(0, 4000).text();
      const kind = Object.keys(heads).find((name) => heads[name] === head);
      if (!kind || file.size !== pictures[kind].size + tail) throw new Error(`other bytes: ${file.name}, ${file.size}`);
      return structuredClone(verdicts[kind]);
    },
  };
  let listening = listenToUploads(gate);
  /** The number of times that the page took its gate away. An upload at such a time may be held as `unavailable`. */
  let away = 0;
  let serial = first * 1_000_000;
  const problems = [];
  const due = [];
  let sent = 0;

  const marked = (kind) =>
    new Blob([pictures[kind], new Uint8Array(new Uint32Array([0x4847, serial]).buffer)], { type: "image/jpeg" });

  function makeUpload(next) {
    const kinds = Array.from({ length: 1 + next(3) }, () => (next(3) === 0 ? "listed" : "clean"));
    const raw = next(2) === 0;
    if (raw) kinds.length = 1;
    serial += 1;
    const files = kinds.map(marked);
    const form = new FormData();
    for (const file of files) form.append("file", file, "picture.jpg");
    return { serial, held: kinds.includes("listed"), body: raw ? files[0] : form, url: `/upload/${serial}` };
  }

  const byFetch = async ({ url, body }, signal) => (await fetch(url, { method: "POST", body, signal })).status;
  const byXhr = ({ url, body }, signal) =>
    new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      request.open("PUT", url);
      request.onload = () => resolve(request.status);
      request.onerror = request.onabort = () => reject(new Error("no answer"));
      signal.addEventListener("abort", () => request.abort());
      request.send(body);
    });

  async function send(upload, next, log) {
    const control = new AbortController();
    const aborted = next(6) === 0;
    if (aborted) setTimeout(() => control.abort(), next(30));
    const before = away;
    const wasHere = listening !== undefined;
    sent += 1;
    const status = await (next(2) ? byFetch : byXhr)(upload, control.signal).catch((error) => String(error));
    if (aborted) return;
    const wasAway = !wasHere || listening === undefined || away !== before;
    if (!upload.held && status === 200) due.push(upload.serial);
    const expected = upload.held ? [451] : wasAway ? [200, 451] : [200];
    if (!expected.includes(status))
      problems.push(`${upload.serial}: expected ${expected}, got ${status}, after ${log}`);
  }

  async function run(seed) {
    const next = below.from(seed);
    const log = [];
    const running = [];
    let latest = makeUpload(next);
    const actions = {
      send: () => {
        latest = makeUpload(next);
        running.push(send(latest, next, log));
      },
      sendSeveral: () => {
        for (let made = 0; made < 3; made += 1) actions.send();
      },
      retry: () => running.push(send(latest, next, log)),
      // The page adds a file to a form that it has already sent. The upload must not contain it.
      edit: () => {
        actions.send();
        if (!(latest.body instanceof FormData)) return;
        latest.body.append("file", marked("listed"), "late.jpg");
        latest = { ...latest, held: true };
      },
      leave: () => {
        listening?.remove();
        listening = undefined;
        away += 1;
      },
      comeBack: () => {
        listening ??= listenToUploads(gate);
      },
      replace: () => {
        listening?.remove();
        listening = listenToUploads(gate);
        away += 1;
      },
      wait: () => wait(next(10)),
    };
    const names = Object.keys(actions);
    // An upload during a time without a gate waits until the page's time to answer has passed. So the actions that
    // remove the gate are rarer.
    const weights = { send: 16, sendSeveral: 8, retry: 8, wait: 16, comeBack: 12, edit: 4, replace: 4 };
    const weighted = names.flatMap((name) => Array(weights[name] ?? 1).fill(name));
    for (let step = 0; step < steps; step += 1) {
      const name = weighted[next(weighted.length)];
      await actions[name]();
      log.push(`${name} ${latest.serial}`);
    }
    actions.comeBack();
    await Promise.all(running);
  }

  // Runs several sequences at once, because a sequence mostly waits.
  const seeds = Array.from({ length: count }, (_, index) => first + index).values();
  const lane = async () => {
    for (const seed of seeds) if (problems.length < 5) await run(seed);
  };
  await Promise.all(Array.from({ length: 6 }, lane));
  listening?.remove();
  return { problems, due, sent };
}
