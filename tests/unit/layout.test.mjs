// Tests the layout of the source. Rooms are folders, or single files with a purpose of their own. The tables below list
// the rooms that each room may import; any other import between rooms fails the test. Imports must not form a circle.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";

/** The rooms of `src/`, and the rooms that each may import. `lib.rs` may import all. */
const CORE = {
  refusal: [],
  setters: [],
  signal: ["refusal", "setters"],
  image: ["signal", "setters"],
  filter: ["refusal", "setters", "signal"],
  confirm: ["filter", "signal"],
  release: ["filter", "refusal", "signal"],
  check: ["filter", "image", "refusal", "signal"],
};

/**
 * The rooms of `js/`, and the rooms that each may import. A file belongs to the longest room that its path begins with.
 */
const SCRIPT = {
  generated: [],
  types: ["generated"],
  errors: ["generated", "types"],
  protocol: ["errors", "generated", "types"],
  policy: ["types"],
  gate: ["errors", "generated", "policy", "protocol", "types"],
  entries: ["errors", "gate", "integrations", "policy", "protocol", "types"],
  "worker/engine": ["generated", "protocol"],
  "worker/list": ["errors", "generated", "protocol", "types", "worker/engine"],
  worker: ["errors", "generated", "protocol", "worker/engine", "worker/list"],
  ui: ["types"],
  "integrations/intercept": [],
  integrations: ["errors", "integrations/intercept", "policy", "types", "ui"],
  "service-worker": ["integrations", "types"],
  testing: ["errors", "gate", "policy", "types"],
};

function filesIn(folder, ending) {
  const paths = readdirSync(folder, { recursive: true }).map((path) => join(folder, path));
  return paths.filter((path) => path.endsWith(ending)).sort();
}

/** Returns the files that each TypeScript file imports. Imports of other packages are left out. */
function scriptImports() {
  const imports = new Map();
  for (const file of filesIn("js", ".ts")) {
    const named = readFileSync(file, "utf8").matchAll(
      /^(?:import|export)[^"'`]*?from "(\.[^"]+)"|^import "(\.[^"]+)"/gm,
    );
    const found = [...named].map(([, from, alone]) => join(dirname(file), from ?? alone).replace(/\.js$/, ".ts"));
    imports.set(file, new Set(found.filter((path) => path.startsWith("js/"))));
  }
  return imports;
}

/** Returns the files that each Rust file of the core imports by `use`, or names by a path in its code. */
function coreImports() {
  const files = new Set(filesIn("src", ".rs").filter((file) => !/src\/(lib|generated)\.rs$/.test(file)));
  const imports = new Map();
  for (const file of files) {
    const code = readFileSync(file, "utf8")
      .replace(/^\s*\/\/.*$/gm, "")
      .replace(/#\[cfg\(test\)\]\nmod tests \{[\s\S]*/, "");
    imports.set(
      file,
      new Set(
        [...code.matchAll(/(?<![\w:])(?:crate|super)(?:::(?:\w+|\{[^;]*?\}(?=;)))+/g)]
          .flatMap(([path]) => pathsOf(path))
          .map((path) => resolve(file, path, files))
          .filter((target) => target && target !== file),
      ),
    );
  }
  return imports;
}

/** Splits `a::{b, c::d}` into `a::b` and `a::c::d`. */
function pathsOf(path) {
  const open = path.indexOf("{");
  if (open < 0) return [path];
  const parts = [];
  let depth = 0;
  let part = "";
  for (const character of path.slice(open + 1, path.lastIndexOf("}"))) {
    if (character === "," && depth === 0) {
      parts.push(part);
      part = "";
      continue;
    }
    depth += { "{": 1, "}": -1 }[character] ?? 0;
    part += character;
  }
  return [...parts, part].flatMap((rest) => pathsOf(path.slice(0, open) + rest.trim()));
}

/** Returns the file of the module that contains the item of a Rust path. */
function resolve(file, path, files) {
  let module = file.slice("src/".length, -".rs".length).split("/");
  const names = path.split("::").map((name) => name.trim());
  while (names[0] === "super") {
    module = module.slice(0, -1);
    names.shift();
  }
  if (names[0] === "crate") {
    module = [];
    names.shift();
    if (["digest", "pdq", "views"].includes(names[0])) names.unshift("signal"); // re-exported by lib.rs
  }
  while (names.length > 0 && files.has(`src/${[...module, names[0]].join("/")}.rs`))
    module = [...module, names.shift()];
  const found = `src/${module.join("/")}.rs`;
  return files.has(found) ? found : undefined;
}

function roomOf(file, rooms) {
  const path = file.replace(/^(?:src|js)\//, "").replace(/\.\w+$/, "");
  const found = Object.keys(rooms).filter((room) => path === room || path.startsWith(`${room}/`));
  return found.sort((a, b) => b.length - a.length)[0];
}

/** Returns the imports between rooms that the table doesn't allow. */
function forbidden(imports, rooms) {
  const found = [];
  for (const [file, targets] of imports) {
    for (const target of targets) {
      const [from, to] = [roomOf(file, rooms), roomOf(target, rooms)];
      if (from !== to && !rooms[from]?.includes(to)) found.push(`${file} imports ${target}`);
    }
  }
  return found.sort();
}

/** Returns files that import each other in a circle, or undefined if there are none. */
function circleIn(imports) {
  const done = new Set();
  const visit = (file, way) => {
    if (way.includes(file)) return [...way.slice(way.indexOf(file)), file];
    if (done.has(file)) return undefined;
    for (const target of imports.get(file) ?? []) {
      const circle = visit(target, [...way, file]);
      if (circle) return circle;
    }
    done.add(file);
    return undefined;
  };
  for (const file of imports.keys()) {
    const circle = visit(file, []);
    if (circle) return circle.join(" -> ");
  }
  return undefined;
}

for (const [name, imports, rooms] of [
  ["js/", scriptImports(), SCRIPT],
  ["src/", coreImports(), CORE],
]) {
  test(`rooms of ${name} import only the rooms that the table allows`, () => {
    assert.ok(imports.size > 30, `found only ${imports.size} files`);
    assert.deepEqual(forbidden(imports, rooms), []);
  });

  test(`files of ${name} don't import each other in a circle`, () => {
    assert.equal(circleIn(imports), undefined);
  });
}

test("the rooms of both tables have an order", () => {
  assert.equal(circleIn(new Map(Object.entries(CORE))), undefined);
  assert.equal(circleIn(new Map(Object.entries(SCRIPT))), undefined);
});
