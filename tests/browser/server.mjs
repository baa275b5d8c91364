// A static file server with a strict Content-Security-Policy. By default it serves www/ at /, dist/ at /hashgate/ and
// the samples at /samples/; `folders` replaces these. `extra` adds responses by path. `handle` may answer a request
// itself and then returns true. `requests` lists every request.
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const TYPES = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".jpg": "image/jpeg",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
};
const FOLDERS = [
  ["/hashgate/", "dist"],
  ["/samples/", "target/samples"],
  ["/", "www"],
];

export const CSP = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "worker-src 'self'",
  "connect-src 'self'",
  "style-src 'self'",
  "img-src 'self' blob:",
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");

/**
 * @param {{ port?: number, folders?: [string, string][], csp?: string,
 *   extra?: Record<string, { body: string | Uint8Array, type?: string, status?: number, csp?: string }>,
 *   handle?: (request: object, response: object, pathname: string) => boolean }} options
 */
export async function serve({ port = 0, folders = FOLDERS, csp: policy = CSP, extra = {}, handle } = {}) {
  const requests = [];
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    requests.push(`${request.method} ${pathname}`);
    const send = (status, type, body, csp = policy) =>
      response
        .writeHead(status, {
          "content-type": type,
          "content-length": Buffer.byteLength(body),
          "content-security-policy": csp,
          "x-content-type-options": "nosniff",
        })
        .end(body);
    if (handle?.(request, response, pathname)) return;
    const made = extra[pathname];
    if (made) return send(made.status ?? 200, made.type ?? "application/octet-stream", made.body, made.csp);
    try {
      const path = decodeURIComponent(pathname.endsWith("/") ? `${pathname}index.html` : pathname);
      const [prefix, folder] = folders.find(([start]) => path.startsWith(start)) ?? ["/", "www"];
      const base = resolve(root, folder);
      const file = resolve(base, path.slice(prefix.length));
      if (!file.startsWith(base)) throw new Error("outside");
      send(200, TYPES[extname(file)] ?? "application/octet-stream", await readFile(file));
    } catch {
      send(404, "text/plain; charset=utf-8", `${pathname}: not found\n`);
    }
  });
  await new Promise((resolve, reject) => server.once("error", reject).listen(port, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      }),
  };
}
