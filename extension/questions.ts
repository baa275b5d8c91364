// Answers page.ts about files that a page gets from a promise: from `showOpenFilePicker()` or
// `navigator.clipboard.read()`. A hostile page could ask in the same way about files of its own, to find out what is on
// the list. So the number of answers is limited by the person's clicks and keys.
import { isFileInput } from "../js/integrations/intercept/dom.js";
import { ANSWER, PASSED, QUESTION } from "./opened.js";

/** Number of questions that are answered per click or key of the person. */
const QUESTIONS = 4;

/**
 * Answers page.ts, which asks which of its files may pass. `passing` decides, and asks the person about held files.
 * After {@link QUESTIONS} questions without a new click or key, no file passes. If the extension isn't running any more
 * (`alive` returns false), every file passes.
 */
export function answerPage(
  passing: (files: File[], signal: AbortSignal) => Promise<File[]>,
  alive: () => boolean,
): void {
  let left = 0;
  const { signal } = new AbortController();
  for (const type of ["pointerdown", "keydown"]) {
    addEventListener(
      type,
      (event) => {
        if (event.isTrusted) left = QUESTIONS;
      },
      true,
    );
  }
  addEventListener(
    QUESTION,
    (event) => {
      const input = (event as MouseEvent).relatedTarget;
      if (!isFileInput(input)) return;
      event.stopImmediatePropagation();
      const files = [...(input.files ?? [])];
      const answer = (passed: readonly File[]) => {
        const indices = files.flatMap((file, index) => (passed.includes(file) ? [index] : []));
        input.setAttribute(PASSED, indices.join());
        input.dispatchEvent(new Event(ANSWER));
      };
      if (!alive()) return answer(files);
      if (left === 0) return answer([]);
      left -= 1;
      void passing(files, signal).then(answer);
    },
    true,
  );
}
