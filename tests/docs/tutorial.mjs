// Runs a tutorial as it is written: executes its commands in order, and saves its files under the names that it gives.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join, resolve } from "node:path";

/**
 * Returns a reader, who starts in a new folder with the clone at `hashgate`. The words after a code block's language
 * say what the reader does with the block:
 *
 *   ```sh                          run it; expect exit code 0
 *   ```sh exits=1                  run it; expect that exit code
 *   ```sh background until="…"     start it, and continue when it has printed the text
 *   ```sh install                  skip it: it builds what `npm test` has built already
 *   ```js file=NAME                save the block as this file
 *   ```js prepend=NAME             insert the block at the start of this file
 *
 * @param {object} context the test context of node:test
 * @param {string} page the path of the tutorial
 * @param {(text: string) => string} adapt changes a block's text where it would clash with other
 *   programs on this machine, for example a fixed port
 */
export function reader(context, page, adapt = (text) => text) {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "hashgate-tutorial-")));
  symlinkSync(resolve("."), join(folder, "hashgate"));
  const running = [];
  let at = join(folder, "hashgate");
  const env = {
    ...process.env,
    PATH: [resolve("target/debug"), process.env.PATH].join(delimiter),
    // With `PORT` 0, the servers of the tutorial take a free port and print it.
    PORT: "0",
    AT: join(folder, "at"),
  };
  context.after(async () => {
    for (const child of running) {
      if (child.exitCode !== null) continue;
      // A negative id ends the whole process group, with the programs that a shell or npm has started.
      process.kill(-child.pid, "SIGTERM");
      await once(child, "exit");
    }
    rmSync(folder, { recursive: true });
  });

  function start(script) {
    const command = `trap 'pwd > "$AT"' EXIT\n${script}`;
    const options = { cwd: at, env: { ...env, PWD: at }, stdio: ["ignore", "pipe", "pipe"] };
    const child = spawn("bash", ["-euo", "pipefail", "-c", command], { ...options, detached: true });
    const said = { text: "" };
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (bytes) => (said.text += bytes));
    return { child, said };
  }

  async function run(script, code) {
    const { child, said } = start(script);
    const [got] = await once(child, "close");
    if (got !== code) throw new Error(`${page}: expected exit code ${code} of\n${script}\ngot ${got}:\n${said.text}`);
    at = readFileSync(env.AT, "utf8").trim();
    return said.text;
  }

  async function startInBackground(script, until) {
    const { child, said } = start(script);
    running.push(child);
    while (!said.text.includes(until)) {
      if (child.exitCode !== null) throw new Error(`${page}: expected "${until}" of\n${script}\ngot:\n${said.text}`);
      await new Promise((done) => setTimeout(done, 50));
    }
    return said;
  }

  /**
   * Does what a block says. Resolves to its command's output; for a command in the background, to `{ text }`, to which
   * further output is appended.
   */
  async function follow({ words, text }) {
    const option = (name) =>
      words
        .match(new RegExp(`\\b${name}=(?:"([^"]*)"|(\\S+))`))
        ?.slice(1)
        .find(Boolean);
    if (option("file")) return writeFileSync(join(at, option("file")), text);
    if (option("prepend")) {
      const path = join(at, option("prepend"));
      return writeFileSync(path, text + readFileSync(path, "utf8"));
    }
    if (!words.startsWith("sh") || words.includes("install")) return undefined;
    const script = adapt(text);
    if (words.includes("background")) return startInBackground(script, option("until"));
    return run(script, Number(option("exits") ?? 0));
  }

  const blocks = [...readFileSync(page, "utf8").matchAll(/^```(\S[^\n]*)\n(.*?)^```$/gms)];
  const steps = blocks.map(([, words, text]) => ({ words, text }));
  return {
    /** Returns a path in the reader's folder. */
    path: (...names) => join(folder, ...names),
    /**
     * Follows the tutorial until a block that contains `part` is done. Resolves to the output of that block's command.
     */
    async until(part) {
      for (;;) {
        const step = steps.shift();
        if (!step) throw new Error(`${page}: expected a block with "${part}"`);
        const result = await follow(step);
        if (step.text.includes(part)) return result;
      }
    },
    /** Returns the number of blocks that are left. */
    left: () => steps.length,
  };
}

/** Resolves when the condition is true. Fails after 30 seconds. */
export async function until(condition, what) {
  for (let wait = 0; wait < 600; wait += 1) {
    if (await condition()) return;
    await new Promise((done) => setTimeout(done, 50));
  }
  throw new Error(`expected ${what}, waited 30 s`);
}
