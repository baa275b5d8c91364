// Checks an upload on the server again.
import { openGate } from "hashgate";

const opening = openGate({ filters: ["public/samples/demo.hgf"] });

export async function POST(request) {
  const gate = await opening;
  return Response.json(await gate.check(new Uint8Array(await request.arrayBuffer())));
}
