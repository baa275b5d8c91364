// node docs/site/screenshot.mjs: makes docs/images/demo.jpg, the demo page with verdicts on its drawn samples. Needs
// what `npm start` or `npm test` has built.
import { chromium } from "playwright-core";
import { demoArguments, startServer } from "../../scripts/confirming.mjs";

const OUT = "docs/images/demo.jpg";
const SAMPLES = [
  "clean/clean-1.jpg",
  "listed/listed-2.jpg",
  "edited/listed-2-mirrored.jpg",
  "edited/listed-6-captioned.jpg",
];

const server = await startServer(demoArguments("target"));
const executablePath = process.env.CHROMIUM_PATH ?? "/usr/bin/chromium";
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] });
try {
  const page = await browser.newPage({ viewport: { width: 720, height: 720 }, colorScheme: "light" });
  await page.goto(`${server.url}/`);
  await page.waitForSelector("#choose:not([disabled])");
  await page.setInputFiles(
    "#choose",
    SAMPLES.map((name) => `target/samples/${name}`),
  );
  await page.waitForFunction(
    (count) => document.querySelector("#checked").textContent === String(count),
    SAMPLES.length,
  );
  await page.locator("#results-title").scrollIntoViewIfNeeded();
  await page.locator("section:has(#results-title)").screenshot({ path: OUT, type: "jpeg", quality: 82 });
  console.log(`wrote ${OUT}`);
} finally {
  await browser.close();
  await server.close();
}
