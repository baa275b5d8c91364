// Finds out which requests carry files, and reads the files.

/** The media types of bodies that are no files, such as JSON or a form without files. */
const WITHOUT_FILES = /^(application\/(json|x-www-form-urlencoded|xml|graphql)|application\/.+\+(json|xml)|text\/)/i;

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

/** Reads a request's body and finds its files. A body that isn't a form is one file. */
export async function uploadOf(request: Request): Promise<Upload> {
  const type = request.headers.get("content-type") ?? "";
  const body = await request.clone().blob();
  if (body.size === 0) return { body, files: [] };
  if (!/^multipart\/form-data/i.test(type)) return { body, files: [new File([body], nameOf(request), { type })] };
  try {
    const form = await new Response(body, { headers: { "content-type": type } }).formData();
    return { body, files: [...form.values()].filter((value) => typeof value !== "string" && value.size > 0) as File[] };
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    return { body, files: [], unreadable: `body: expected multipart/form-data, got bytes that aren't (${detail})` };
  }
}

/**
 * Returns whether a request sends a piece of a file (as tus does). A piece can't be checked, unless it is the whole
 * file.
 */
export function isPieceOfFile({ method, headers }: Pick<Request, "method" | "headers">): boolean {
  return method === "PATCH" && headers.has("upload-offset");
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
