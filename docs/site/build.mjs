// npm run docs: makes dist-docs/, the documentation as one static site that loads nothing from elsewhere: the pages of
// docs/ with a search, the Rust API by rustdoc, and the TypeScript API by typedoc. Pages also open from a disk.
// Their scripts aren't modules, because browsers load no modules from a disk.
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, extname, join, posix, relative } from "node:path";
import { build } from "esbuild";
import { root, run, say } from "../../scripts/run.mjs";
import { setUp } from "../../scripts/setup.mjs";

const OUT = join(root, "dist-docs");
const HERE = "docs/site";
const KINDS = ["tutorial", "how-to", "reference", "explanation", "lab"];
/** Pages outside of docs/, and their paths in the site. */
const ELSEWHERE = {
  "docs/README.md": "index.html",
  "README.md": "project/readme.html",
  "extension/README.md": "how-to/browser-extension.html",
  "CHANGELOG.md": "project/changelog.html",
  "CONTRIBUTING.md": "project/contributing.html",
  "SECURITY.md": "project/security.html",
};

if (!existsSync(`${HERE}/node_modules`)) {
  say(`installing the npm packages of ${HERE}/package-lock.json`);
  run("npm", ["ci", "--prefix", HERE, "--no-audit", "--no-fund"]);
}
const { default: MarkdownIt } = await import("markdown-it");
const { default: MiniSearch } = await import("minisearch");
const manifest = JSON.parse(readFileSync("package.json", "utf8"));

if (!process.argv.includes("--no-setup")) setUp();
rmSync(OUT, { recursive: true, force: true });
mkdirSync(OUT);
const pages = readPages();
const navigation = readNavigation(pages);
const sources = new Set();
const sections = [];
for (const page of pages.values()) writePage(page);
for (const source of sources) writeSource(source);
await writeAssets();
writeRustApi();
const names = writeTypeScriptApi();
writeSearchIndex([...sections, ...names]);
say(`the documentation is in dist-docs/: ${pages.size} pages, and the API of both languages`);

/** Returns every page by its path in the repository, with the text and the path in the site. */
function readPages() {
  const found = new Map();
  const add = (path, to, text = readFileSync(path, "utf8")) => {
    const [, title] = text.match(/^# (.*)$/m) ?? fail(`${path}: expected a heading of the first level`);
    found.set(path, { path, to, text, title: title.replaceAll("`", "") });
  };
  for (const [path, to] of Object.entries(ELSEWHERE)) add(path, to);
  for (const kind of KINDS) {
    for (const name of readdirSync(`docs/${kind}`).sort()) {
      const path = `docs/${kind}/${name}`;
      if (extname(name) !== ".md") cpSync(path, join(OUT, kind, name));
      else add(path, `${kind}/${basename(name, ".md")}.html`, withGeneratedPart(path));
    }
  }
  return found;
}

/** Returns a page's text. The page of the command line also gets the `--help` texts of the commands. */
function withGeneratedPart(path) {
  const text = readFileSync(path, "utf8");
  if (path !== "docs/reference/command-line.md") return text;
  run("cargo", ["build", "--quiet", "--locked", "--package", "hashgate-cli"]);
  const help = (...command) => execFileSync("target/debug/hashgate", [...command, "--help"], { encoding: "utf8" });
  const block = (words) => `\n\`\`\`\n${words.trimEnd()}\n\`\`\`\n`;
  const overview = help();
  const commands = [
    ...overview
      .split("Commands:")[1]
      .split("\n\n")[0]
      .matchAll(/^ {2}([a-z-]+)/gm),
  ]
    .map(([, command]) => command)
    .filter((command) => command !== "help");
  const each = commands.map((command) => `\n### hashgate ${command}\n${block(help(command))}`);
  return `${text}\n## What the commands say of themselves\n${block(overview)}${each.join("")}`;
}

/**
 * Returns the navigation in the order of docs/README.md. Pages that are not linked there follow at the end of their
 * kind.
 */
function readNavigation(all) {
  const groups = [];
  const linked = new Set();
  for (const line of all.get("docs/README.md").text.split("\n")) {
    const heading = line.match(/^## ([^:]+)/)?.[1];
    if (heading) groups.push({ heading, pages: [] });
    const link = line.match(/^- \[[^\]]*\]\(([^)#]+)\)/)?.[1];
    if (!link) continue;
    const path = posix.normalize(`docs/${link}`);
    groups.at(-1).pages.push(all.get(path) ?? fail(`docs/README.md: there is no page ${link}`));
    linked.add(path);
  }
  const project = ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"];
  const headings = {
    tutorial: "Tutorials",
    "how-to": "How-to",
    reference: "Reference",
    explanation: "Explanation",
    lab: "Lab",
  };
  for (const page of all.values()) {
    if (linked.has(page.path) || page.path in ELSEWHERE) continue;
    groups.find(({ heading }) => heading.startsWith(headings[page.path.split("/")[1]])).pages.push(page);
  }
  groups.push({ heading: "Project", pages: project.map((path) => all.get(path)) });
  return groups;
}

function writePage(page) {
  const markdown = new MarkdownIt({ html: true, linkify: false });
  const slugs = new Map();
  let section = { title: page.title, page: page.title, url: page.to, text: "" };
  const begun = [section];
  const base = "../".repeat(page.to.split("/").length - 1);
  const tokens = markdown.parse(page.text, {});
  for (const [index, token] of tokens.entries()) {
    if (token.type === "heading_open") {
      const title = plain(tokens[index + 1]);
      const slug = slugOf(title, slugs);
      token.attrSet("id", slug);
      if (token.tag !== "h1") {
        section = { title, page: page.title, url: `${page.to}#${slug}`, text: "" };
        begun.push(section);
      }
    } else if (token.type === "inline") {
      section.text += `${plain(token)}\n`;
      for (const child of token.children) {
        if (child.type === "link_open") child.attrSet("href", target(page, child.attrGet("href"), base));
        if (child.type === "image") child.attrSet("src", image(page, child.attrGet("src"), base));
      }
    } else if (token.type === "fence") section.text += `${token.content}\n`;
    // Wide tables scroll, so the keyboard must be able to focus them.
    if (token.type === "table_open") token.attrSet("tabindex", "0");
    if (token.type === "fence") token.attrSet("tabindex", "0");
  }
  sections.push(...begun);
  write(page.to, layout(page, markdown.renderer.render(tokens, markdown.options, {}), base));
}

/** Returns the text of an inline token. */
function plain(token) {
  return token.children.map((child) => (child.type === "softbreak" ? " " : child.content)).join("");
}

/** Returns GitHub's anchor of a heading, which links in the repository rely on. */
function slugOf(title, used) {
  const slug = title
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
    .replaceAll(" ", "-");
  const count = used.get(slug) ?? 0;
  used.set(slug, count + 1);
  return count === 0 ? slug : `${slug}-${count}`;
}

/** Returns where a link leads in the site: to a page, or to a copy of a file of the repository. */
function target(page, href, base) {
  if (/^[a-z]+:|^#/.test(href)) return href;
  const [path, anchor = ""] = href.split(/(?=#)/);
  const to = posix.normalize(posix.join(dirname(page.path), path)).replace(/\/$/, "");
  const linked = pages.get(to);
  if (linked) return `${base}${linked.to}${anchor}`;
  if (to.startsWith("docs/") && existsSync(to) && statSync(to).isFile()) return base + to.slice("docs/".length);
  if (!existsSync(to)) fail(`${page.path}: there is no ${to}, to which a link leads`);
  sources.add(to);
  return `${base}source/${to}${statSync(to).isDirectory() ? "/index.html" : suffix(to)}`;
}

function image(page, src, base) {
  if (/^[a-z]+:/.test(src)) return src;
  const path = posix.normalize(posix.join(dirname(page.path), src));
  const to = path.startsWith("docs/") ? path.slice("docs/".length) : `source/${path}`;
  mkdirSync(join(OUT, dirname(to)), { recursive: true });
  cpSync(path, join(OUT, to));
  return base + to;
}

/**
 * Returns the ending to add to a source file's name. With it, browsers show the file as text instead of running or
 * saving it.
 */
function suffix(path) {
  return /\.(mjs|js|ts|rs|py|md|toml|csv)$/.test(path) ? ".txt" : "";
}

/** Copies a file or folder of the repository that a page links to. */
function writeSource(path) {
  mkdirSync(join(OUT, "source", dirname(path)), { recursive: true });
  if (statSync(path).isFile()) return cpSync(path, join(OUT, "source", path + suffix(path)));
  const files = readdirSync(path).filter((name) => statSync(join(path, name)).isFile());
  mkdirSync(join(OUT, "source", path), { recursive: true });
  for (const name of files) cpSync(join(path, name), join(OUT, "source", path, name + suffix(name)));
  const items = files
    .map((name) => `<li><a href="${escaped(name + suffix(name))}">${escaped(name)}</a></li>`)
    .join("\n");
  const to = `source/${path}/index.html`;
  write(
    to,
    layout({ to, title: path }, `<h1>${escaped(path)}</h1>\n<ul>${items}</ul>`, "../".repeat(to.split("/").length - 1)),
  );
}

function layout(page, content, base) {
  const item = ({ to, title }, here = to === page.to) =>
    `<li><a href="${base}${to}"${here ? ' aria-current="page"' : ""}>${escaped(title)}</a></li>`;
  const group = ({ heading, pages: linked }) =>
    `<h2>${escaped(heading)}</h2>\n<ul>${linked.map((one) => item(one)).join("\n")}</ul>`;
  const api = [
    { to: "typescript/index.html", title: "TypeScript" },
    { to: "rust/hashgate/index.html", title: "Rust" },
  ];
  const title = page.to === "index.html" ? page.title : `${page.title} · hashgate`;
  return `<!doctype html>
<html lang="en" data-base="${base}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title>
<link rel="icon" href="${base}assets/icon.svg">
<link rel="stylesheet" href="${base}assets/style.css">
<script src="${base}assets/search.js" defer></script>
</head>
<body>
<a class="skip" href="#content">Skip to the content</a>
<header>
<a class="home" href="${base}index.html">hashgate</a>
<search><label>Search <input type="search" id="search" autocomplete="off" aria-controls="found"></label>
<ol id="found" hidden></ol></search>
</header>
<nav aria-label="Pages">
${group({ heading: "API", pages: api })}
${navigation.map(group).join("\n")}
</nav>
<main id="content">
${content}
</main>
</body>
</html>
`;
}

async function writeAssets() {
  mkdirSync(join(OUT, "assets"), { recursive: true });
  cpSync("www/icon.svg", join(OUT, "assets/icon.svg"));
  cpSync(`${HERE}/style.css`, join(OUT, "assets/style.css"));
  const search = { entryPoints: [`${HERE}/search.js`], outfile: join(OUT, "assets/search.js") };
  await build({ ...search, bundle: true, minify: true, format: "iife", target: "es2022", logLevel: "error" });
}

function writeRustApi() {
  rmSync("target/doc", { recursive: true, force: true });
  const env = { ...process.env, RUSTDOCFLAGS: "-D warnings" };
  const features = ["--features", "build,tiff"];
  run("cargo", ["doc", "--quiet", "--no-deps", "--locked", "--package", "hashgate", ...features], { env });
  cpSync("target/doc", join(OUT, "rust"), { recursive: true });
  rmSync(join(OUT, "rust/.lock"), { force: true });
  // rustdoc's help and settings pages link to a list of crates. There is only one crate, so the list redirects to it.
  write(
    "rust/index.html",
    '<!doctype html><title>Rust</title><meta http-equiv="refresh" content="0; url=hashgate/index.html">\n',
  );
}

/** Writes the API of each entry point of package.json. Returns its names for the search. */
function writeTypeScriptApi() {
  const folder = join(root, "target/typedoc");
  rmSync(folder, { recursive: true, force: true });
  for (const [name, entry] of Object.entries(manifest.exports)) {
    if (!entry.types) continue;
    // typedoc names a module by its path, so writes a module with the path of the entry point's name.
    const module = join(folder, name === "." ? "hashgate.ts" : `hashgate/${name.slice(2)}.ts`);
    mkdirSync(dirname(module), { recursive: true });
    const types = relative(dirname(module), join(root, entry.types.default ?? entry.types)).replace(/\.d\.ts$/, ".js");
    writeFileSync(module, `export * from ${JSON.stringify(types)};\n`);
  }
  const compilerOptions = {
    strict: true,
    module: "esnext",
    moduleResolution: "bundler",
    target: "es2023",
    lib: ["es2023", "dom", "dom.iterable"],
    types: [],
    skipLibCheck: true,
    noEmit: true,
  };
  writeFileSync(`${folder}/tsconfig.json`, JSON.stringify({ compilerOptions, include: ["**/*.ts"] }));
  const json = join(folder, "api.json");
  const options = {
    name: "hashgate",
    entryPoints: [`${folder}/hashgate.ts`, `${folder}/hashgate/*.ts`],
    tsconfig: `${folder}/tsconfig.json`,
    out: join(OUT, "typescript"),
    json,
    readme: "none",
    favicon: join(root, "www/icon.svg"),
    disableSources: true,
    githubPages: false,
    includeVersion: true,
    excludePrivate: true,
    validation: { notExported: false },
    logLevel: "Warn",
  };
  writeFileSync(`${folder}/typedoc.json`, JSON.stringify(options));
  run(process.execPath, [`${HERE}/node_modules/typedoc/bin/typedoc`, "--options", `${folder}/typedoc.json`]);
  return exportedNames(JSON.parse(readFileSync(json, "utf8")));
}

/** Returns the names that the modules export, as documents for the search. */
function exportedNames(project) {
  const FOLDERS = { 8: "enums", 32: "variables", 64: "functions", 128: "classes", 256: "interfaces", 2097152: "types" };
  return project.children
    .flatMap((module) =>
      (module.children ?? [])
        .filter(({ kind }) => FOLDERS[kind])
        .map(({ name, kind, comment, signatures }) => ({
          title: name,
          page: `TypeScript, ${module.name}`,
          url: `typescript/${FOLDERS[kind]}/${module.name.replaceAll("/", "_")}.${name}.html`,
          text: ((comment ?? signatures?.[0]?.comment)?.summary ?? []).map(({ text }) => text).join(""),
        })),
    )
    .filter(({ url }) => existsSync(join(OUT, url)));
}

function writeSearchIndex(documents) {
  const fields = ["title", "page", "text"];
  const index = new MiniSearch({ fields, storeFields: ["title", "page", "url"], idField: "url" });
  // Leaves out headings without text of their own.
  index.addAll(documents);
  write("assets/search-index.js", `window.hashgateSearch(${JSON.stringify(JSON.stringify(index))});\n`);
}

function write(to, text) {
  mkdirSync(join(OUT, dirname(to)), { recursive: true });
  writeFileSync(join(OUT, to), text);
}

function escaped(text) {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}

function fail(sentence) {
  throw new Error(sentence);
}
