// Finds the parts of a multipart body (RFC 2046) that may be files: form-data, related, mixed and the like.

/** Media types of bodies and parts that are no files, such as JSON or a form without files. */
export const WITHOUT_FILES =
  /^(application\/(json|x-www-form-urlencoded|xml|graphql)|application\/.+\+(json|xml)|text\/)/i;

/** Number of levels of multipart bodies inside each other. A body with more levels is refused. */
const MAX_DEPTH = 4;
/** The largest header of a part, in bytes. A body with a larger one is refused. */
const MAX_HEADER = 65_536;
const DASH = 0x2d;

/** One part: its header, and the offsets of its content in the body. */
interface Part {
  header: Map<string, string>;
  start: number;
  end: number;
}

/**
 * Returns the files in a multipart body. The files refer to `body`, so its bytes aren't copied.
 *
 * @throws Error if the body isn't a complete multipart body, or a part is encoded in a way that can't be undone.
 */
export async function filesOfMultipart(body: Blob, type: string): Promise<File[]> {
  return filesIn(body, new Uint8Array(await body.arrayBuffer()), type, 1);
}

function filesIn(body: Blob, bytes: Uint8Array, type: string, depth: number): File[] {
  if (depth > MAX_DEPTH) throw new Error(`expected multipart bodies nested at most ${MAX_DEPTH} deep`);
  const boundary = parameter(type, "boundary");
  if (boundary === undefined || boundary === "") throw new Error("expected a boundary in Content-Type, got none");
  const isForm = /^multipart\/form-data/i.test(type);
  return partsOf(bytes, new TextEncoder().encode(`--${boundary}`)).flatMap((part) => {
    const partType = part.header.get("content-type") ?? "";
    const name = nameIn(part.header);
    const decoded = decode(body, bytes, part);
    if (/^multipart\//i.test(partType)) return filesIn(decoded.blob, decoded.bytes, partType, depth + 1);
    // In a form, a field that has neither a file name nor a type is text. In other multipart bodies, a part without a
    // type may be anything, so it counts as a file.
    const isText = name === undefined && (partType === "" ? isForm : WITHOUT_FILES.test(partType));
    return isText || decoded.blob.size === 0 ? [] : [new File([decoded.blob], name ?? "upload", { type: partType })];
  });
}

/** Decodes a part by its Content-Transfer-Encoding. Programs that upload by `multipart/related` often use base64. */
function decode(body: Blob, all: Uint8Array, { header, start, end }: Part): { blob: Blob; bytes: Uint8Array } {
  const encoding = (header.get("content-transfer-encoding") ?? "binary").trim().toLowerCase();
  const bytes = all.subarray(start, end);
  if (["7bit", "8bit", "binary", ""].includes(encoding)) return { blob: body.slice(start, end), bytes };
  if (encoding !== "base64") throw new Error(`expected parts in base64 or as they are, got ${encoding}`);
  const binary = atob(new TextDecoder().decode(bytes));
  const decoded = Uint8Array.from(binary, (character) => character.charCodeAt(0));
  return { blob: new Blob([decoded]), bytes: decoded };
}

function partsOf(bytes: Uint8Array, delimiter: Uint8Array): Part[] {
  const parts: Part[] = [];
  let found = nextDelimiter(bytes, delimiter, 0);
  while (found !== undefined && !found.isLast) {
    const { header, end: start } = headerAt(bytes, found.end);
    const next = nextDelimiter(bytes, delimiter, start - 2);
    if (next === undefined) break;
    parts.push({ header, start, end: Math.max(start, next.start) });
    found = next;
  }
  if (found === undefined || !found.isLast) throw new Error("expected the boundary that ends the body, got none");
  return parts;
}

/**
 * Finds the next line that is the delimiter. Returns the offset of the line break before it and the offset after its
 * line.
 */
function nextDelimiter(bytes: Uint8Array, delimiter: Uint8Array, from: number) {
  for (let at = bytes.indexOf(DASH, from); at >= 0; at = bytes.indexOf(DASH, at + 1)) {
    if (at > 0 && !isLineBreak(bytes, at - 2)) continue;
    if (!delimiter.every((byte, index) => bytes[at + index] === byte)) continue;
    let end = at + delimiter.length;
    const isLast = bytes[end] === DASH && bytes[end + 1] === DASH;
    if (isLast) return { start: at - 2, end, isLast };
    while (bytes[end] === 0x20 || bytes[end] === 0x09) end += 1;
    if (isLineBreak(bytes, end)) return { start: at - 2, end: end + 2, isLast };
  }
  return undefined;
}

function isLineBreak(bytes: Uint8Array, at: number): boolean {
  return bytes[at] === 0x0d && bytes[at + 1] === 0x0a;
}

/** Reads the header lines that begin at `from`, up to the empty line. Names are in lower case. */
function headerAt(bytes: Uint8Array, from: number): { header: Map<string, string>; end: number } {
  const header = new Map<string, string>();
  let last = "";
  for (let start = from; ; ) {
    let end = start;
    while (end < bytes.length && !isLineBreak(bytes, end)) end += 1;
    if (end >= bytes.length || end - from > MAX_HEADER) throw new Error("expected an empty line after a part's header");
    if (end === start) return { header, end: end + 2 };
    const line = new TextDecoder().decode(bytes.subarray(start, end));
    // A line that begins with a space continues the previous header line.
    const isContinued = /^[ \t]/.test(line);
    const colon = line.indexOf(":");
    if (!isContinued) last = line.slice(0, Math.max(colon, 0)).trim().toLowerCase();
    header.set(last, isContinued ? `${header.get(last) ?? ""}${line}` : line.slice(colon + 1).trim());
    start = end + 2;
  }
}

/** Returns the file name in a part's header, or undefined if it has none. */
function nameIn(header: Map<string, string>): string | undefined {
  const disposition = header.get("content-disposition") ?? "";
  const plain = parameter(disposition, "filename");
  const extended = /^utf-8'[^']*'(.*)$/i.exec(parameter(disposition, "filename*") ?? "")?.[1];
  if (plain === undefined && extended === undefined) return undefined;
  try {
    // Browsers write quotes and line breaks as %22, %0D and %0A.
    return decodeURIComponent(extended ?? (plain as string).replaceAll(/%(?!22|0D|0A)/gi, "%25"));
  } catch {
    return plain ?? extended;
  }
}

/** Returns a parameter of a header's value, such as the boundary. */
function parameter(value: string, name: string): string | undefined {
  for (const [, key, quoted, token] of value.matchAll(/;\s*([^\s=;"]+)\s*=\s*(?:"((?:\\.|[^"\\])*)"|([^\s;]*))/g)) {
    if (key?.toLowerCase() === name) return quoted?.replaceAll(/\\(["\\])/g, "$1") ?? token;
  }
  return undefined;
}
