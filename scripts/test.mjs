// npm test: sets up what is missing, then runs every test.
import { readdirSync } from "node:fs";
import { chromium, firefox, run, setUp } from "./setup.mjs";

setUp();
const env = { ...process.env, CHROMIUM_PATH: chromium(), FIREFOX_PATH: firefox() };
run("cargo", ["test", "--workspace", "--locked"]);
const files = ["tests/browser", "tests/packaging"].flatMap((folder) =>
  readdirSync(folder)
    .filter((name) => name.endsWith(".test.mjs"))
    .map((name) => `${folder}/${name}`),
);
run(process.execPath, ["--test", "--test-concurrency=1", "--test-timeout=300000", ...files], { env });
