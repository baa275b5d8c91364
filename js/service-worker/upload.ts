// Which requests carry files, and the files that they carry.

/** The media types of bodies that a form or a program writes, and that hold no file of their own. */
const WITHOUT_FILES = /^(application\/(json|x-www-form-urlencoded|xml|graphql)|application\/.+\+(json|xml)|text\/)/i;

/** A request's body as it is now, and the files in it. */
export interface Upload {
  /** The body, byte for byte. This is what is sent on: a file that changes on the disk meanwhile doesn't change it. */
  body: Blob;
  files: File[];
  /** If the body can't be taken apart: why. It is then held or let through as a whole. */
  unreadable?: string;
}

/** Tells by method and media type whether a request may carry a file. */
export function mayCarryFile({ method, headers }: Pick<Request, "method" | "headers">): boolean {
  if (method === "GET" || method === "HEAD" || method === "OPTIONS") return false;
  return !WITHOUT_FILES.test(headers.get("content-type") ?? "");
}

/** Reads a request's body and takes the files out of it. A body that isn't a form is one file. */
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

/** Tells whether a request sends a piece of a file (tus). A piece can't be checked, unless it is the whole file. */
export function isPieceOfFile({ method, headers }: Pick<Request, "method" | "headers">): boolean {
  return method === "PATCH" && headers.has("upload-offset");
}

/** A raw body has no file name; the last part of the address is what a person may know it by. */
function nameOf({ url }: Request): string {
  const last = new URL(url).pathname.split("/").filter(Boolean).at(-1) ?? "";
  try {
    return decodeURIComponent(last) || "upload";
  } catch {
    return last;
  }
}
