// Tests that the error codes in TypeScript are exactly those that the reference documents.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

const codesIn = (text) => [...text.matchAll(/"([a-z0-9]+(?:-[a-z0-9]+)*)"/g)].map(([, code]) => code);
const rowsOf = (page) => [...readFileSync(page, "utf8").matchAll(/^\| `([a-z0-9-]+)` \|/gm)].map(([, code]) => code);

const errors = readFileSync("js/types/error-codes.ts", "utf8");
const [, type] = /export type GateErrorCode =(.*?);\n/s.exec(errors);
const [, excluded] = /Exclude<RefusalCode, (.*?)>/.exec(type);
const own = codesIn(type.replace(/Exclude<.*?>/, ""));
const [, refusals] = /export type RefusalCode =(.*?);/.exec(readFileSync("js/generated/core.ts", "utf8"));

test("every code of a gate error has its row in the reference", () => {
  assert.ok(own.length > 10);
  assert.deepEqual(rowsOf("docs/reference/gate-errors.md").sort(), own.toSorted());
});

test("the core's codes are those of its reference, and the left-out ones exist", () => {
  const codes = codesIn(refusals);
  assert.deepEqual(rowsOf("docs/reference/refusal-codes.md").sort(), codes.toSorted());
  for (const code of codesIn(excluded)) assert.ok(codes.includes(code), code);
  for (const code of own) assert.ok(!codes.includes(code), `${code} is the core's`);
});
