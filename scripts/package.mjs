// npm run package: builds the Debian package of the command-line tool, with manual pages, completions and systemd unit.
// Then checks that no file is missing in it, and that the program starts.
// Needs cargo-deb: cargo install --locked cargo-deb.
//
//   npm run package -- --no-build    packages target/release/hashgate without building it
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { find, run, say, stop } from "./run.mjs";

const OUT = "target/package";
const UNIT = "usr/lib/systemd/system/hashgate.service";
/** The files that the package must contain. */
const FILES = [
  "usr/bin/hashgate",
  UNIT,
  "etc/default/hashgate",
  "usr/share/man/man1/hashgate.1.gz",
  "usr/share/man/man1/hashgate-serve.1.gz",
  "usr/share/bash-completion/completions/hashgate",
  "usr/share/zsh/vendor-completions/_hashgate",
  "usr/share/fish/vendor_completions.d/hashgate.fish",
];

if (!find(["cargo-deb"])) stop("cargo-deb is missing; install it: cargo install --locked cargo-deb.");
if (!process.argv.includes("--no-build")) run("cargo", ["build", "--release", "--locked", "--package", "hashgate-cli"]);
rmSync(OUT, { recursive: true, force: true });
mkdirSync(OUT, { recursive: true });
const hashgate = (...args) => execFileSync("target/release/hashgate", args);
hashgate("man", `${OUT}/man`);
for (const [shell, name] of [
  ["bash", "hashgate.bash"],
  ["zsh", "_hashgate"],
  ["fish", "hashgate.fish"],
]) {
  writeFileSync(`${OUT}/${name}`, hashgate("completions", shell));
}
run("cargo", ["deb", "--package", "hashgate-cli", "--no-build", "--locked", "--output", `${OUT}/`]);

const [deb] = readdirSync(OUT).filter((name) => name.endsWith(".deb"));
const root = `${OUT}/root`;
run("dpkg-deb", ["--info", `${OUT}/${deb}`]);
run("dpkg-deb", ["--extract", `${OUT}/${deb}`, root]);
for (const file of FILES) {
  if (!statSync(`${root}/${file}`, { throwIfNoEntry: false })?.isFile()) stop(`expected ${file} in ${deb}, got none.`);
}
run(`${root}/usr/bin/hashgate`, ["--version"]);
if (find(["systemd-analyze"])) {
  run("systemd-analyze", ["security", "--offline=yes", "--no-pager", "--threshold=20", `${root}/${UNIT}`]);
} else {
  say("NOT CHECKED: the unit's sandbox. systemd-analyze isn't installed.");
}
say(`${OUT}/${deb} is whole`);
