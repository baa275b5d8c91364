// Tests the counts of a transparency report.
import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./load.mjs";

const { Counters } = await load("gate/counters");
const LIST = { name: "drawn", category: "pictures", release: 3 };
const match = (signal) => ({ list: "drawn", category: "pictures", release: 3, signal, strength: "exact-bytes" });

test("every outcome is counted once in the totals, and once for its list", () => {
  const counters = new Counters();
  const clear = { outcome: "clear", lookups: 1 };
  // Two signals (digests) of one list matched the file. That counts as one match of the list.
  const possible = { outcome: "possible-match", matches: [match("sha256"), match("md5")], lookups: 1 };
  counters.checked(clear, [LIST]);
  counters.checked(possible, [LIST]);
  counters.checked({ ...possible, outcome: "match", confirmedBy: "host" }, [LIST]);
  counters.checked({ ...possible, outcome: "clear", confirmedBy: "host" }, [LIST]);
  counters.checked({ outcome: "unchecked", reason: "unreadable", detail: "cut", lookups: 0 }, [LIST]);
  counters.decided("appealed", possible);

  const { totals, lists } = counters.report([LIST]);
  const counts = { dismissed: 1, possible: 1, confirmed: 1, overridden: 0, appealed: 1 };
  assert.deepEqual(totals, { checked: 5, clear: 2, unchecked: { unreadable: 1 }, ...counts });
  assert.deepEqual(lists, [{ list: "drawn", category: "pictures", release: 3, checked: 5, ...counts }]);
});

test("a list that was never asked is reported with zeros", () => {
  const { lists } = new Counters().report([LIST]);
  assert.equal(lists.length, 1);
  assert.equal(lists[0].checked, 0);
});

test("the times of a report are whole hours", () => {
  const { from, to } = new Counters().report([]);
  for (const time of [from, to]) assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:00:00\.000Z$/);
});
