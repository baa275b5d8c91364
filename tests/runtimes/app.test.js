// Tests the package as an app's own tests would, under Vitest in each of its environments. The real gate gets File
// objects of that environment.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Checker, HeldError, openGate } from "hashgate";
import { HeldError as FakeHeldError, fakeGate } from "hashgate/testing";
import { expect, test } from "vitest";

const samples = process.env.SAMPLES;

test("the fake gate", async () => {
  const gate = fakeGate({ held: ["listed.jpg"], unchecked: { "broken.jpg": "unreadable" } });
  const cat = new File(["bytes"], "cat.jpg");
  expect((await gate.admit(cat)).file).toBe(cat);
  await expect(gate.admit(new File(["bytes"], "listed.jpg"))).rejects.toBeInstanceOf(FakeHeldError);
  const checker = new Checker("test", gate);
  expect((await checker.check(new File(["bytes"], "broken.jpg"))).decision).toBe("hold");
});

test("the real gate, with a File of this environment and a Buffer", async () => {
  const gate = await openGate({ filters: [join(samples, "demo.hgf")], workers: 1 });
  for (const [name, outcome] of [
    ["listed/listed-0.jpg", "possible-match"],
    ["clean/clean-1.jpg", "clear"],
  ]) {
    const bytes = readFileSync(join(samples, name));
    expect((await gate.check(bytes)).outcome).toBe(outcome);
    expect((await gate.check(new File([new Uint8Array(bytes)], "picture.jpg"))).outcome).toBe(outcome);
  }
  const listed = new File([new Uint8Array(readFileSync(join(samples, "listed/listed-0.jpg")))], "picture.jpg");
  await expect(gate.admit(listed)).rejects.toBeInstanceOf(HeldError);
  gate.close();
});
