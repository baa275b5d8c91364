// Tests <hashgate-notice> in real Chromium, under a policy that allows no inline style or script.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { openApp, violations, writeRecipe } from "./uploads.mjs";

const SCRIPT = `
import { ENGLISH, FRENCH } from "hashgate/notice";
window.built = { ENGLISH, FRENCH };
const list = { list: "Demo list", category: "drawn pictures", release: 1, signal: "sha256", strength: "exact-bytes" };
const verdicts = {
  possible: { outcome: "possible-match", matches: [list], lookups: 1 },
  asked: { outcome: "possible-match", matches: [list], lookups: 1, confirmation: "unknown" },
  confirmed: { outcome: "match", matches: [list], confirmedBy: "hashgate", lookups: 1 },
  unavailable: { outcome: "unchecked", reason: "unavailable", detail: "", lookups: 0 },
};
const notice = document.querySelector("hashgate-notice");
window.heard = [];
for (const type of ["choose-another", "review", "learn-more", "close"]) {
  document.addEventListener("hashgate-" + type, (event) => {
    window.heard.push(type + " " + event.detail.entries.length);
    if (window.answering === type) event.preventDefault();
  });
}
window.show = (names, options) => notice.show(names.map((name) => ({ file: { name: name + ".jpg" }, verdict: verdicts[name] })), options);
window.notice = notice; window.verdicts = verdicts;
window.ready = true;`;
const BODY = `<button id="before">Before</button><hashgate-notice></hashgate-notice>`;
const text = (page) =>
  page
    .locator("hashgate-notice section :is(h2, h3, p, button, .actions a, [part=support] li)")
    .filter({ visible: true })
    .allTextContents()
    .then((texts) => texts.join("\n"));

test("it says who decides, and how to object", async (context) => {
  const { page } = await openApp(context, { script: SCRIPT, body: BODY });
  const links = () =>
    page
      .locator("hashgate-notice section a")
      .evaluateAll((all) => all.map((link) => [link.textContent, link.getAttribute("href")]));
  await page.evaluate(() => {
    const about = {
      list: "Demo list",
      curators: ["Example Trust", "Example Institute"],
      policy: "https://example.org/policy",
      appeals: "mailto:appeals@example.org",
      jurisdiction: "Freedonia",
    };
    window.verdicts.possible.list = { state: "current", release: 1, about };
    window.show(["possible", "possible"]);
  });
  assert.match(
    await text(page),
    /Who decides, and how to object\s+The list “Demo list” is kept by: Example Trust; Example Institute\. They say that they act under: Freedonia\./,
  );
  assert.deepEqual(await links(), [
    ["What they list, and why", "https://example.org/policy"],
    ["Object to an entry of the list", "mailto:appeals@example.org"],
  ]);
  // The list's addresses come from the signed release, which doesn't make them harmless: the notice must not link to
  // `javascript:` or `data:` URLs.
  await page.evaluate(() => {
    Object.assign(window.verdicts.possible.list.about, { policy: "javascript:alert(1)", appeals: "data:text/html,x" });
    window.show(["possible"]);
  });
  assert.deepEqual(await links(), []);
  assert.match(await text(page), /Who decides/);
  // Nobody has decided about a file that could not be checked. So the notice doesn't say who decides.
  await page.evaluate(() => window.show(["unavailable"]));
  assert.doesNotMatch(await text(page), /Who decides/);
});

test("it says what happened, on this device or not, and what can be done", async (context) => {
  const { page, said } = await openApp(context, { script: SCRIPT, body: BODY });
  await page.evaluate(() => window.show(["possible"]));
  assert.match(
    await text(page),
    /^Your upload was held\s+“possible\.jpg” may match a picture on the list “Demo list” \(drawn pictures\)\.\s+This is a possible match\. It can be a mistake, and it says nothing about you\.\s+The check was made on this device\. Nothing about the file was sent anywhere\.\s+What you can do\s+Choose another file\s+Ask for a review\s+Learn more\s+Close$/,
  );
  // If a confirming service was asked, the notice must not say that nothing was sent.
  for (const kind of ["asked", "confirmed"]) {
    await page.evaluate((kind) => window.show([kind]), kind);
    const words = await text(page);
    assert.doesNotMatch(words, /Nothing about the file/);
    assert.match(words, /Hashes of the file, but not the file, were sent/);
  }
  assert.match(await text(page), /matches a picture on the list “Demo list”.*has confirmed it/);
  // If nothing matched, the notice offers no review.
  await page.evaluate(() => window.show(["unavailable"]));
  assert.match(await text(page), /^Your upload could not be checked/);
  assert.equal(await page.getByRole("button", { name: "Ask for a review" }).count(), 0);
  // The package has no support resources of its own. It shows those that the host sets.
  assert.doesNotMatch(await text(page), /Help and support/);
  await page.evaluate(() => {
    window.notice.support = [
      { label: "A helpline", href: "https://helpline.example/", text: "day and night" },
      { label: "A programme" },
    ];
    window.show(["possible", "unavailable"]);
  });
  assert.match(await text(page), /Help and support\s+A helpline – day and night\s+A programme$/);
  assert.equal(await page.getByRole("link", { name: "A helpline" }).getAttribute("href"), "https://helpline.example/");
  assert.deepEqual(
    said.filter((line) => /Content Security Policy/.test(line)),
    [],
  );
});

test("French is complete, other languages come from the host, and what is foreign is marked so", async (context) => {
  const { page } = await openApp(context, { script: SCRIPT, body: BODY });
  const { ENGLISH, FRENCH } = await page.evaluate(() => window.built);
  const keys = (strings) =>
    Object.entries(strings).flatMap(([key, value]) => (value.trim ? [key] : Object.keys(value)));
  assert.deepEqual(keys(FRENCH), keys(ENGLISH));
  for (const [key, value] of Object.entries(FRENCH)) {
    assert.notDeepEqual(value, ENGLISH[key], key);
    const slots = (words) => (JSON.stringify(words).match(/\{\w+\}/g) ?? []).sort();
    assert.deepEqual(slots(value), slots(ENGLISH[key]), key);
  }
  const lang = () => page.locator("hashgate-notice section").getAttribute("lang");
  await page.evaluate(() => {
    document.documentElement.lang = "fr-CA";
    window.show(["possible"]);
  });
  assert.match(await text(page), /^Votre envoi a été retenu/);
  assert.equal(await lang(), "fr");
  await page.evaluate(() => {
    document.documentElement.lang = "de";
    window.show(["possible"]);
  });
  assert.match(await text(page), /^Your upload was held/);
  assert.equal(await lang(), "en");
  await page.evaluate(() => {
    window.notice.strings = { titleHeld: "Der Upload wurde angehalten" };
    window.show(["possible"]);
  });
  assert.match(await text(page), /^Der Upload wurde angehalten/);
  assert.equal(await lang(), "de");
});

test("by keyboard: focus goes to the heading and back, and a screen reader is told", async (context) => {
  const { page, requests } = await openApp(context, { script: SCRIPT, body: BODY });
  const focused = () =>
    page.evaluate(() => window.notice.shadowRoot.activeElement?.textContent ?? document.activeElement.id);
  await page.focus("#before");
  await page.evaluate(() => window.show(["possible"]));
  assert.equal(await focused(), "Your upload was held");
  const live = page.locator("hashgate-notice [role=status]");
  await page.waitForFunction(() => window.notice.shadowRoot.querySelector("[role=status]").textContent !== "");
  assert.match(await live.textContent(), /^Your upload was held\. “possible\.jpg” may match/);
  const start = requests.length;
  await page.keyboard.press("Tab");
  assert.equal(await focused(), "Choose another file");
  await page.keyboard.press("Tab");
  assert.equal(await focused(), "Ask for a review");
  // If the page doesn't handle the review, the notice says that reviews aren't set up.
  await page.keyboard.press("Enter");
  assert.match(await text(page), /This site has not set up reviews here/);
  assert.match(await live.textContent(), /has not set up reviews/);
  await page.keyboard.press("Tab");
  assert.equal(await page.getByRole("button", { name: "Learn more" }).getAttribute("aria-expanded"), "false");
  await page.keyboard.press("Enter");
  assert.equal(await page.getByRole("button", { name: "Learn more" }).getAttribute("aria-expanded"), "true");
  assert.match(await text(page), /a match is a question and not an accusation/);
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  assert.equal(await focused(), "before");
  assert.equal(await page.locator("hashgate-notice section").isVisible(), false);
  assert.deepEqual(await page.evaluate(() => window.heard), ["review 1", "learn-more 1", "close 1"]);
  // The notice itself makes no request.
  assert.deepEqual(requests.slice(start), []);
  // With `focus: false` the focus stays where it was. If the page handles reviews, the notice doesn't say that they
  // aren't set up.
  await page.evaluate(() => {
    window.answering = "review";
    window.show(["possible"], { focus: false });
  });
  assert.equal(await focused(), "before");
  await page.getByRole("button", { name: "Ask for a review" }).click();
  assert.doesNotMatch(await text(page), /has not set up reviews/);
  // The host chooses the buttons, and gives the address of its own help page.
  await page.evaluate(() => {
    window.notice.setAttribute("actions", "learn");
    window.notice.setAttribute("learn-more-href", "/help");
    window.show(["possible"]);
  });
  assert.equal(await page.locator("hashgate-notice button").count(), 0);
  assert.equal(await page.getByRole("link", { name: "Learn more" }).getAttribute("href"), "/help");
});

test("no violation that axe knows of: dark and light, right to left, narrow, with everything shown", async (context) => {
  for (const colorScheme of ["light", "dark"]) {
    for (const dir of ["ltr", "rtl"]) {
      const options = { colorScheme, viewport: { width: 320, height: 800 } };
      const css = "color-scheme: light dark; background: Canvas; color: CanvasText";
      const script = `${SCRIPT}; document.documentElement.style.cssText = "${css}"; document.documentElement.dir = "${dir}";`;
      const { page } = await openApp(context, { script, body: BODY, page: options });
      await page.evaluate(() => {
        window.notice.support = [{ label: "A helpline", href: "https://helpline.example/", text: "day and night" }];
        window.show(["possible", "confirmed", "unavailable"]);
      });
      await page.getByRole("button", { name: "Learn more" }).click();
      await page.getByRole("button", { name: "Ask for a review" }).click();
      assert.deepEqual(await violations(page), [], `${colorScheme} ${dir}`);
      const look = await page.evaluate(() => {
        const section = window.notice.shadowRoot.querySelector("section");
        const { backgroundColor, borderLeftWidth, borderRightWidth } = getComputedStyle(section);
        const small = [...section.querySelectorAll("button")].filter(
          (button) => button.getBoundingClientRect().height < 44,
        );
        const { scrollWidth, clientWidth } = document.documentElement;
        return {
          backgroundColor,
          borderLeftWidth,
          borderRightWidth,
          small: small.length,
          wider: scrollWidth - clientWidth,
        };
      });
      assert.deepEqual(look, {
        backgroundColor: colorScheme === "dark" ? "rgb(29, 30, 35)" : "rgb(255, 255, 255)",
        borderLeftWidth: dir === "rtl" ? "1px" : "5px",
        borderRightWidth: dir === "rtl" ? "5px" : "1px",
        small: 0,
        wider: 0,
      });
      if (dir === "rtl") continue;
      // The page styles the notice by custom properties and parts.
      const themed = await page.evaluate(() => {
        const sheet = new CSSStyleSheet();
        sheet.replaceSync(
          "hashgate-notice { --hashgate-background: rgb(1, 2, 3) } hashgate-notice::part(title) { letter-spacing: 3px }",
        );
        document.adoptedStyleSheets = [sheet];
        const { shadowRoot } = window.notice;
        const ground = getComputedStyle(shadowRoot.querySelector("section")).backgroundColor;
        return [ground, getComputedStyle(shadowRoot.querySelector("h2")).letterSpacing];
      });
      assert.deepEqual(themed, ["rgb(1, 2, 3)", "3px"]);
    }
  }
});

test("what is added is shown beside what was shown, and the most serious names the notice", async (context) => {
  const { page } = await openApp(context, { script: SCRIPT, body: BODY });
  await page.focus("#before");
  const shown = await page.evaluate(async () => {
    const add = (file, name, decision) =>
      window.notice.add({ file, verdict: window.verdicts[name], ...(decision && { decision }) });
    const [first, second] = [{ name: "one.jpg" }, { name: "two.jpg" }];
    add(first, "unavailable", "upload");
    add(second, "unavailable");
    const focused = () => window.notice.shadowRoot.activeElement?.textContent ?? document.activeElement.id;
    const before = focused();
    add({ name: "three.jpg" }, "possible");
    // The same file is checked again. The new entry replaces the earlier one.
    add(first, "possible");
    return [before, window.notice.entries.map(({ file }) => file.name)];
  });
  assert.deepEqual(shown, ["before", ["two.jpg", "three.jpg", "one.jpg"]]);
  const words = await text(page);
  assert.match(words, /^Your upload was held/);
  for (const name of ["one", "two", "three"]) assert.match(words, new RegExp(`“${name}\\.jpg”`));
  assert.deepEqual(await violations(page), []);
});

test("types for JSX and for Vue's templates ship with the package", () => {
  writeRecipe(
    "jsx.tsx",
    `import "hashgate/notice/react";\nexport const notice = <hashgate-notice lang="fr" actions="close" learn-more-href="/help" />;\n`,
  );
  writeRecipe(
    "vue.ts",
    `import type { GlobalComponents } from "vue";\nimport "hashgate/notice/vue";\nexport type Notice = GlobalComponents["hashgate-notice"];\n`,
  );
  const compilerOptions = {
    ...{
      strict: true,
      noEmit: true,
      module: "esnext",
      moduleResolution: "bundler",
      target: "es2023",
      jsx: "react-jsx",
    },
    ...{ lib: ["es2023", "dom", "dom.iterable"], skipLibCheck: true, types: [] },
  };
  writeRecipe("types.json", JSON.stringify({ compilerOptions, files: ["jsx.tsx", "vue.ts"] }));
  execFileSync(process.execPath, ["node_modules/typescript/bin/tsc", "--project", "target/recipes/types.json"], {
    encoding: "utf8",
  });
});

test("a server may import every entry point", async () => {
  for (const name of ["notice", "guard", "filepond", "confirm", "uppy"]) {
    assert.ok(Object.keys(await import(`hashgate/${name}`)).length > 0, name);
  }
});
