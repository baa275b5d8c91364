// Tests that the notice's strings come back whole from Uppy.
import assert from "node:assert/strict";
import { test } from "node:test";
import Uppy from "@uppy/core";
import { load } from "./load.mjs";

const { hashgateLocale, stringsFrom } = await load("integrations/uppy/locale");
const { stringsFor } = await load("ui/strings");

for (const language of ["en", "fr"]) {
  test(`Uppy keeps every string and placeholder (${language})`, () => {
    const uppy = new Uppy({ locale: hashgateLocale(language) });
    const strings = stringsFrom((key, values) => uppy.i18n(key, values));
    assert.deepEqual(strings, stringsFor(language).strings);
    assert.match(strings.seconds, /\{ranges\}/);
  });
}
