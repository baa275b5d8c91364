// A plugin for FilePond: a file is checked as it is loaded into the list, and what is held shows its reason there.

import type { Verdict } from "../types/types.js";
import { type NoticeStrings, sentencesOf, stringsFor, titleOf } from "../ui/strings.js";
import { Checker, type CheckerOptions, type GateLike } from "./checker.js";

export type { GateLike } from "./checker.js";

export interface HashgateFilePondOptions extends CheckerOptions {
  /** Of the messages. Default: the page's. */
  language?: string;
  /** In place of the built-in messages. */
  strings?: Partial<NoticeStrings>;
  onHeld?: (file: Blob, verdict: Verdict) => void;
  /** Could not be checked, and is let through all the same, as the options say. */
  onUnchecked?: (file: Blob, verdict: Verdict) => void;
}

/** What is used of what FilePond hands to a plugin; its own types don't describe it. */
interface FilePondApi {
  addFilter(name: "LOAD_FILE", filter: (file: Blob) => Promise<Blob>): void;
  addFilter(name: "CREATE_VIEW", filter: (view: FilePondView) => void): void;
  utils: { createRoute(routes: Record<string, (context: FilePondContext) => void>): unknown };
}
interface FilePondView {
  is(name: string): boolean;
  registerWriter(route: unknown): void;
  query(name: "GET_ITEM", id: string): { file: Blob } | null;
}
interface FilePondContext {
  root: { ref: { fileSize: HTMLElement } };
  props: { id: string };
}

/**
 * Makes the plugin: `FilePond.registerPlugin(hashgateFilePond(gate))`. FilePond removes a file that its own hooks reject
 * without a word; this says why, and leaves it for the person to remove.
 */
export function hashgateFilePond(gate: GateLike, options: HashgateFilePondOptions = {}) {
  const checker = new Checker("filepond", gate, options);
  const own = stringsFor(options.language ?? globalThis.document?.documentElement.lang).strings;
  const strings = { ...own, ...options.strings, unchecked: { ...own.unchecked, ...options.strings?.unchecked } };
  const unchecked = new WeakMap<Blob, Verdict>();

  async function load(file: Blob): Promise<Blob> {
    const { verdict, decision } = await checker.check(file);
    const entry = { file: { name: file instanceof File ? file.name : "" }, verdict };
    if (decision === "hold") {
      options.onHeld?.(file, verdict);
      // What FilePond shows of a file that was refused.
      throw { status: { main: titleOf(entry, strings), sub: sentencesOf(entry, strings).join(" ") } };
    }
    if (verdict.outcome === "unchecked") {
      unchecked.set(file, verdict);
      options.onUnchecked?.(file, verdict);
    }
    return file;
  }

  /** Says beside a file's size that it was not checked. */
  function mark(view: FilePondView, createRoute: FilePondApi["utils"]["createRoute"]): void {
    if (!view.is("file-info")) return;
    const said = ({ root, props }: FilePondContext) => {
      const file = view.query("GET_ITEM", props.id)?.file;
      const verdict = file && unchecked.get(file);
      if (!file || !verdict) return;
      const info = root.ref.fileSize;
      const entry = { file: { name: file instanceof File ? file.name : "" }, verdict, decision: "upload" } as const;
      info.textContent += ` · ${titleOf(entry, strings)}`;
      info.setAttribute("title", sentencesOf(entry, strings).join(" "));
    };
    view.registerWriter(createRoute({ DID_LOAD_ITEM: said }));
  }

  return ({ addFilter, utils }: FilePondApi) => {
    addFilter("LOAD_FILE", load);
    addFilter("CREATE_VIEW", (view) => mark(view, utils.createRoute));
    return { options: {} };
  };
}
