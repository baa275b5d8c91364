// A plugin for FilePond: a file is checked as it is loaded into the list, and once more, if a plugin has changed it, before
// it is uploaded. A held file shows the reason in the list.
import type { Verdict } from "../types/types.js";
import { type NoticeStrings, sentencesOf, stringsFor, titleOf } from "../ui/strings.js";
import { Checker, type CheckerOptions, type GateLike } from "./checker.js";
import { Loads } from "./filepond/loads.js";

export type { GateLike } from "./checker.js";

export interface HashgateFilePondOptions extends CheckerOptions {
  /** Language of the messages. Default: the page's. */
  language?: string;
  /** Strings in place of the built-in ones. */
  strings?: Partial<NoticeStrings>;
  onHeld?: (file: Blob, verdict: Verdict) => void;
  /** Called for a file that could not be checked and is let through all the same, as the options say. */
  onUnchecked?: (file: Blob, verdict: Verdict) => void;
}

/** What FilePond hands to a plugin, as far as it is used here. FilePond's own types don't describe it. */
interface FilePondApi {
  addFilter(name: "LOAD_FILE", filter: (file: Blob) => Promise<Blob>): void;
  addFilter(name: "PREPARE_OUTPUT", filter: (output: Output, context: { item: FilePondItem }) => Promise<Output>): void;
  addFilter(name: "CREATE_VIEW", filter: (view: FilePondView) => void): void;
  utils: { createRoute(routes: Record<string, (context: FilePondContext) => void>): unknown };
}
/** What is uploaded for one file: usually one Blob, several if a plugin makes variants of a picture. */
type Output = Blob | { file: Blob }[];
interface FilePondItem {
  id: string;
  file: Blob;
  requestProcessing(): void;
  fire(event: "process-error", error: { type: "error"; code: number; body: string }): void;
}
interface FilePondView {
  is(name: string): boolean;
  registerWriter(route: unknown): void;
  query(name: "GET_ITEM", id: string): FilePondItem | null;
}
interface FilePondContext {
  root: { ref: { fileSize: HTMLElement; main: HTMLElement; sub: HTMLElement } };
  props: { id: string };
}

interface Status {
  main: string;
  sub: string;
}

/**
 * Makes the plugin. FilePond removes a file that its own hooks reject without a word; the plugin says why, and leaves
 * the file for the person to remove.
 * @example FilePond.registerPlugin(hashgateFilePond(gate, { whenUnavailable: "block" }));
 */
export function hashgateFilePond(gate: GateLike, options: HashgateFilePondOptions = {}) {
  const checker = new Checker("filepond", gate, options);
  const own = stringsFor(options.language ?? globalThis.document?.documentElement.lang).strings;
  const strings = { ...own, ...options.strings, unchecked: { ...own.unchecked, ...options.strings?.unchecked } };
  const passed = new WeakSet<Blob>();
  const unchecked = new WeakMap<Blob, Verdict>();
  /** What the list says of items whose changed bytes were held. */
  const refused = new Map<string, Status>();
  const loads = new Loads();

  /** Checks a Blob. Resolves to what the list says of it if it is held. */
  async function check(file: Blob): Promise<Status | undefined> {
    const { verdict, decision } = await checker.check(file);
    if (decision === "hold") {
      options.onHeld?.(file, verdict);
      const entry = { file: { name: nameOf(file) }, verdict };
      return { main: titleOf(entry, strings), sub: sentencesOf(entry, strings).join(" ") };
    }
    passed.add(file);
    if (verdict.outcome === "unchecked") {
      unchecked.set(file, verdict);
      options.onUnchecked?.(file, verdict);
    }
    return undefined;
  }

  function load(file: Blob, beLast: () => void): Promise<Blob> {
    beLast();
    return loads.track(file, async () => {
      const status = await check(file);
      // FilePond shows the status of a file that was refused.
      if (status) throw { status };
      return file;
    });
  }

  async function output(made: Output, { item }: { item: FilePondItem }): Promise<Output> {
    const files = Array.isArray(made) ? made.map(({ file }) => file) : [made];
    for (const file of files) {
      // What was loaded and not changed since was checked.
      const status = passed.has(file) ? undefined : await check(file);
      if (!status) continue;
      refused.set(item.id, status);
      // FilePond takes up its next file only when this one is no longer "processing". It has no other way to say so here.
      item.requestProcessing();
      item.fire("process-error", { type: "error", code: 0, body: status.main });
      throw new Error(`hashgate: ${status.main}: ${status.sub}`);
    }
    return made;
  }

  /** Says beside a file's size that it was not checked. */
  function markUnchecked(view: FilePondView, createRoute: FilePondApi["utils"]["createRoute"]): void {
    const onLoad = ({ root, props }: FilePondContext) => {
      const file = view.query("GET_ITEM", props.id)?.file;
      if (file) loads.loaded(file);
      const verdict = file && unchecked.get(file);
      if (!file || !verdict) return;
      const info = root.ref.fileSize;
      const entry = { file: { name: nameOf(file) }, verdict, decision: "upload" } as const;
      info.textContent += ` · ${titleOf(entry, strings)}`;
      info.setAttribute("title", sentencesOf(entry, strings).join(" "));
    };
    view.registerWriter(createRoute({ DID_LOAD_ITEM: onLoad }));
  }

  /** Says why a file that a plugin has changed was held, in place of FilePond's "Error during upload". */
  function markRefused(view: FilePondView, createRoute: FilePondApi["utils"]["createRoute"]): void {
    const onError = ({ root, props }: FilePondContext) => {
      const status = refused.get(props.id);
      if (!status) return;
      refused.delete(props.id);
      root.ref.main.textContent = status.main;
      root.ref.sub.textContent = status.sub;
    };
    view.registerWriter(createRoute({ DID_THROW_ITEM_PROCESSING_ERROR: onError }));
  }

  return ({ addFilter, utils }: FilePondApi) => {
    let isLast = false;
    // Plugins that change files are registered before the first file is loaded, so what is added then comes after them.
    const beLast = () => {
      if (!isLast) addFilter("PREPARE_OUTPUT", output);
      isLast = true;
    };
    addFilter("LOAD_FILE", (file) => load(file, beLast));
    addFilter("CREATE_VIEW", (view) => {
      if (view.is("file-info")) markUnchecked(view, utils.createRoute);
      if (view.is("file-status")) markRefused(view, utils.createRoute);
    });
    return { options: {} };
  };
}

function nameOf(file: Blob): string {
  return (file as Partial<File>).name ?? "";
}
