// The answer in place of the server's, when an upload is held.
import type { HeldFile } from "./messages.js";

/** HTTP 451 Unavailable For Legal Reasons (RFC 7725): the service may not take the file, as far as is known. */
const HELD = 451;

/** What the 451 response says, as a problem document (RFC 9457). */
export interface HeldProblem {
  type: "urn:hashgate:problem:held";
  title: string;
  status: typeof HELD;
  detail: string;
  files: HeldFile[];
}

/** Makes the response: a problem document for programs, a page for a form that navigates. */
export function heldResponse(files: HeldFile[], detail: string, { mode }: Pick<Request, "mode">): Response {
  const problem: HeldProblem = {
    type: "urn:hashgate:problem:held",
    title: "The upload was held before it left this device",
    status: HELD,
    detail,
    files,
  };
  const [type, body] =
    mode === "navigate"
      ? ["text/html; charset=utf-8", pageOf(problem)]
      : ["application/problem+json", JSON.stringify(problem)];
  const headers = { "content-type": type, "cache-control": "no-store" };
  return new Response(body, { status: HELD, statusText: "Unavailable For Legal Reasons", headers });
}

/** A page without script or style, so that any Content-Security-Policy lets it be shown. */
function pageOf({ title, detail, files }: HeldProblem): string {
  const items = files.map(({ name, outcome, reason }) => `<li>${escaped(name)}: ${escaped(reason ?? outcome)}</li>`);
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escaped(title)}</title>
<h1>${escaped(title)}</h1>
<p>${escaped(detail)}</p>
<ul>${items.join("")}</ul>
<p>Nothing was sent. Go back to choose other files, or to ask the service why.</p>
</html>
`;
}

function escaped(text: string): string {
  const entities: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
  return text.replaceAll(/[&<>"]/g, (character) => entities[character] ?? character);
}
