// A plugin for FilePond. It checks a file when FilePond loads it into its list, and again before the upload if another
// plugin has changed it. A held file shows the reason in the list.
import type { Verdict } from "../types/types.js";
import { type NoticeStrings, sentencesOf, stringsFor, titleOf } from "../ui/strings.js";
import { Checker, type CheckerOptions, type GateLike } from "./checker.js";
import { Loads } from "./filepond/loads.js";

export type { GateLike } from "./checker.js";

export interface HashgateFilePondOptions extends CheckerOptions {
  /** Language of the messages. Default: the page's. */
  language?: string;
  /** Strings that replace built-in ones. */
  strings?: Partial<NoticeStrings>;
  onHeld?: (file: Blob, verdict: Verdict) => void;
  /** Called for a file that could not be checked and passes because the options say so. */
  onUnchecked?: (file: Blob, verdict: Verdict) => void;
}

/** The part of the API for FilePond's plugins that is used here. FilePond's own types don't describe it. */
interface FilePondApi {
  addFilter(name: "LOAD_FILE", filter: (file: Blob) => Promise<Blob>): void;
  addFilter(name: "PREPARE_OUTPUT", filter: (output: Output, context: { item: FilePondItem }) => Promise<Output>): void;
  addFilter(name: "CREATE_VIEW", filter: (view: FilePondView) => void): void;
  utils: { createRoute(routes: Record<string, (context: FilePondContext) => void>): unknown };
}
/** The Blobs that are uploaded for one file: usually one, or several if a plugin makes variants of a picture. */
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
 * Makes the plugin. If a hook of FilePond rejects a file, FilePond silently removes it. So this plugin leaves a held
 * file in the list with the reason, and the person removes it.
 * @example FilePond.registerPlugin(hashgateFilePond(gate, { whenUnavailable: "block" }));
 */
export function hashgateFilePond(gate: GateLike, options: HashgateFilePondOptions = {}) {
  const checker = new Checker("filepond", gate, options);
  const own = stringsFor(options.language ?? globalThis.document?.documentElement.lang).strings;
  const strings = { ...own, ...options.strings, unchecked: { ...own.unchecked, ...options.strings?.unchecked } };
  const passed = new WeakSet<Blob>();
  const unchecked = new WeakMap<Blob, Verdict>();
  /** The texts for list items whose changed bytes were held, by the item's id. */
  const refused = new Map<string, Status>();
  const loads = new Loads();

  /** Checks a Blob. If it is held, resolves to the text for the list; otherwise to undefined. */
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
      // FilePond shows the `status` of a rejection in the list.
      if (status) throw { status };
      return file;
    });
  }

  async function output(made: Output, { item }: { item: FilePondItem }): Promise<Output> {
    const files = Array.isArray(made) ? made.map(({ file }) => file) : [made];
    for (const file of files) {
      // A Blob that hasn't changed since it was loaded was already checked.
      const status = passed.has(file) ? undefined : await check(file);
      if (!status) continue;
      refused.set(item.id, status);
      // FilePond begins with the next file only when this one is no longer "processing", and these calls are the only
      // way to end that state here.
      item.requestProcessing();
      item.fire("process-error", { type: "error", code: 0, body: status.main });
      throw new Error(`hashgate: ${status.main}: ${status.sub}`);
    }
    return made;
  }

  /** Adds "not checked" after the size of a file that passed unchecked. */
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

  /** If a file was held after a plugin had changed it, shows the reason instead of FilePond's "Error during upload". */
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
    // Adds this plugin's filter only when the first file is loaded. Other plugins add theirs earlier, when they are
    // registered. So this filter runs last, and sees the files as others have changed them.
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
