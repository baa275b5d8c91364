// Starts a real HMA with its own Postgres, behind a proxy that can delay, cut or refuse answers.
import { execFileSync, spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer, request } from "node:http";
import { createServer as createSocket } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

const { HMA_PYTHON: python, HMA_SOURCE: source } = process.env;
const DEBIAN = "/usr/lib/postgresql";

/** Returns the folder of Postgres' programs. */
function postgres() {
  const newest = existsSync(DEBIAN)
    ? readdirSync(DEBIAN)
        .sort((a, b) => b - a)
        .map((name) => `${DEBIAN}/${name}/bin`)
    : [];
  return [...(process.env.PATH ?? "").split(delimiter), ...newest].find((folder) => existsSync(join(folder, "initdb")));
}

/** Returns a sentence about what is missing to run HMA, or undefined if nothing is. */
export function missing() {
  if (!python || !source) return "Set HMA_PYTHON and HMA_SOURCE.";
  if (!existsSync(join(source, "OpenMediaMatch/app.py"))) return `There is no OpenMediaMatch in ${source}.`;
  if (spawnSync(python, ["-c", "import flask, psycopg2, threatexchange"]).status !== 0) {
    return `${python} lacks HMA's requirements.`;
  }
  if (!postgres()) return "There is no Postgres.";
  return undefined;
}

const CONFIG = `
from OpenMediaMatch.storage.postgres.impl import DefaultOMMStore
from threatexchange.content_type.photo import PhotoContent
from threatexchange.signal_type.pdq.signal import PdqSignal

PRODUCTION = True
ROLE_HASHER = ROLE_MATCHER = ROLE_CURATOR = True
# Without a cache each lookup reads the newest index.
TASK_FETCHER = TASK_INDEXER = TASK_INDEX_CACHE = False
STORAGE_IFACE_INSTANCE = DefaultOMMStore(signal_types=[PdqSignal], content_types=[PhotoContent], exchange_types=[])
`;

/** Returns a port that is free at the moment. */
function freePort() {
  return new Promise((resolve) => {
    const socket = createSocket().listen(0, "127.0.0.1", () => {
      const { port } = socket.address();
      socket.close(() => resolve(port));
    });
  });
}

export class HmaServer {
  #folder = mkdtempSync(join(tmpdir(), "hashgate-hma-"));
  #env;
  #app;
  #own;
  #proxy;
  /**
   * How the proxy answers: `pass` (HMA's answer), `slow MS` (later), `cut` (closes the connection), or an HTTP status.
   */
  mode = "pass";
  /** The URL of the proxy. */
  url;

  static async start() {
    const server = new HmaServer();
    try {
      await server.#start();
      return server;
    } catch (error) {
      await server.end();
      throw error;
    }
  }

  /** Runs a program of Postgres. Postgres refuses to run as root, so root runs it as the user `postgres`. */
  #postgres(name, ...args) {
    const command = [join(postgres(), name), ...args];
    const asUser = process.getuid() === 0 ? ["runuser", "-u", "postgres", "--", ...command] : command;
    execFileSync(asUser[0], asUser.slice(1), { stdio: ["ignore", "ignore", "inherit"], cwd: this.#folder });
  }

  async #start() {
    chmodSync(this.#folder, 0o755);
    const data = join(this.#folder, "data");
    if (process.getuid() === 0) {
      const id = (flag) => Number(execFileSync("id", [flag, "postgres"]));
      chownSync(this.#folder, id("-u"), id("-g"));
    }
    this.#postgres("initdb", "--auth=trust", "--username=hma", "--no-sync", "-D", data);
    const port = await freePort();
    const options = `-p ${port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off`;
    this.#postgres("pg_ctl", "start", "--wait", "-D", data, "-l", join(this.#folder, "log"), "-o", options);
    const config = join(this.#folder, "config.py");
    writeFileSync(config, CONFIG);
    this.#env = {
      ...process.env,
      PYTHONPATH: source,
      PYTHONDONTWRITEBYTECODE: "1",
      OMM_CONFIG: config,
      OMM_DATABASE_URI: `postgresql+psycopg2://hma@127.0.0.1:${port}/postgres`,
    };
    const migrations = join(source, "OpenMediaMatch/migrations");
    this.#flask({ MIGRATION_COMMAND: "1" }, "db", "upgrade", "--directory", migrations);
    const own = await freePort();
    const args = ["-m", "flask", "--app", "OpenMediaMatch.app", "run", "--no-reload", "--port", String(own)];
    this.#app = spawn(python, args, { env: this.#env, stdio: "ignore", cwd: this.#folder });
    this.#own = `http://127.0.0.1:${own}`;
    await this.#answers();
    this.#proxy = createServer((incoming, answer) => this.#pass(own, incoming, answer));
    await new Promise((ready) => this.#proxy.listen(0, "127.0.0.1", ready));
    this.url = `http://127.0.0.1:${this.#proxy.address().port}`;
  }

  async #answers() {
    for (let attempt = 0; attempt < 300; attempt += 1) {
      const live = await fetch(`${this.#own}/status/live`).catch(() => undefined);
      if (live?.ok) return;
      if (this.#app.exitCode !== null) break;
      await new Promise((later) => setTimeout(later, 200));
    }
    throw new Error("HMA doesn't start");
  }

  #flask(more, ...args) {
    const env = { ...this.#env, ...more };
    execFileSync(python, ["-m", "flask", "--app", "OpenMediaMatch.app", ...args], {
      env,
      stdio: "pipe",
      cwd: this.#folder,
    });
  }

  async #pass(port, incoming, answer) {
    const [kind, time] = this.mode.split(" ");
    if (kind === "slow") await new Promise((later) => setTimeout(later, Number(time)));
    if (kind === "cut") return answer.socket.destroy();
    if (/^\d+$/.test(kind)) return answer.writeHead(Number(kind)).end("no");
    const { url: path, method } = incoming;
    const passed = request({ host: "127.0.0.1", port, path, method }, (response) => {
      answer.writeHead(response.statusCode, response.headers);
      response.pipe(answer);
    });
    passed.on("error", () => answer.socket?.destroy());
    incoming.pipe(passed);
  }

  async #post(path, body) {
    const headers = { "content-type": "application/json" };
    const response = await fetch(this.#own + path, { method: "POST", headers, body: JSON.stringify(body) });
    if (!response.ok) throw new Error(`POST ${path}: ${response.status} ${await response.text()}`);
  }

  /** Returns HMA's version, from the file in its source. */
  version() {
    const file = join(source, "../version.txt");
    return existsSync(file) ? readFileSync(file, "utf8").trim() : "of an unknown version";
  }

  /** Makes a bank of hashes. HMA looks into it for a share `ratio` (0 to 1) of the lookups. */
  async bank(name, ratio, hashes) {
    await this.#post("/c/banks", { name, enabled_ratio: ratio });
    for (const pdq of hashes) await this.#post(`/c/bank/${name}/signal`, { pdq });
  }

  buildIndices() {
    this.#flask({}, "build_indices");
  }

  /** Returns HMA's own answer about a hash, in a few words. */
  async lookup(pdq) {
    const response = await fetch(`${this.#own}/m/lookup?signal_type=pdq&signal=${pdq}&seed=${pdq}`);
    if (!response.ok) return `status ${response.status}`;
    const found = Object.entries(await response.json()).map(([bank, [{ distance }]]) => `${bank} ${distance}`);
    return found.join(", ") || "{}";
  }

  stopDatabase() {
    this.#postgres("pg_ctl", "stop", "--mode=immediate", "-D", join(this.#folder, "data"));
  }

  stop() {
    this.#app.kill("SIGKILL");
  }

  /** Ends everything that `start` has started, and removes the folder. */
  async end() {
    this.#app?.kill("SIGKILL");
    this.#proxy?.close();
    this.#proxy?.closeAllConnections();
    if (existsSync(join(this.#folder, "data/postmaster.pid"))) this.stopDatabase();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
