// What every page has, whichever way the worker and the engine came to it.

import { GateError } from "../errors.js";
import { openGateOn } from "../gate/gate.js";
import { isPlatformBlob } from "../gate/input.js";
import type { Gate, GateOptions } from "../types/types.js";
import { compileFrom } from "./compile.js";

/** Where an entry of the package has its worker and its engine. */
export interface Parts {
  startWorker(): Worker;
  compile(): Promise<WebAssembly.Module>;
}

/** Opens a gate in a page. A page that is being prerendered waits until somebody looks at it. */
export async function openGateInPage(options: GateOptions, { startWorker, compile }: Parts): Promise<Gate> {
  if (typeof document === "undefined" || typeof Worker === "undefined") return openNowhere(options);
  const { workerUrl } = options;
  if (document.prerendering) await shown(options?.signal);
  return openGateOn(
    {
      startWorker(listener) {
        const worker = workerUrl === undefined ? startWorker() : new Worker(trusted(workerUrl), { type: "module" });
        worker.onmessage = (event) => listener.message(event.data);
        worker.onmessageerror = () => listener.error("a message could not be read");
        worker.onerror = (event) => listener.error(event.message || "its script can't be loaded");
        // A page that is left may be kept, frozen, for the way back, and its workers with it. They start anew then.
        const left = () => listener.error("the page was left");
        addEventListener("pagehide", left);
        return {
          post: (message, transfer) => worker.postMessage(message, transfer),
          terminate() {
            removeEventListener("pagehide", left);
            worker.terminate();
          },
        };
      },
      compile,
      takesBlob: isPlatformBlob,
      resolve: (url) => new URL(url, document.baseURI).href,
      processors: () => navigator.hardwareConcurrency,
      whenIdle: (callback) =>
        "requestIdleCallback" in globalThis ? void requestIdleCallback(callback) : void setTimeout(callback, 200),
    },
    options,
  );
}

/** A server that renders the page has nothing to check. Elsewhere the host has to know that nothing is checked here. */
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
    /** Where browsers prerender pages (speculation rules). */
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

/** What a Trusted Types policy of the name `hashgate` gives; a page allows it by `trusted-types hashgate`. */
interface Policy {
  createScriptURL(url: string): string;
}
let policy: Policy | undefined;

/** Whether the browser knows Trusted Types, and the page lets this package have its policy. */
export function hasPolicy(): boolean {
  const { trustedTypes } = globalThis as { trustedTypes?: { createPolicy(name: string, rules: Policy): Policy } };
  try {
    policy ??= trustedTypes?.createPolicy("hashgate", { createScriptURL: (url) => url });
  } catch {
    // The page's policy names others only. If it also requires trusted types, starting the worker fails and says so.
  }
  return policy !== undefined;
}

/** A worker's URL, trusted where the page requires that. The URL is this package's own, or the host's `workerUrl`. */
export function trusted(url: string | URL): string {
  return hasPolicy() && policy ? policy.createScriptURL(String(url)) : String(url);
}

/** The engines of the page, each compiled once. A failure is forgotten, so that the next call tries again. */
const compiled = new Map<string, Promise<WebAssembly.Module>>();

export function once(name: string, compile: () => Promise<WebAssembly.Module>): Promise<WebAssembly.Module> {
  const known = compiled.get(name);
  if (known) return known;
  const compiling = compile();
  compiled.set(name, compiling);
  compiling.catch(() => compiled.delete(name));
  return compiling;
}

/** What is found at a URL, which may be relative to the page. */
export function compileUrl(url: string | URL): Promise<WebAssembly.Module> {
  const { href } = new URL(url, document.baseURI);
  return once(href, () => compileFrom(href, (address) => fetch(address)));
}
