// The guard in a page: takes over what a person chose, dropped or pasted before the page hears of it, has it checked,
// and gives the page the files that may pass. No engine and no list is here: the page's policy would apply to them.
import type { Verdict } from "hashgate";
import { decide, type UncheckedPolicy } from "../js/integrations/decision.js";
import { ATTACHED } from "./attached.js";
import { type Policy, send } from "./messages.js";
import { ask, type Checked, tell, whileChecking } from "./notice.js";

/** Files that are being checked, by the input they were chosen in. True if all of them passed. */
const pending = new Map<HTMLInputElement, Promise<boolean>>();
/** Events that are given to the page again. */
const replayed = new WeakSet<Event>();
/** How files are treated if not even the settings can be had. */
const CAUTIOUS: Policy = { unchecked: "hold", override: true };

/** Once the extension is removed or replaced, what it left in a page steps aside. */
const alive = () => chrome.runtime?.id !== undefined;

async function check(file: File): Promise<Verdict> {
  try {
    return await send("offscreen", "check", file);
  } catch {
    // The offscreen document may have closed in between, as it does when it is idle.
    try {
      await send("background", "prepare", undefined);
      return await send("offscreen", "check", file);
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error);
      return { outcome: "unchecked", reason: "unavailable", detail, lookups: 0 };
    }
  }
}

/** Returns the files that may pass, after the person was asked about the others. */
async function passing(files: File[]): Promise<File[]> {
  const work = async (): Promise<[Policy, Checked[]]> => {
    const policy = await send("background", "prepare", undefined).catch(() => CAUTIOUS);
    return [policy, await Promise.all(files.map(async (file) => ({ file, verdict: await check(file) })))];
  };
  const [policy, checked] = await whileChecking(files.length, work());
  // A document or a film isn't what the list is about.
  const pass: UncheckedPolicy = policy.unchecked === "allow" ? "allow" : { "not-a-picture": "allow" };
  const held = checked.filter(({ verdict }) => decide(verdict, { unchecked: pass }) === "hold");
  const unchecked = checked.filter(
    (one) => !held.includes(one) && one.verdict.outcome === "unchecked" && one.verdict.reason !== "not-a-picture",
  );
  if (held.length + unchecked.length > 0) {
    const counts = { held: held.length, unchecked: unchecked.length };
    void send("background", "badge", counts).catch(() => undefined);
  }
  if (unchecked.length > 0) tell(unchecked);
  if (held.length > 0 && (await ask(held, policy.override)) === "leave-out") {
    const out = new Set(held.map(({ file }) => file));
    return files.filter((file) => !out.has(file));
  }
  return files;
}

function listOf(files: File[]): DataTransfer {
  const data = new DataTransfer();
  for (const file of files) data.items.add(file);
  return data;
}

function replay(target: EventTarget, event: Event): boolean {
  replayed.add(event);
  return target.dispatchEvent(event);
}

function stop(event: Event): void {
  event.preventDefault();
  event.stopImmediatePropagation();
}

const isFileInput = (target: unknown): target is HTMLInputElement =>
  target instanceof HTMLInputElement && target.type === "file";

/** What inputs were given here, to know it from what is chosen later. */
const given = new WeakMap<HTMLInputElement, FileList | null>();

function inputOf(event: Event): HTMLInputElement | undefined {
  const [target] = event.composedPath();
  if (isFileInput(target)) return target;
  // A closed shadow tree hides which of its inputs it was: one with files that it wasn't given here.
  const tree = target instanceof HTMLElement ? chrome.dom.openOrClosedShadowRoot(target) : null;
  const inputs = tree?.querySelectorAll<HTMLInputElement>("input[type=file]") ?? [];
  return [...inputs].find((input) => input.files?.length && given.get(input) !== input.files);
}

/** Gives an input its files, and says so to the page as the browser does. */
function fill(input: HTMLInputElement, files: File[]): void {
  input.files = listOf(input.multiple ? files : files.slice(0, 1)).files;
  given.set(input, input.files);
  replay(input, new Event("input", { bubbles: true, composed: true }));
  replay(input, new Event("change", { bubbles: true }));
}

async function guardInput(input: HTMLInputElement, files: File[]): Promise<boolean> {
  const passed = await passing(files);
  pending.delete(input);
  if (passed.length > 0) fill(input, passed);
  input.closest(`[${ATTACHED}]`)?.remove();
  return passed.length === files.length;
}

function onChoice(event: Event): void {
  if (!event.isTrusted || !alive()) return;
  const input = inputOf(event);
  if (!input) return;
  const files = [...(input.files ?? [])];
  if (files.length > 0) {
    // `change` follows `input` at once, and finds the input empty.
    input.value = "";
    pending.set(input, guardInput(input, files));
  }
  if (pending.has(input)) stop(event);
}

/** A form that is sent while its files are being checked waits for them, and stays if one was left out. */
function onSubmit(event: SubmitEvent): void {
  const form = event.target;
  if (!alive() || !(form instanceof HTMLFormElement)) return;
  const waiting = [...pending].filter(([input]) => input.form === form).map(([, done]) => done);
  if (waiting.length === 0) return;
  stop(event);
  void Promise.all(waiting).then((passed) => {
    if (passed.every(Boolean)) form.requestSubmit(event.submitter);
  });
}

/** The texts of a drop or paste, with the files that may pass. */
function transferOf(source: DataTransfer): (files: File[]) => DataTransfer {
  // They can be read now, not later.
  const texts = source.types.filter((type) => type !== "Files").map((type) => [type, source.getData(type)] as const);
  return (files) => {
    const data = listOf(files);
    for (const [type, text] of texts) data.setData(type, text);
    return data;
  };
}

function onDrop(event: DragEvent): void {
  if (!event.isTrusted || !alive()) return;
  const files = [...(event.dataTransfer?.files ?? [])];
  if (!event.dataTransfer || files.length === 0) return;
  const target = event.composedPath()[0];
  if (!target) return;
  const transfer = transferOf(event.dataTransfer);
  const { clientX, clientY, screenX, screenY, ctrlKey, shiftKey, altKey, metaKey } = event;
  stop(event);
  void passing(files).then(async (passed) => {
    if (passed.length === 0) return;
    const again = new DragEvent("drop", {
      ...{ bubbles: true, cancelable: true, composed: true, dataTransfer: transfer(passed) },
      ...{ clientX, clientY, screenX, screenY, ctrlKey, shiftKey, altKey, metaKey },
    });
    if (!replay(target, again)) return;
    // Nobody took it, so what the browser would have done is done here.
    if (isFileInput(target)) fill(target, passed);
    else if (target instanceof HTMLElement && target.isContentEditable) await insertPictures(passed);
  });
}

function onPaste(event: ClipboardEvent): void {
  if (!event.isTrusted || !alive()) return;
  const files = [...(event.clipboardData?.files ?? [])];
  if (!event.clipboardData || files.length === 0) return;
  const target = event.composedPath()[0];
  if (!target) return;
  const transfer = transferOf(event.clipboardData);
  const text = event.clipboardData.getData("text/plain");
  const back = keepCaret();
  stop(event);
  void passing(files).then(async (passed) => {
    if (passed.length === 0 && text === "") return;
    const init = { bubbles: true, cancelable: true, composed: true, clipboardData: transfer(passed) };
    if (!replay(target, new ClipboardEvent("paste", init))) return;
    back();
    if (text !== "") document.execCommand("insertText", false, text);
    else if (target instanceof HTMLElement && target.isContentEditable) await insertPictures(passed);
  });
}

/** Remembers where the person was writing, as the notice takes the focus. */
function keepCaret(): () => void {
  const active = document.activeElement;
  const selection = getSelection();
  const range = selection?.rangeCount ? selection.getRangeAt(0).cloneRange() : undefined;
  return () => {
    if (active instanceof HTMLElement) active.focus();
    if (!range || !(active instanceof HTMLElement && active.isContentEditable)) return;
    selection?.removeAllRanges();
    selection?.addRange(range);
  };
}

/** As Chromium inserts pasted pictures: as data: URLs. */
async function insertPictures(files: File[]): Promise<void> {
  for (const file of files.filter(({ type }) => type.startsWith("image/"))) {
    const url = await new Promise<string>((resolve) => {
      const reader = new FileReader();
      reader.onload = () => resolve(String(reader.result));
      reader.readAsDataURL(file);
    });
    document.execCommand("insertImage", false, url);
  }
}

// On the window and before the page's own scripts, so that no listener of the page comes first.
const first = <E extends Event>(listener: (event: E) => void) => ({
  handleEvent(event: E) {
    if (!replayed.has(event)) listener(event);
  },
});
addEventListener("input", first(onChoice), true);
addEventListener("change", first(onChoice), true);
addEventListener("drop", first(onDrop) as EventListenerObject, true);
addEventListener("paste", first(onPaste) as EventListenerObject, true);
addEventListener("submit", first(onSubmit) as EventListenerObject, true);
