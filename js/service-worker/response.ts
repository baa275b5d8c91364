// Makes the response to a held upload. The page gets it in place of the server's response.
import type { HeldFile } from "./messages.js";

/** HTTP status 451, Unavailable For Legal Reasons (RFC 7725). */
const HELD = 451;

/** The body of the 451 response: a problem document (RFC 9457). */
export interface HeldProblem {
  type: "urn:hashgate:problem:held";
  title: string;
  status: typeof HELD;
  detail: string;
  files: HeldFile[];
}

/** Makes the response: an HTML page if a form navigates, else a problem document. */
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

/** Returns an HTML page without script or style, so that every Content-Security-Policy allows it. */
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
