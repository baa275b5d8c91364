// Runs the clients and hooks of examples/back-ends/ with a real `hashgate serve`.
import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { find } from "../../scripts/run.mjs";

const LISTED = resolve("target/samples/listed/listed-0.jpg");
const EDITED = resolve("target/samples/edited/listed-2-mirrored.jpg");
const CLEAN = resolve("target/samples/clean/clean-1.jpg");
const TOKEN = "0123456789abcdef";
const folder = mkdtempSync(join(tmpdir(), "hashgate-"));
const recipe = (name) => resolve("examples/back-ends", name);
let server;
let env;

before(async () => {
  writeFileSync(join(folder, "tokens"), `${TOKEN}\n`);
  const args = ["serve", "--listen", "127.0.0.1:0", "--filter", "target/samples/demo.hgf"];
  server = spawn("target/debug/hashgate", [...args, "--token-file", join(folder, "tokens")]);
  const [line] = await once(createInterface(server.stdout), "line");
  env = { ...process.env, HASHGATE_URL: line.replace("listening on ", ""), HASHGATE_TOKEN: TOKEN };
});

after(() => {
  server?.kill();
  rmSync(folder, { recursive: true });
});

for (const [program, name] of [
  ["python3", "check.py"],
  ["php", "check.php"],
  ["sh", "check.sh"],
]) {
  test(`back-ends: ${name}: a clean file passes, a listed and an edited one don't, and no server is no verdict`, (context) => {
    // Every machine that builds this project has Python, a shell and curl, but perhaps not PHP. Without PHP its client
    // isn't tested.
    if (!find([program]) && program === "php") return context.diagnostic("NOT CHECKED: php isn't installed");
    const ask = (paths, more = {}) => {
      const args = [recipe(name), ...paths];
      const { status, stdout } = spawnSync(program, args, { env: { ...env, ...more }, encoding: "utf8" });
      return [status, stdout.split("\n").map((line) => line.split(" ").at(-1))];
    };
    assert.deepEqual(ask([CLEAN]), [0, ["pass", ""]]);
    assert.deepEqual(ask([LISTED, CLEAN, EDITED]), [1, ["hold", "pass", "hold", ""]]);
    assert.deepEqual(ask([CLEAN], { HASHGATE_TOKEN: "0123456789abcdeX" }), [2, [""]]);
    assert.deepEqual(ask([CLEAN], { HASHGATE_URL: "http://127.0.0.1:1" }), [2, [""]]);
  });
}

test("back-ends: tusd-hook.py: a held upload is deleted and its sender told, as tusd 2 asks and is answered", () => {
  const ask = (picture, more = {}, upload = {}) => {
    const [Path, InfoPath] = [join(folder, "upload"), join(folder, "upload.info")];
    copyFileSync(picture, Path);
    writeFileSync(InfoPath, "{}");
    // These are the fields that the hook reads, in the form that tusd's documentation of hooks gives.
    const Upload = { ID: "upload", IsPartial: false, Storage: { Type: "filestore", Path, InfoPath }, ...upload };
    const input = JSON.stringify({ Type: "pre-finish", Event: { Upload, HTTPRequest: {} } });
    const printed = execFileSync("python3", [recipe("tusd-hook.py")], { input, env: { ...env, ...more } });
    return [JSON.parse(printed), existsSync(Path), existsSync(InfoPath)];
  };
  assert.deepEqual(ask(CLEAN), [{}, true, true]);
  assert.deepEqual(ask(LISTED, {}, { IsPartial: true }), [{}, true, true]);
  const [{ HTTPResponse }, ...left] = ask(EDITED);
  assert.deepEqual([HTTPResponse.StatusCode, left], [451, [false, false]]);
  assert.equal(JSON.parse(HTTPResponse.Body).outcome, "possible-match");
  const [unchecked, ...rest] = ask(CLEAN, { HASHGATE_URL: "http://127.0.0.1:1" });
  assert.deepEqual([unchecked.HTTPResponse.StatusCode, rest], [451, [false, false]]);
});
