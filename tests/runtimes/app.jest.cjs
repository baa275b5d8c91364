// What a host's tests do under Jest, which loads CommonJS.
const { fakeGate, HeldError } = require("hashgate/testing");

test("the fake gate", async () => {
  const gate = fakeGate({ held: ["listed.jpg"], unchecked: { "broken.jpg": "unreadable" } });
  const cat = new File(["bytes"], "cat.jpg");
  expect((await gate.admit(cat)).file).toBe(cat);
  await expect(gate.admit(new File(["bytes"], "listed.jpg"))).rejects.toBeInstanceOf(HeldError);
  expect((await gate.check(new File(["bytes"], "broken.jpg"))).reason).toBe("unreadable");
});

test("the package itself says what to do", () => {
  expect(() => require("hashgate")).toThrow(/await import\("hashgate"\)/);
});
