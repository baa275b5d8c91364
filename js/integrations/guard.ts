// Guards plain HTML: what is chosen, dropped, pasted or submitted within an element is taken before the page's own
// listeners see it, checked, and handed on by the same events with the files that may pass.

import type { HashgateNotice, NoticeEntry } from "../ui/notice.js";
import { type GateLike, Judge, type Judged, type JudgeOptions } from "./checker.js";
import "../ui/notice.js";
import type { Verdict } from "../types/types.js";

export type { HashgateNotice } from "../ui/notice.js";
export type { GateLike } from "./checker.js";

export interface GuardOptions extends JudgeOptions {
  /** Where a person is told. Default: a notice of its own, after the element; `false`: the page tells. */
  notice?: HashgateNotice | false;
}

/** What `hashgate-held` carries. A page that cancels the event tells the person itself. */
export interface HeldDetail {
  file: File;
  verdict: Verdict;
  /** Hands the file on all the same. Counted as overridden. */
  release(): void;
  /** Leaves the file out for good, which is also what happens if nobody answers. */
  withdraw(): void;
  /** Counted as appealed. What is sent to whom is the page's affair. */
  appeal(): void;
}

/** What `hashgate-unchecked` carries: the file could not be checked and was let through, as the options say. */
export interface UncheckedDetail {
  file: File;
  verdict: Verdict;
}

declare global {
  interface GlobalEventHandlersEventMap {
    "hashgate-checking": CustomEvent<{ files: File[] }>;
    "hashgate-held": CustomEvent<HeldDetail>;
    "hashgate-unchecked": CustomEvent<UncheckedDetail>;
    "hashgate-settled": CustomEvent<{ passed: File[]; held: File[] }>;
  }
}

export interface Guard {
  /** Ends the guard. What was still being checked is not handed on. */
  remove(): void;
}

/** Hands files on to the page. */
type Deliver = (files: File[]) => void;

/**
 * Guards an input, a form, a drop zone, or any element (or the document) with all that is in it, now and later.
 *
 * Fires on the element in question: `hashgate-checking` ({ files }), `hashgate-held` ({@link HeldDetail}) for each file
 * that is held, `hashgate-unchecked` ({@link UncheckedDetail}), and at last `hashgate-settled` ({ passed, held }).
 */
export function guard(target: HTMLElement | Document, gate: GateLike, options: GuardOptions = {}): Guard {
  if (!(target instanceof HTMLElement || target instanceof Document)) {
    throw new TypeError(`guard: expected an element or the document, got ${target === null ? "null" : typeof target}`);
  }
  return new ElementGuard(target, new Judge("guard", gate, options), options);
}

class ElementGuard implements Guard {
  readonly #target: HTMLElement | Document;
  readonly #judge: Judge;
  readonly #removed = new AbortController();
  /** Events of our own, which are for the page. */
  readonly #own = new WeakSet<Event>();
  /** Files that may pass: a form that is submitted is not checked twice. */
  readonly #passed = new WeakSet<File>();
  /** Inputs whose event was taken in this turn. */
  readonly #taken = new WeakSet<HTMLInputElement>();
  /** Inputs of which the page knows files. */
  readonly #given = new WeakSet<HTMLInputElement>();
  /** The latest choice of each input that is still being checked. */
  readonly #pending = new Map<EventTarget, { abort: AbortController; done: Promise<boolean> }>();
  #busy = 0;
  #notice: HashgateNotice | false | undefined;
  #made = false;
  /** Where the person may choose another file. */
  #last: HTMLElement | undefined;
  #details: HeldDetail[] = [];

  constructor(target: HTMLElement | Document, judge: Judge, options: GuardOptions) {
    this.#target = target;
    this.#judge = judge;
    this.#notice = options.notice;
    // On the window and in the capturing phase, so before any listener of the page that isn't there too and earlier.
    const how = { capture: true, signal: this.#removed.signal };
    for (const type of ["input", "change"]) addEventListener(type, (event) => this.#onChange(event), how);
    addEventListener("drop", (event) => this.#onDrop(event), how);
    addEventListener("paste", (event) => this.#onPaste(event), how);
    addEventListener("submit", (event) => this.#onSubmit(event), how);
    if (options.notice) this.#listenTo(options.notice);
  }

  remove(): void {
    this.#removed.abort();
    for (const { abort } of this.#pending.values()) abort.abort();
    this.#pending.clear();
    if (this.#busy > 0) this.#element.removeAttribute("aria-busy");
    if (this.#made && this.#notice) this.#notice.remove();
  }

  get #element(): HTMLElement {
    return this.#target instanceof Document ? this.#target.documentElement : this.#target;
  }

  #onChange(event: Event): void {
    const input = event.composedPath()[0];
    if (this.#own.has(event) || !isFileInput(input) || !this.#guards(event, input)) return;
    // The `change` that follows an `input` which was taken, be the check over already or not.
    if (this.#taken.has(input) && event.type === "change") {
      event.stopImmediatePropagation();
      return;
    }
    if (!input.files || input.files.length === 0) {
      // Nothing is chosen any more: what was being checked is moot, and the page may know.
      this.#pending.get(input)?.abort.abort();
      return;
    }
    if (this.#allPassed(input)) return;
    event.stopImmediatePropagation();
    if (event.type === "input") {
      this.#taken.add(input);
      setTimeout(() => this.#taken.delete(input));
    }
    void this.#take(input);
  }

  /** Empties an input, checks what it held, and gives back what may pass. Resolves to whether all may. */
  #take(input: HTMLInputElement): Promise<boolean> {
    const chosen = input.files;
    if (!chosen || chosen.length === 0) return this.#pending.get(input)?.done ?? Promise.resolve(true);
    this.#pending.get(input)?.abort.abort();
    // Until then a page that looks finds nothing.
    input.files = new DataTransfer().files;
    const deliver = (files: File[]) => {
      const [first] = files;
      if (!first) return;
      const before = [...(input.files ?? [])];
      const all = files.length === chosen.length ? chosen : listOf(input.multiple ? [...before, ...files] : [first]);
      this.#give(input, all);
    };
    const abort = new AbortController();
    const done = this.#check([...chosen], input, deliver, abort.signal);
    const entry = { abort, done };
    this.#pending.set(input, entry);
    void done.finally(() => {
      if (this.#pending.get(input) !== entry) return;
      this.#pending.delete(input);
      // The page believes in the choice before.
      if (!abort.signal.aborted && input.files?.length === 0 && this.#given.has(input)) this.#give(input, input.files);
    });
    return done;
  }

  /** Sets an input's files, and has the page know. */
  #give(input: HTMLInputElement, files: FileList): void {
    input.files = files;
    for (const file of input.files ?? []) this.#passed.add(file);
    if (files.length > 0) this.#given.add(input);
    else this.#given.delete(input);
    this.#fire(input, new Event("input", { bubbles: true, composed: true }));
    this.#fire(input, new Event("change", { bubbles: true }));
  }

  #onDrop(event: DragEvent): void {
    const place = event.composedPath()[0];
    const data = event.dataTransfer;
    if (this.#own.has(event) || !data || !this.#guards(event, place) || !(place instanceof Element)) return;
    if (!data.types.includes("Files")) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const strings = stringsOf(data);
    const { clientX, clientY, screenX, screenY, ctrlKey, shiftKey, altKey, metaKey, button, buttons } = event;
    const where = { clientX, clientY, screenX, screenY, ctrlKey, shiftKey, altKey, metaKey, button, buttons };
    const files = filesOf(data);
    const deliver = (passed: File[]) => {
      const dataTransfer = transferOf(passed, strings);
      const how = { bubbles: true, composed: true, cancelable: true, ...where, dataTransfer };
      if (!this.#fire(place, new DragEvent("drop", how))) return;
      // What the browser would have done.
      if (!isFileInput(place) || place.disabled) return;
      this.#give(place, listOf(place.multiple ? passed : passed.slice(0, 1)));
    };
    // A page that shows that something is dragged over it, stops.
    this.#fire(place, new DragEvent("dragleave", { bubbles: true, composed: true, ...where }));
    void files.then((all) => this.#check(all, place, deliver, this.#removed.signal));
  }

  #onPaste(event: ClipboardEvent): void {
    const place = event.composedPath()[0];
    const data = event.clipboardData;
    if (this.#own.has(event) || !data || !this.#guards(event, place) || !(place instanceof Element)) return;
    const files = [...data.files];
    if (files.length === 0) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const strings = stringsOf(data);
    const deliver = (passed: File[]) => {
      const clipboardData = transferOf(passed, strings);
      const how = { bubbles: true, composed: true, cancelable: true, clipboardData };
      if (!this.#fire(place, new ClipboardEvent("paste", how))) return;
      if (place instanceof HTMLElement && place.isContentEditable) void insertAll(place, passed);
    };
    void this.#check(files, place, deliver, this.#removed.signal);
  }

  #onSubmit(event: SubmitEvent): void {
    const form = event.target;
    if (this.#own.has(event) || !(form instanceof HTMLFormElement)) return;
    const inputs = [...form.elements].filter((element) => isFileInput(element) && this.#guards(event, element));
    const waiting = (inputs as HTMLInputElement[]).filter(
      (input) => this.#pending.has(input) || !this.#allPassed(input),
    );
    if (waiting.length === 0) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const { submitter } = event;
    void Promise.all(waiting.map((input) => this.#take(input))).then((passed) => {
      // Something was held: the person decides what to send, not a form that has lost a file.
      if (passed.includes(false) || this.#removed.signal.aborted) return;
      form.requestSubmit(submitter?.isConnected ? submitter : undefined);
    });
  }

  /** Hands on what may pass, and tells of the rest. Resolves to whether all may. */
  async #check(files: File[], place: Element, deliver: Deliver, signal: AbortSignal): Promise<boolean> {
    this.#busy += 1;
    this.#element.setAttribute("aria-busy", "true");
    this.#tell(place, "hashgate-checking", { files });
    try {
      const judged = await Promise.all(
        files.map(async (file) => ({ file, ...(await this.#judge.judge(file, signal)) })),
      );
      if (signal.aborted || this.#removed.signal.aborted) return false;
      const passed = judged.filter(({ decision }) => decision === "upload");
      const held = judged.filter(({ decision }) => decision === "hold");
      this.#show(place, passed, held, deliver);
      if (passed.length > 0) deliver(passed.map(({ file }) => file));
      const names = (some: { file: File }[]) => some.map(({ file }) => file);
      this.#tell(place, "hashgate-settled", { passed: names(passed), held: names(held) });
      return held.length === 0;
    } catch (error) {
      // Another choice came meanwhile, or the guard was removed.
      if (signal.aborted || this.#removed.signal.aborted) return false;
      throw error;
    } finally {
      this.#busy -= 1;
      if (this.#busy === 0) this.#element.removeAttribute("aria-busy");
    }
  }

  #show(
    place: Element,
    passed: (Judged & { file: File })[],
    held: (Judged & { file: File })[],
    deliver: Deliver,
  ): void {
    const entries: NoticeEntry[] = [];
    const details = [];
    for (const { file, verdict } of held) {
      const detail = this.#detail(file, verdict, deliver);
      if (!this.#tell(place, "hashgate-held", detail)) continue;
      entries.push({ file, verdict });
      details.push(detail);
    }
    for (const { file, verdict } of passed) {
      if (verdict.outcome !== "unchecked") continue;
      if (this.#tell(place, "hashgate-unchecked", { file, verdict }))
        entries.push({ file, verdict, decision: "upload" });
    }
    if (entries.length === 0) {
      // An older notice is about files that are no longer there.
      if (held.length === 0 && this.#notice) this.#notice.close();
      return;
    }
    if (this.#notice === false) return;
    if (place instanceof HTMLElement) this.#last = place;
    this.#details = details;
    const notice = this.#notice ?? this.#makeNotice();
    // Focus is for what needs an answer.
    notice.show(entries, { focus: held.length > 0 });
  }

  #detail(file: File, verdict: Verdict, deliver: Deliver): HeldDetail {
    let answered = false;
    return {
      file,
      verdict,
      release: () => {
        if (answered || this.#removed.signal.aborted) return;
        answered = true;
        void this.#judge.record("overridden", verdict);
        deliver([file]);
      },
      withdraw: () => {
        answered = true;
      },
      appeal: () => void this.#judge.record("appealed", verdict),
    };
  }

  #makeNotice(): HashgateNotice {
    const notice = document.createElement("hashgate-notice");
    this.#made = true;
    this.#notice = notice;
    this.#listenTo(notice);
    if (this.#target instanceof Document) this.#target.body.prepend(notice);
    else this.#target.after(notice);
    return notice;
  }

  #listenTo(notice: HashgateNotice): void {
    const how = { signal: this.#removed.signal };
    notice.addEventListener(
      "hashgate-choose-another",
      () => {
        for (const detail of this.#details) detail.withdraw();
        const place = this.#last;
        // After the notice has given the focus back.
        setTimeout(() => {
          place?.focus();
          if (isFileInput(place)) place.click();
        });
      },
      how,
    );
    notice.addEventListener(
      "hashgate-review",
      (event) => {
        // Only if the page answers it. Its listeners on ancestors come later.
        setTimeout(() => {
          if (event.defaultPrevented) for (const detail of this.#details) detail.appeal();
        });
      },
      how,
    );
  }

  #guards(event: Event, element: EventTarget | undefined): boolean {
    const target = this.#target;
    if (target instanceof Document || event.composedPath().includes(target)) return true;
    if (!(element instanceof Element)) return false;
    if (target.contains(element)) return true;
    return target instanceof HTMLFormElement && isFileInput(element) && element.form === target;
  }

  #allPassed(input: HTMLInputElement): boolean {
    return [...(input.files ?? [])].every((file) => this.#passed.has(file));
  }

  /** An event for the page. */
  #fire(place: Element, event: Event): boolean {
    this.#own.add(event);
    return place.dispatchEvent(event);
  }

  #tell(place: Element, type: string, detail: object): boolean {
    return place.dispatchEvent(new CustomEvent(type, { detail, bubbles: true, composed: true, cancelable: true }));
  }
}

function isFileInput(element: EventTarget | null | undefined): element is HTMLInputElement {
  return element instanceof HTMLInputElement && element.type === "file";
}

function listOf(files: readonly File[]): FileList {
  return transferOf(files, []).files;
}

function transferOf(files: readonly File[], strings: [string, string][]): DataTransfer {
  const transfer = new DataTransfer();
  for (const [type, value] of strings) transfer.setData(type, value);
  for (const file of files) transfer.items.add(file);
  return transfer;
}

function stringsOf(data: DataTransfer): [string, string][] {
  return data.types.filter((type) => type !== "Files").map((type) => [type, data.getData(type)]);
}

/** The files of a drop, those in folders too. What is read of it has to be read before the event is over. */
async function filesOf(data: DataTransfer): Promise<File[]> {
  const flat = [...data.files];
  const entries = [...data.items].flatMap((item) => item.webkitGetAsEntry?.() ?? []);
  if (!entries.some(({ isDirectory }) => isDirectory)) return flat;
  // A folder that can't be read is held as the unreadable file that it looks like.
  const found = await Promise.all(entries.map(walk)).catch(() => flat);
  return found.flat();
}

async function walk(entry: FileSystemEntry): Promise<File[]> {
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject));
    return [file];
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const found: File[] = [];
  // A reader gives a hundred at a time.
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) return found;
    found.push(...(await Promise.all(some.map(walk))).flat());
  }
}

/** What a browser does with pictures that are pasted into editable content. */
async function insertAll(place: HTMLElement, files: File[]): Promise<void> {
  for (const file of files.filter(({ type }) => type.startsWith("image/"))) {
    const reader = new FileReader();
    await new Promise((resolve) => {
      reader.onloadend = resolve;
      reader.readAsDataURL(file);
    });
    place.focus();
    if (typeof reader.result === "string") document.execCommand("insertImage", false, reader.result);
  }
}
