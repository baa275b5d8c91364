// The server checks again, because a changed page can skip the check.
import { decide, openGate } from "hashgate";

const opening = openGate({ filters: ["public/filters/demo.hgf"] });

export async function POST(request) {
  const gate = await opening;
  const files = (await request.formData()).getAll("pictures");
  const verdicts = await Promise.all(files.map((file) => gate.check(file)));
  const held = verdicts.some((verdict) => decide(verdict, { unchecked: "block" }) === "hold");
  return Response.json({ outcomes: verdicts.map(({ outcome }) => outcome) }, { status: held ? 451 : 200 });
}
