// Lists the third-party code inside the wasm: writes dist/THIRD-PARTY.txt with the licences, and dist/sbom.cdx.json for
// programs (CycloneDX). Every build makes both from Cargo.lock.
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

const TARGET = "wasm32-unknown-unknown";
const cargo = (...args) => execFileSync("cargo", args, { encoding: "utf8", maxBuffer: 2 ** 28 });

/**
 * Returns the crates that are linked into the wasm. Asks `cargo tree`, which applies only the features of the wasm
 * crate; `cargo metadata` would apply those of the whole workspace.
 */
function crates() {
  const only = [
    "--package",
    "hashgate-wasm",
    "--package",
    "hashgate-film-wasm",
    "--package",
    "hashgate-heic-wasm",
    "--package",
    "hashgate-jxl-wasm",
    "--target",
    TARGET,
    "--edges",
    "normal,no-proc-macro",
  ];
  const tree = cargo("tree", "--locked", ...only, "--prefix", "none", "--format", "{p}");
  const linked = new Set(tree.split("\n").map((line) => line.split(" ").slice(0, 2).join(" ").replace(" v", " ")));
  const { packages } = JSON.parse(cargo("metadata", "--locked", "--format-version", "1", "--filter-platform", TARGET));
  return packages
    .filter(({ name, version, source }) => source && linked.has(`${name} ${version}`))
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : a.version < b.version ? -1 : 1));
}

/** Code of other crates that lies, changed, in this repository. Its licences lie beside it. */
const CHANGED = [
  {
    name: "heic-rs",
    version: "0.1.4",
    license: "MIT OR Apache-2.0",
    repository: "https://github.com/tbraun96/heic-rs",
    manifest_path: "crates/heic/Cargo.toml",
    changes: "crates/heic/README.md",
  },
];

/** Returns the SHA-256 of each crate's archive, from Cargo.lock. */
function checksums() {
  const entries = readFileSync("Cargo.lock", "utf8").matchAll(
    /name = "(.+)"\nversion = "(.+)"\nsource = ".+"\nchecksum = "(.+)"/g,
  );
  return new Map([...entries].map(([, name, version, checksum]) => [`${name} ${version}`, checksum]));
}

/** Returns the licence texts in a crate's folder. */
function textsOf({ manifest_path }) {
  const folder = dirname(manifest_path);
  const names = readdirSync(folder).filter((name) => /^(licen[cs]e|copying|copyright|notice|unlicense)/i.test(name));
  return names.sort().map((name) => ({ name, text: readFileSync(join(folder, name), "utf8").trim() }));
}

export function writeLicences(version) {
  const found = [...crates(), ...CHANGED];
  const sums = checksums();
  // Adds the standard library, which comes with the compiler.
  const [, rust] = execFileSync("rustc", ["--version"], { encoding: "utf8" }).split(" ");
  const std = {
    name: "std",
    version: rust,
    license: "MIT OR Apache-2.0",
    repository: "https://github.com/rust-lang/rust",
  };

  const rule = "=".repeat(100);
  const texts = new Map();
  const rows = found.map((crate) => {
    const own = textsOf(crate);
    for (const { name, text } of own) {
      // Many texts differ only in their line breaks.
      const words = text.replace(/\s+/g, " ");
      const known = texts.get(words) ?? { name, text, crates: [] };
      known.crates.push(`${crate.name} ${crate.version}`);
      texts.set(words, known);
    }
    const missing = own.length === 0 ? "; comes without a text of its own" : "";
    const changed = crate.changes ? `; changed, as ${crate.changes} says` : "";
    return `${crate.name} ${crate.version}: ${crate.license ?? "see below"} (${crate.repository ?? "crates.io"})${missing}${changed}`;
  });
  const parts = [
    `What is inside hashgate.wasm, hashgate-formats.wasm, their baseline builds, hashgate-film.wasm, hashgate-heic.wasm and hashgate-jxl.wasm besides hashgate itself, with its licence.\n`,
    ...rows,
    `the Rust standard library ${rust}: ${std.license} (${std.repository}), with the crates that it is made of`,
    "",
    ...[...texts.values()].flatMap(({ name, text, crates }) => [
      rule,
      `${name} of ${crates.join(", ")}`,
      rule,
      text,
      "",
    ]),
  ];
  writeFileSync("dist/THIRD-PARTY.txt", `${parts.join("\n")}\n`);

  const component = ({ name, version, license, repository }, more) => ({
    type: "library",
    name,
    version,
    ...(license && { licenses: [{ expression: license.replaceAll("/", " OR ") }] }),
    ...(repository && { externalReferences: [{ type: "vcs", url: repository }] }),
    ...more,
  });
  const components = found.map((crate) => {
    const purl = `pkg:cargo/${crate.name}@${crate.version}`;
    // The archive's digest says nothing about code that was changed.
    if (crate.changes) {
      return component(crate, { "bom-ref": purl, purl, modified: true, pedigree: { notes: `see ${crate.changes}` } });
    }
    const hashes = [{ alg: "SHA-256", content: sums.get(`${crate.name} ${crate.version}`) }];
    return component(crate, { "bom-ref": purl, purl, hashes });
  });
  const own = { type: "library", name: "hashgate", version, "bom-ref": `pkg:npm/hashgate@${version}` };
  const sbom = {
    bomFormat: "CycloneDX",
    specVersion: "1.5",
    version: 1,
    metadata: { component: { ...own, purl: own["bom-ref"], licenses: [{ expression: "MIT OR Apache-2.0" }] } },
    components: [...components, component(std, { "bom-ref": `rust-std@${rust}` })],
    dependencies: [
      {
        ref: own["bom-ref"],
        dependsOn: [...components.map((made) => made["bom-ref"]), `rust-std@${rust}`],
      },
    ],
  };
  writeFileSync("dist/sbom.cdx.json", `${JSON.stringify(sbom, null, 2)}\n`);
}
