// Finds the programs that the tests need and that no package manager of the repository installs: browsers, and a web
// server.
import { existsSync } from "node:fs";
import { find, run, say, stop } from "./run.mjs";

/** Each program: the variable that names its path, its names, and Debian's package. */
const PROGRAMS = [
  {
    variable: "CHROMIUM_PATH",
    names: ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"],
    alsoAt: "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    debianPackage: "chromium",
  },
  {
    variable: "FIREFOX_PATH",
    names: ["firefox-esr", "firefox"],
    alsoAt: "/Applications/Firefox.app/Contents/MacOS/firefox",
    debianPackage: "firefox-esr",
  },
  { variable: "NGINX_PATH", names: ["nginx"], debianPackage: "nginx" },
];

/** Returns the path of a program, or undefined. Ends this process if the program's variable names no file. */
function pathOf({ variable, names, alsoAt }) {
  const chosen = process.env[variable];
  if (chosen) return existsSync(chosen) ? chosen : stop(`${variable} is "${chosen}", where no file is; correct it.`);
  return find(names) ?? (alsoAt && existsSync(alsoAt) ? alsoAt : undefined);
}

/**
 * Returns the environment variables that name the programs' paths. Installs Debian's packages for those that are
 * missing if the user asked for it by `--install` or `CI=true`; otherwise ends this process and says what to install.
 *
 * @param {string[]} variables which programs are needed; all of them if left out
 */
export function programs(variables = PROGRAMS.map(({ variable }) => variable)) {
  const needed = PROGRAMS.filter(({ variable }) => variables.includes(variable));
  const missing = needed.filter((program) => !pathOf(program)).map(({ debianPackage }) => debianPackage);
  if (missing.length > 0) install(missing);
  return Object.fromEntries(
    needed.map((program) => {
      const path = pathOf(program);
      if (!path) stop(`${program.names[0]} is still missing; set ${program.variable} to its path.`);
      return [program.variable, path];
    }),
  );
}

function install(packages) {
  const list = packages.join(" ");
  const byHand = `install them (on Debian or Ubuntu: sudo apt-get install ${list})`;
  const paths = "set CHROMIUM_PATH, FIREFOX_PATH or NGINX_PATH to the path of each";
  if (!process.argv.includes("--install") && process.env.CI !== "true") {
    stop(`these programs are missing: ${list}. Either ${byHand}, or run "npm test -- --install", or ${paths}.`);
  }
  if (!find(["apt-get"])) stop(`these programs are missing, and there is no apt-get: ${list}. ${paths}.`);
  const command = process.getuid?.() === 0 ? [] : ["sudo"];
  say(`installing Debian's packages ${list}, because ${process.env.CI === "true" ? "CI is true" : "of --install"}`);
  const aptGet = (...args) => run([...command, "apt-get"][0], [...command, "apt-get", ...args].slice(1));
  aptGet("update", "--quiet");
  aptGet("install", "--yes", "--quiet", "--no-install-recommends", ...packages);
}
