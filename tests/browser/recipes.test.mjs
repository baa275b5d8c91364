// Tests every example of docs/how-to/{upload-flows,notice,confirm-matches}.md, unchanged. Compiles it with strict
// types, and runs it with the real libraries in Chromium.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { before, test } from "node:test";
import { CSP } from "./server.mjs";
import { openApp, sample, until, writeRecipe } from "./uploads.mjs";

const documentation = ["upload-flows", "notice", "confirm-matches"]
  .map((name) => readFileSync(`docs/how-to/${name}.md`, "utf8"))
  .join("\n");
const recipe = (heading) => {
  const section = documentation.split(/^#+ /m).find((text) => text.startsWith(heading));
  return section?.match(/```(?:js|tsx)\n(.*?)```/s)?.[1] ?? assert.fail(`no example under "${heading}"`);
};
const files = [sample("clean", 0), sample("listed", 0), sample("edited", 2), sample("clean", 1)];
// The libraries set style attributes, so the policy must allow them.
const csp = CSP.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'").replace("blob:", "blob: data:");
const NOTICE = "<hashgate-notice></hashgate-notice>";
const INPUT = `<label>Pictures <input type="file" id="input" multiple></label>`;
const EACH = `document.querySelector("#input").addEventListener("change", ({ target }) => { for (const file of target.files) upload(file); });`;

const cases = {
  fetch: { body: INPUT + NOTICE, after: EACH },
  "tus-js-client": { body: INPUT + NOTICE, after: EACH },
  Dropzone: { body: `<form id="dropzone" class="dropzone">Drop</form>${NOTICE}`, input: ".dz-hidden-input" },
  "react-dropzone": {
    body: `<div id="root"></div>${NOTICE}`,
    input: "#root input",
    after: `import { createRoot } from "react-dom/client";
      createRoot(document.querySelector("#root")).render(<Uploader upload={(file) => fetch("/upload", { method: "POST", body: file })} />);`,
  },
  "Plain HTML": {
    body: `<form><input type="file" id="input" multiple aria-label="Pictures"></form>`,
    after: `document.querySelector("#input").addEventListener("change", ({ target }) => {
      for (const file of target.files) fetch("/upload", { method: "POST", body: file }); });`,
  },
  Uppy: {
    body: INPUT,
    after: `import XHRUpload from "@uppy/xhr-upload"; uppy.use(XHRUpload, { endpoint: "/upload" });
      document.querySelector("#input").addEventListener("change", ({ target }) => {
        for (const data of target.files) uppy.addFile({ name: data.name, type: data.type, data });
        uppy.upload(); });`,
    held: () => window.said.length,
  },
  FilePond: {
    body: `<input type="file" multiple>`,
    input: "input[type=file]",
    held: () => document.querySelectorAll("[data-filepond-item-state='load-invalid']").length,
  },
};
const told = () => {
  const shown = document.querySelector("hashgate-notice")?.shadowRoot.querySelector("section:not([hidden])");
  return shown ? 2 : 0;
};

before(() => {
  for (const name of Object.keys(cases)) writeRecipe(`${name.replace(" ", "-")}.tsx`, recipe(name));
  writeRecipe("confirm.ts", recipe("Ask a service"));
  writeRecipe("notice.ts", recipe("Tell people"));
});

test("every example passes the compiler", () => {
  // The JavaScript examples declare no types, and assume that the elements that they query exist. So the compiler
  // checks neither implicit `any` nor null.
  const options = { strict: true, noImplicitAny: false, strictNullChecks: false, module: "esnext", target: "es2023" };
  const found = {
    moduleResolution: "bundler",
    jsx: "react-jsx",
    lib: ["es2023", "dom", "dom.iterable"],
    skipLibCheck: true,
  };
  const compilerOptions = { ...options, ...found, noEmit: true, types: [] };
  writeRecipe("tsconfig.json", JSON.stringify({ compilerOptions, include: ["*.ts", "*.tsx"] }));
  execFileSync(process.execPath, ["node_modules/typescript/bin/tsc", "--project", "target/recipes"], {
    encoding: "utf8",
  });
});

test("recipes are short", () => {
  for (const name of ["fetch", "tus-js-client", "Dropzone", "react-dropzone"]) {
    const lines = recipe(name)
      .split("\n")
      .filter((line) => line.trim() !== "");
    assert.ok(lines.length <= 20, `${name}: ${lines.length} lines`);
  }
});

for (const [name, { body, after = "", input = "#input", held = told }] of Object.entries(cases)) {
  test(`${name}: clean files are uploaded, listed and edited ones are held`, async (context) => {
    const script = `${recipe(name)}\n${after}\nwindow.ready = true;`;
    const { page, uploads } = await openApp(context, { script, loader: "tsx", body, csp });
    await page.evaluate(() => {
      window.said = [];
      const log = console.log;
      console.log = (...words) => window.said.push(words) && log(...words);
    });
    await page.locator(input).first().setInputFiles(files);
    await until(() => uploads.length === 2, "two uploads");
    await page.waitForFunction(`(${held})() === 2`);
    assert.deepEqual(uploads.sort(), ["clean/clean-0.png", "clean/clean-1.jpg"]);
  });
}

for (const name of ["fetch", "tus-js-client", "Dropzone", "react-dropzone"]) {
  test(`${name}: the gate can't load, and each answer to that is kept`, async (context) => {
    const { body, after = "", input = "#input" } = cases[name];
    for (const said of ["block", "allow"]) {
      const words = recipe(name).replace('whenUnavailable: "block"', `whenUnavailable: "${said}"`);
      const script = `${words}\n${after}\nwindow.ready = true;`;
      const lost = ["/filters/demo.hgf"];
      const app = await openApp(context, { script, loader: "tsx", body, csp, lost });
      await app.page.locator(input).first().setInputFiles(sample("clean", 0));
      const text = said === "block" ? /It was not uploaded/ : /lets such files through all the same/;
      await app.page.waitForFunction(
        (text) => new RegExp(text).test(document.querySelector("hashgate-notice").shadowRoot.textContent),
        text.source,
      );
      if (said === "allow") await until(() => app.uploads.length === 1, "the upload");
      assert.equal(app.uploads.length, said === "allow" ? 1 : 0);
      assert.ok(app.said.some((line) => /^hashgate\/\w+: files can't be checked/.test(line)));
    }
  });
}
