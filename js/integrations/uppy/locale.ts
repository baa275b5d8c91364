// Converts the notice's strings to Uppy's form: one namespace for all plugins, and placeholders such as `%{file}`.
import { ENGLISH, type NoticeStrings, stringsFor } from "../../ui/strings.js";

/** A locale of an Uppy plugin. */
export interface Locale {
  strings: Record<string, string>;
}

const REASONS = Object.keys(ENGLISH.unchecked) as (keyof NoticeStrings["unchecked"])[];
const TEXTS = (Object.keys(ENGLISH) as (keyof NoticeStrings)[]).filter((name) => name !== "unchecked");

/** All placeholders of the strings, each with itself as its value: `{ file: "{file}", … }`. */
const KEPT = Object.fromEntries(
  [...JSON.stringify(ENGLISH).matchAll(/\{(\w+)\}/g)].map(([text, name]) => [name, text]),
);

const pascal = (name: string) => name.replace(/(?:^|-)(.)/g, (_, letter: string) => letter.toUpperCase());
const keyOf = (name: string) => `hashgate${pascal(name)}`;
const reasonKeyOf = (reason: string) => `hashgateUnchecked${pascal(reason)}`;

/**
 * Returns the built-in strings of a language ("en", "fr") as a locale of Uppy.
 * @example uppy.use(HashgateUppy, { gate, locale: hashgateLocale("fr") })
 */
export function hashgateLocale(language: string): Locale {
  return localeFrom(stringsFor(language).strings);
}

export function localeFrom(strings: NoticeStrings): Locale {
  const entries = [
    ...TEXTS.map((name) => [keyOf(name), strings[name] as string] as const),
    ...REASONS.map((reason) => [reasonKeyOf(reason), strings.unchecked[reason]] as const),
  ];
  return { strings: Object.fromEntries(entries.map(([key, text]) => [key, text.replace(/\{(\w+)\}/g, "%{$1}")])) };
}

/**
 * Returns Uppy's translated strings. Passes each placeholder's own name as its value, so that placeholders stay in the
 * text.
 */
export function stringsFrom(i18n: (key: string, values: Record<string, string>) => string): NoticeStrings {
  const texts = TEXTS.map((name) => [name, i18n(keyOf(name), KEPT)]);
  const unchecked = REASONS.map((reason) => [reason, i18n(reasonKeyOf(reason), KEPT)]);
  return { ...Object.fromEntries(texts), unchecked: Object.fromEntries(unchecked) } as NoticeStrings;
}
