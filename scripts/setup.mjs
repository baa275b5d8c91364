// What every command needs before it can run, on a fresh clone too: Node's own modules alone are used here.
import { execFileSync, spawnSync } from "node:child_process";
import { copyFileSync, existsSync, statSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("..", import.meta.url));
process.chdir(root);

/** Says what is missing and what to do, in place of a stack trace. */
export function stop(sentence) {
  console.error(`hashgate: ${sentence}`);
  process.exit(1);
}

/** Runs a command with its output shown; ends this process if it fails. */
export function run(command, args, options = {}) {
  const { status, error } = spawnSync(command, args, { stdio: ["ignore", "inherit", "inherit"], ...options });
  if (error) stop(`${command} can't be started (${error.message}); is it installed?`);
  if (status !== 0) stop(`"${[command, ...args].join(" ")}" failed with status ${status}; its messages are above.`);
}

/** Packages, toolchain, the wasm and dist/, and the sample pictures. */
export function setUp() {
  const [major] = process.versions.node.split(".").map(Number);
  if (major < 20) stop(`expected Node.js 20 or later, got ${process.versions.node}; install one from nodejs.org.`);
  if (!find(["cargo"])) stop("Rust is missing; install it with rustup from rustup.rs, then run this again.");
  const marker = "node_modules/.package-lock.json";
  if (!existsSync(marker) || statSync(marker).mtimeMs < statSync("package-lock.json").mtimeMs) {
    console.log("hashgate: installing the npm packages of package-lock.json into node_modules/");
    run("npm", ["ci", "--no-audit", "--no-fund"]);
  }
  if (find(["rustup"])) {
    const installed = execFileSync("rustup", ["target", "list", "--installed"], { encoding: "utf8" });
    if (!installed.includes("wasm32-unknown-unknown")) {
      console.log("hashgate: adding Rust's target wasm32-unknown-unknown");
      run("rustup", ["target", "add", "wasm32-unknown-unknown"]);
    }
  }
  console.log("hashgate: building dist/");
  run("npm", ["run", "--silent", "build"]);
  console.log("hashgate: drawing the sample pictures into target/samples/");
  run("cargo", ["run", "--quiet", "--locked", "--package", "xtask", "--", "samples", "--out", "target/samples"]);
  console.log("hashgate: hashing them, and building the demo list's filter");
  run("cargo", ["build", "--quiet", "--locked", "--package", "hashgate-cli"]);
  const list = execFileSync("target/debug/hashgate", ["hash", "target/samples/listed"]);
  writeFileSync("target/demo.csv", list);
  const out = ["--out", "target/samples/demo.hgf", "--name", "Demo list", "--category", "drawn sample pictures"];
  run("target/debug/hashgate", ["build", "target/demo.csv", ...out]);
  console.log("hashgate: publishing it as the next release of the demo list");
  // The private key and the list itself stay out of the folders that are served.
  const key = "target/demo.key";
  if (!existsSync(key)) run("target/debug/hashgate", ["keygen", "--out", key, "--name", "demo.test"]);
  copyFileSync(`${key}.pub`, "target/samples/list.pub");
  const published = ["--dir", "target/samples/list", "--key", key, ...out.slice(2)];
  run("target/debug/hashgate", ["publish", "target/demo.csv", ...published]);
}

/** The path of a program, installed if this is a Debian machine's root. */
function program(variable, names, debianPackage) {
  const chosen = process.env[variable];
  if (chosen) return existsSync(chosen) ? chosen : stop(`${variable} is ${chosen}, where no file is.`);
  const found = find(names);
  if (found) return found;
  if (find(["apt-get"]) && process.getuid?.() === 0) {
    console.log(`hashgate: installing Debian's package ${debianPackage}`);
    run("apt-get", ["update", "--quiet"]);
    run("apt-get", ["install", "--yes", "--quiet", "--no-install-recommends", debianPackage]);
    const installed = find(names);
    if (installed) return installed;
  }
  return stop(`${debianPackage} is missing; install it, or set ${variable} to its path.`);
}

export const chromium = () =>
  program("CHROMIUM_PATH", ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"], "chromium");
export const firefox = () => program("FIREFOX_PATH", ["firefox-esr", "firefox"], "firefox-esr");
export const nginx = () => program("NGINX_PATH", ["nginx"], "nginx");

function find(names) {
  // Where servers are isn't on everyone's path.
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin"];
  const applications = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome";
  if (names.includes("google-chrome") && existsSync(applications)) return applications;
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find((path) => existsSync(path));
}
