// What TypeScript without the types of the DOM sees of the package. Compiled, never run.
import { openGate, type Verdict } from "hashgate";
import { fakeGate } from "hashgate/testing";

export async function check(bytes: Uint8Array): Promise<Verdict["outcome"][]> {
  const gate = await openGate({ filters: ["demo.hgf"] });
  return [(await gate.check(bytes)).outcome, (await fakeGate().check(bytes)).outcome];
}
