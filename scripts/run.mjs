// Functions for scripts: run commands, find programs, and end with a sentence instead of a stack trace. Imports only
// Node's own modules, because it runs before any package is installed.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("..", import.meta.url));
process.chdir(root);

/** Prints the sentence, which says what is missing and what to do, and ends this process with status 1. */
export function stop(sentence) {
  console.error(`hashgate: ${sentence}`);
  process.exit(1);
}

/** Prints what a script is about to do. */
export function say(sentence) {
  console.log(`hashgate: ${sentence}`);
}

/** Runs a command with its output shown. Ends this process if the command fails. */
export function run(command, args, options = {}) {
  const failure = attempt(command, args, options);
  if (failure) stop(failure);
}

/** Runs a command with its output shown. Returns the sentence that says how it failed, or undefined. */
export function attempt(command, args, options = {}) {
  const { status, error } = spawnSync(command, args, { stdio: ["ignore", "inherit", "inherit"], ...options });
  if (error) return `${command} can't be started (${error.message}); is it installed?`;
  if (status !== 0) return `"${[command, ...args].join(" ")}" failed with status ${status}; its messages are above.`;
}

/** Returns the path of the first of the named programs that is installed, or undefined. */
export function find(names) {
  // Debian keeps servers in /usr/sbin, which isn't on everyone's path.
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin"];
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find((path) => existsSync(path));
}
