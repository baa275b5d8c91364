// Uses the package in TypeScript without the DOM's types. The test compiles this file and never runs it.
import { openGate, type Verdict } from "hashgate";
import { fakeGate } from "hashgate/testing";

export async function check(bytes: Uint8Array): Promise<Verdict["outcome"][]> {
  const gate = await openGate({ filters: ["demo.hgf"] });
  return [(await gate.check(bytes)).outcome, (await fakeGate().check(bytes)).outcome];
}
