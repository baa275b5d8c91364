// A plugin for Uppy: files are checked before any of them is uploaded, and what is held stays in the list with its reason.
import { BasePlugin, type Body, type Meta, type PluginOpts, type Uppy, type UppyFile } from "@uppy/core";
import type { Verdict } from "../types/types.js";
import { type NoticeStrings, sentencesOf, stringsFor } from "../ui/strings.js";
import { Checker, type CheckerOptions, type GateLike } from "./checker.js";

export type { GateLike } from "./checker.js";

export interface HashgateUppyOptions extends PluginOpts, CheckerOptions {
  gate: GateLike;
  /** Of the messages. Default: the page's. */
  language?: string;
  /** In place of the built-in messages. */
  strings?: Partial<NoticeStrings>;
}

/** Events that the plugin emits on Uppy: `uppy.on("hashgate:held", (file, verdict) => …)`. */
export interface HashgateUppyEvents<M extends Meta, B extends Body> {
  "hashgate:held": (file: UppyFile<M, B>, verdict: Verdict) => void;
  /** Could not be checked, and is uploaded all the same, as the options say. */
  "hashgate:unchecked": (file: UppyFile<M, B>, verdict: Verdict) => void;
}

declare module "@uppy/core" {
  export interface UppyEventMap<M extends Meta, B extends Body> extends HashgateUppyEvents<M, B> {}
  export interface PluginTypeRegistry<M extends Meta, B extends Body> {
    Hashgate: HashgateUppy<M, B>;
  }
}

export class HashgateUppy<M extends Meta = Meta, B extends Body = Body> extends BasePlugin<HashgateUppyOptions, M, B> {
  readonly #checker: Checker;
  readonly #strings: NoticeStrings;
  /** The checks that are being made, by the id of the file. */
  readonly #checks = new Map<string, AbortController>();
  readonly #verdicts = new Map<string, Verdict>();
  readonly #released = new Set<string>();
  #restore: Uppy<M, B>["restore"] | undefined;

  constructor(uppy: Uppy<M, B>, options: HashgateUppyOptions) {
    super(uppy, options);
    this.id = options.id ?? "Hashgate";
    this.type = "modifier";
    this.#checker = new Checker("uppy", options.gate, options);
    const own = stringsFor(options.language ?? globalThis.document?.documentElement.lang).strings;
    this.#strings = { ...own, ...options.strings, unchecked: { ...own.unchecked, ...options.strings?.unchecked } };
  }

  override install(): void {
    const { uppy } = this;
    uppy.addPreProcessor(this.#check);
    uppy.on("file-removed", this.#forget);
    uppy.on("cancel-all", this.#abort);
    // A restored upload goes on at the step where it was, which may be past the check: it begins again.
    const restore = uppy.restore;
    this.#restore = restore;
    uppy.restore = (uploadID) => {
      const { currentUploads } = uppy.getState();
      const upload = currentUploads[uploadID];
      if (upload) uppy.setState({ currentUploads: { ...currentUploads, [uploadID]: { ...upload, step: 0 } } });
      return restore.call(uppy, uploadID);
    };
  }

  override uninstall(): void {
    this.#abort();
    this.uppy.removePreProcessor(this.#check);
    this.uppy.off("file-removed", this.#forget);
    this.uppy.off("cancel-all", this.#abort);
    if (this.#restore) this.uppy.restore = this.#restore;
  }

  /** Why a file is held. */
  verdictOf(fileID: string): Verdict | undefined {
    return this.#verdicts.get(fileID);
  }

  /** Uploads a held file all the same. Counted as overridden. */
  async release(fileID: string): Promise<void> {
    const verdict = this.#verdicts.get(fileID);
    if (!verdict) return;
    this.#released.add(fileID);
    await this.#checker.record("overridden", verdict);
    await this.uppy.retryUpload(fileID);
  }

  /** Counts a held file as appealed. What is sent to whom is the page's affair. */
  async appeal(fileID: string): Promise<void> {
    const verdict = this.#verdicts.get(fileID);
    if (verdict) await this.#checker.record("appealed", verdict);
  }

  /** Never throws: that would end the whole batch, the clean files with it. */
  #check = async (fileIDs: string[]): Promise<void> => {
    await Promise.all(fileIDs.map((id) => this.#checkOne(id)));
  };

  async #checkOne(id: string): Promise<void> {
    const file = this.uppy.getFile(id);
    // One that has failed already is not going to be uploaded in this batch.
    if (!file || file.error || this.#released.has(id)) return;
    const controller = new AbortController();
    this.#checks.set(id, controller);
    const progress = { mode: "indeterminate", message: this.#strings.checking } as const;
    this.uppy.emit("preprocess-progress", file, progress);
    try {
      const judged =
        file.data instanceof Blob && !file.isRemote
          ? await this.#checker.check(file.data, controller.signal)
          : this.#checker.incomplete("its bytes aren't on this device: it comes from a remote service");
      const current = this.uppy.getFile(id);
      if (!current || controller.signal.aborted) return;
      if (judged.decision === "hold") this.#hold(current, judged.verdict);
      else if (judged.verdict.outcome === "unchecked") this.#pass(current, judged.verdict);
      else this.#verdicts.delete(id);
    } catch (error) {
      // Cancelled, or something that nobody foresaw: which is no reason to let a file through.
      const current = this.uppy.getFile(id);
      if (!current || controller.signal.aborted) return;
      const detail = error instanceof Error ? error.message : String(error);
      this.uppy.log(error as Error, "error");
      this.#hold(current, { outcome: "unchecked", reason: "engine-failed", detail, lookups: 0 });
    } finally {
      if (this.#checks.get(id) === controller) this.#checks.delete(id);
      const current = this.uppy.getFile(id);
      if (current) this.uppy.emit("preprocess-complete", current);
    }
  }

  #hold(file: UppyFile<M, B>, verdict: Verdict): void {
    this.#verdicts.set(file.id, verdict);
    const sentences = sentencesOf({ file: { name: file.name }, verdict }, this.#strings);
    // A file with an error is passed over by every uploader, and can be retried or removed.
    this.uppy.emit("upload-error", file, { name: "HashgateHeld", message: sentences.join(" ") });
    this.#tell("hashgate:held", file, verdict);
  }

  #pass(file: UppyFile<M, B>, verdict: Verdict): void {
    const [message = "", details = ""] = sentencesOf(
      { file: { name: file.name }, verdict, decision: "upload" },
      this.#strings,
    );
    this.uppy.info({ message, details }, "warning", 8000);
    this.#tell("hashgate:unchecked", file, verdict);
  }

  #tell(event: keyof HashgateUppyEvents<M, B>, file: UppyFile<M, B>, verdict: Verdict): void {
    this.uppy.emit(event, file, verdict);
  }

  #forget = (file: UppyFile<M, B> | undefined): void => {
    if (!file) return;
    this.#checks.get(file.id)?.abort();
    this.#verdicts.delete(file.id);
    this.#released.delete(file.id);
  };

  #abort = (): void => {
    for (const controller of this.#checks.values()) controller.abort();
    this.#verdicts.clear();
    this.#released.clear();
  };
}
