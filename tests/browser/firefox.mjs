// The options that all tests use to start Firefox by Puppeteer.

export const FIREFOX = {
  browser: "firefox",
  executablePath: process.env.FIREFOX_PATH ?? "/usr/bin/firefox-esr",
  headless: true,
};
