// Finds out which requests carry files, and reads the files.

import { filesOfMultipart, WITHOUT_FILES } from "./multipart.js";

/** The largest body that is decompressed, in bytes. A compressed body may be many times larger than it looks. */
const MAX_DECOMPRESSED = 1 << 30;

/** A request's body, and the files in it. */
export interface Upload {
  /** The body, byte for byte. This copy is sent, so a file that changes on disk meanwhile doesn't change the upload. */
  body: Blob;
  files: File[];
  /** Why the body can't be parsed. Such a body counts as a single file. */
  unreadable?: string;
}

/** Returns whether a request may carry a file, by its method and media type. */
export function mayCarryFile({ method, headers }: Pick<Request, "method" | "headers">): boolean {
  if (method === "GET" || method === "HEAD" || method === "OPTIONS") return false;
  return !WITHOUT_FILES.test(headers.get("content-type") ?? "");
}

/** Reads a request's body and finds its files. A body that isn't multipart is one file. */
export async function uploadOf(request: Request): Promise<Upload> {
  const type = request.headers.get("content-type") ?? "";
  const body = await request.clone().blob();
  if (body.size === 0) return { body, files: [] };
  try {
    const plain = await decompressed(body, request.headers.get("content-encoding") ?? "");
    if (/^multipart\//i.test(type)) return { body, files: await filesOfMultipart(plain, type) };
    return { body, files: [new File([plain], nameOf(request), { type })] };
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    return { body, files: [], unreadable: `body: expected ${type || "bytes"}, got bytes that aren't (${detail})` };
  }
}

/** Undoes `Content-Encoding`, so that the gate sees what the server will see. */
async function decompressed(body: Blob, encodings: string): Promise<Blob> {
  let plain = body;
  for (const encoding of encodings.toLowerCase().split(",").reverse()) {
    const name = encoding.trim().replace(/^x-/, "");
    if (name === "" || name === "identity") continue;
    if (name !== "gzip" && name !== "deflate")
      throw new Error(`expected Content-Encoding gzip or deflate, got ${name}`);
    let size = 0;
    const counted = new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        size += chunk.byteLength;
        if (size > MAX_DECOMPRESSED)
          throw new Error(`expected at most ${MAX_DECOMPRESSED} bytes decompressed, got more`);
        controller.enqueue(chunk);
      },
    });
    const stream = plain.stream().pipeThrough(new DecompressionStream(name)).pipeThrough(counted);
    plain = await new Response(stream).blob();
  }
  return plain;
}

/**
 * Returns whether a request sends a piece of a file: by tus, by the IETF's resumable uploads, or by `Content-Range`. A
 * piece can't be checked, unless it is the whole file.
 */
export function isPieceOfFile({ method, headers }: Pick<Request, "method" | "headers">, { body }: Upload): boolean {
  const range = headers.get("content-range");
  if (range !== null) {
    const [, first, last, total] = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(range.trim()) ?? [];
    return !(first === "0" && total === String(body.size) && Number(last) + 1 === body.size);
  }
  if (headers.get("upload-complete") === "?0") return true;
  const isTus = (method === "PATCH" && headers.has("upload-offset")) || headers.has("upload-length");
  return (
    isTus && !((headers.get("upload-offset") ?? "0") === "0" && headers.get("upload-length") === String(body.size))
  );
}

/** Returns a name for a raw body, which has no file name: the last part of the URL's path. */
function nameOf({ url }: Request): string {
  const last = new URL(url).pathname.split("/").filter(Boolean).at(-1) ?? "";
  try {
    return decodeURIComponent(last) || "upload";
  } catch {
    return last;
  }
}
