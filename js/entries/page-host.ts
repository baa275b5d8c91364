// Opens gates in pages. The entries differ only in where the worker and the engine come from.

import { describe, GateError } from "../errors.js";
import { openGateOn } from "../gate/gate.js";
import { isPlatformBlob } from "../gate/input.js";
import type { OwnFormat } from "../protocol.js";
import type { Gate, GateOptions } from "../types/types.js";
import { compileFrom } from "./compile.js";
import { startInPage } from "./page-worker.js";

/** How an entry of the package starts its worker and compiles its engine. */
export interface Parts {
  startWorker(): Worker;
  compile(): Promise<WebAssembly.Module>;
  compileFormats(timeoutMs: number): Promise<WebAssembly.Module>;
  compileDecoder(format: OwnFormat, timeoutMs: number): Promise<WebAssembly.Module>;
  compileFilms(timeoutMs: number): Promise<WebAssembly.Module>;
}

/** Opens a gate in a page. In a page that is being prerendered, first waits until the page is shown. */
export async function openGateInPage(options: GateOptions, { startWorker, ...engines }: Parts): Promise<Gate> {
  if (typeof document === "undefined" || typeof Worker === "undefined") return openNowhere(options);
  const { workerUrl } = options;
  if (document.prerendering) await shown(options?.signal);
  return openGateOn(
    {
      startWorker: (listener) =>
        startInPage(
          () =>
            started(() =>
              workerUrl === undefined ? startWorker() : new Worker(trusted(workerUrl), { type: "module" }),
            ),
          listener,
        ),
      ...engines,
      takesBlob: isPlatformBlob,
      resolve: (url) => new URL(url, document.baseURI).href,
      processors: () => navigator.hardwareConcurrency,
      whenIdle: (callback) =>
        "requestIdleCallback" in globalThis ? void requestIdleCallback(callback) : void setTimeout(callback, 200),
    },
    options,
  );
}

/**
 * Returns a promise that stays pending if the host has set `browserOnly`, because a server that renders the page has
 * nothing to check. Otherwise throws, so that the host learns that nothing is checked here.
 */
function openNowhere(options: GateOptions): Promise<Gate> {
  if (options?.browserOnly) return new Promise(() => {});
  throw new GateError({
    code: "engine-unavailable",
    message:
      "openGate: expected a page that can start workers, got a platform without them; " +
      "open the gate in a browser, Node.js, Deno or Bun, and in tests use fakeGate of hashgate/testing",
  });
}

declare global {
  interface Document {
    /** Whether the page is being prerendered, in browsers that do so (speculation rules). */
    readonly prerendering?: boolean;
  }
}

function shown(signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    document.addEventListener("prerenderingchange", () => resolve(), { once: true });
    signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
    if (signal?.aborted) reject(signal.reason);
  });
}

/** The Trusted Types policy named `hashgate`. A page allows it with `trusted-types hashgate`. */
interface Policy {
  createScriptURL(url: string): string;
}
let policy: Policy | undefined;
/** The browser's message if the page doesn't allow the policy. */
let refusal: string | undefined;

/** Returns whether the browser knows Trusted Types, and the page allows this package's policy. */
export function hasPolicy(): boolean {
  const { trustedTypes } = globalThis as { trustedTypes?: { createPolicy(name: string, rules: Policy): Policy } };
  try {
    policy ??= trustedTypes?.createPolicy("hashgate", { createScriptURL: (url) => url });
  } catch (error) {
    // The page allows only other policies, or another copy of this package has made the policy. If the page also
    // requires trusted types, `started` says what to do.
    refusal = describe(error);
  }
  return policy !== undefined;
}

/**
 * Returns a worker's URL, as a trusted value where the page requires one. The URL is this package's own, or the host's
 * `workerUrl`.
 */
export function trusted(url: string | URL): string {
  return hasPolicy() && policy ? policy.createScriptURL(String(url)) : String(url);
}

/** Starts a worker. If the page's Trusted Types forbid that, throws an error that says what the page has to allow. */
function started(start: () => Worker): Worker {
  try {
    return start();
  } catch (error) {
    if (refusal === undefined || policy !== undefined || !(error instanceof TypeError)) throw error;
    throw new TypeError(
      `${error.message} Expected a Content-Security-Policy with "trusted-types hashgate" (and 'allow-duplicates' if ` +
        `the page has several copies of this package), got one that refuses the policy: ${refusal}`,
    );
  }
}

/** The compiled engines of the page, by URL. A failed compilation isn't kept, so that the next call tries again. */
const compiled = new Map<string, Promise<WebAssembly.Module>>();

export function once(name: string, compile: () => Promise<WebAssembly.Module>): Promise<WebAssembly.Module> {
  const known = compiled.get(name);
  if (known) return known;
  const compiling = compile();
  compiled.set(name, compiling);
  compiling.catch(() => compiled.delete(name));
  return compiling;
}

/** Compiles the engine at a URL, which may be relative to the page. Gives up after `timeoutMs`, if that is given. */
export function compileUrl(url: string | URL, timeoutMs?: number): Promise<WebAssembly.Module> {
  const { href } = new URL(url, document.baseURI);
  const init = () => (timeoutMs === undefined ? {} : { signal: AbortSignal.timeout(timeoutMs) });
  return once(href, () => compileFrom(href, (address) => fetch(address, init())));
}
