// hashgate/service-worker: in a service worker, stops uploads until a page's gate has checked their files.
import type { CheckAnswer, HeldFile } from "./messages.js";
import { heldResponse } from "./response.js";
import { isPieceOfFile, mayCarryFile, type Upload, uploadOf } from "./upload.js";

export type { HeldFile } from "./messages.js";
export type { HeldProblem } from "./response.js";

export interface CheckUploadsOptions {
  /** Further origins to which uploads are checked, such as "https://uploads.example". Default: only this origin. */
  origins?: string[];
  /** Returns whether to check a request that may carry a file. Default: all of them are checked. */
  match?: (request: Request) => boolean;
  /** Whether to hold ("block") or let pass ("allow") an upload that no page can check. Default "block". */
  whenUnavailable?: "block" | "allow";
  /** Milliseconds within which a page must answer that it has a gate. Default 2,000. */
  pageTimeoutMs?: number;
}

// TypeScript's types of the DOM lack the types of service workers.
interface Client {
  postMessage(message: unknown, transfer: Transferable[]): void;
  readonly id: string;
}
interface FetchEvent extends Event {
  readonly request: Request;
  readonly clientId: string;
  respondWith(response: Promise<Response>): void;
}
interface ServiceWorkerScope {
  readonly location: Location;
  readonly clients: { matchAll(options: { type: "window" }): Promise<readonly Client[]> };
  addEventListener(type: "fetch", listener: (event: FetchEvent) => void): void;
}

/** The result of asking the pages. */
type Asked =
  | { is: "settled"; held: HeldFile[] }
  | { is: "unavailable"; detail: string }
  /** These bytes can't be checked by any gate, so `whenUnavailable` doesn't let them pass. */
  | { is: "unjudgeable"; reason: "unreadable" | "incomplete"; detail: string };

/**
 * Checks every upload that goes through this service worker. Call it at the top level of the script. A held upload is
 * answered with status 451 and a problem document; any other upload is sent with the bytes that were checked. Requests
 * without files are not touched.
 *
 * @example
 * import { checkUploads } from "hashgate/service-worker";
 * checkUploads({ match: ({ url }) => new URL(url).pathname.startsWith("/upload") });
 *
 * @throws TypeError if an option is malformed.
 */
export function checkUploads(options: CheckUploadsOptions = {}): void {
  const { origins = [], match = () => true, whenUnavailable = "block", pageTimeoutMs = 2000 } = options;
  if (whenUnavailable !== "block" && whenUnavailable !== "allow") {
    throw new TypeError(`whenUnavailable: expected "block" or "allow", got ${JSON.stringify(whenUnavailable)}`);
  }
  const scope = self as unknown as ServiceWorkerScope;
  const checked = new Set([scope.location.origin, ...origins.map((origin) => new URL(origin).origin)]);
  scope.addEventListener("fetch", (event) => {
    const { request } = event;
    if (!mayCarryFile(request) || !checked.has(new URL(request.url).origin) || !match(request)) return;
    event.respondWith(answer(event, scope, whenUnavailable, pageTimeoutMs));
  });
}

async function answer(
  { request, clientId }: FetchEvent,
  scope: ServiceWorkerScope,
  whenUnavailable: "block" | "allow",
  pageTimeoutMs: number,
): Promise<Response> {
  const upload = await uploadOf(request);
  if (upload.files.length === 0 && upload.unreadable === undefined) return sendOn(request, upload);
  const asked = await ask(request, upload, await pagesOf(scope, clientId), pageTimeoutMs);
  if (asked.is === "settled" && asked.held.length === 0) return sendOn(request, upload);
  if (asked.is === "unavailable" && whenUnavailable === "allow") return sendOn(request, upload);
  if (asked.is !== "settled") {
    const reason = asked.is === "unjudgeable" ? asked.reason : "unavailable";
    return heldResponse(unchecked(upload, reason), asked.detail, request);
  }
  const names = asked.held.map(({ name }) => name).join(", ");
  return heldResponse(asked.held, `Not sent: ${names}. The page says why, and what can be done.`, request);
}

/** Returns the site's pages. The page that sends comes first, because it can tell the person. */
async function pagesOf({ clients }: ServiceWorkerScope, sender: string): Promise<Client[]> {
  const pages = [...(await clients.matchAll({ type: "window" }))];
  return pages.sort((a, b) => Number(b.id === sender) - Number(a.id === sender));
}

/** Asks one page after the other until one has a gate. */
async function ask(request: Request, upload: Upload, pages: Client[], timeoutMs: number): Promise<Asked> {
  // Doesn't ask about a piece of a file, or about a body that can't be parsed: the gate would take it for the whole
  // file.
  if (upload.unreadable !== undefined) return { is: "unjudgeable", reason: "unreadable", detail: upload.unreadable };
  if (isPieceOfFile(request, upload)) {
    return { is: "unjudgeable", reason: "incomplete", detail: PIECE };
  }
  let detail = "no page of this site has called listenToUploads with a gate";
  for (const page of pages) {
    const asked = await askPage(page, request.url, upload.files, timeoutMs);
    if (asked.is === "settled") return asked;
    if (asked.detail !== "") detail = asked.detail;
  }
  return { is: "unavailable", detail };
}

const PIECE = "body: expected a whole file, got a piece of one; check the file before it is cut, by gate.admit";

function askPage(
  page: Client,
  url: string,
  files: File[],
  timeoutMs: number,
): Promise<Exclude<Asked, { is: "unjudgeable" }>> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    const end = (asked: Exclude<Asked, { is: "unjudgeable" }>) => {
      clearTimeout(timer);
      port1.close();
      resolve(asked);
    };
    const timer = setTimeout(() => end({ is: "unavailable", detail: "" }), timeoutMs);
    port1.onmessage = ({ data }: MessageEvent<CheckAnswer>) => {
      if (data.is === "accepted") clearTimeout(timer);
      else if (data.is === "settled") end({ is: "settled", held: data.held });
      else end({ is: "unavailable", detail: data.detail });
    };
    page.postMessage({ hashgate: "check", url, files }, [port2]);
  });
}

function unchecked({ files, body }: Upload, reason: string): HeldFile[] {
  const named = files.length > 0 ? files : [new File([body], "upload")];
  return named.map(({ name }) => ({ name, outcome: "unchecked", reason }));
}

/**
 * Sends the request with the bytes that were checked. A navigation request can't be copied, so builds a new request
 * from its parts.
 */
function sendOn(request: Request, { body }: Upload): Promise<Response> {
  const { url, method, headers, credentials, redirect, referrer, referrerPolicy, integrity, signal, mode } = request;
  // For a navigation, the browser itself must follow a redirect, so it isn't followed here.
  const followed = mode === "navigate" ? "manual" : redirect;
  const sent = { method, headers, credentials, redirect: followed, referrerPolicy, integrity, signal };
  const more = mode === "navigate" ? {} : { mode, referrer };
  return fetch(url, { ...sent, ...more, body: method === "GET" ? null : body });
}
