// Files that come to a page by a promise: `showOpenFilePicker()`, `navigator.clipboard.read()`. The page's world asks
// about them (page.ts). So could a page about files of its own, to learn what is on the list: what is asked is bounded by
// what the person does.
import { isFileInput } from "../js/integrations/intercept/dom.js";
import { ANSWER, PASSED, QUESTION } from "./opened.js";

/** How many questions are answered per click or key of the person. */
const QUESTIONS = 4;

/** Answers the page's world by `passing`, which asks the person about held files. Beyond the bound, nothing passes. */
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
