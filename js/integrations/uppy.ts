// A plugin for Uppy. It checks all files before any of them is uploaded. Held files stay in the list with the reason.
//
// When an uploader starts, it uploads whatever Uppy's state says at that moment, and other plugins, buttons and the
// host may change that state at any time. So this plugin keeps verdicts and releases by Blob, not by the id of a file.
// Whenever an upload goes to its next step, the plugin decides again which files it may contain.
import { BasePlugin, type Body, type Meta, type PluginOpts, type State, type Uppy, type UppyFile } from "@uppy/core";
import type { Verdict } from "../types/types.js";
import { type NoticeStrings, sentencesOf, stringsFor, titleOf } from "../ui/strings.js";
import { type CheckedFile, Checker, type CheckerOptions, type GateLike } from "./checker.js";
import { localeFrom, stringsFrom } from "./uppy/locale.js";
import { Reasons } from "./uppy/reasons.js";

export type { GateLike } from "./checker.js";
export { hashgateLocale } from "./uppy/locale.js";

export interface HashgateUppyOptions extends PluginOpts, CheckerOptions {
  gate: GateLike;
  /**
   * Strings that replace the built-in ones. Default: the page's language. `hashgateLocale("fr")` has all strings in
   * French.
   */
  locale?: PluginOpts["locale"];
}

/** The events that the plugin emits on Uppy, for example: `uppy.on("hashgate:held", (file, verdict) => …)`. */
export interface HashgateUppyEvents<M extends Meta, B extends Body> {
  "hashgate:held": (file: UppyFile<M, B>, verdict: Verdict) => void;
  /** The file could not be checked, and is uploaded because the options say so. */
  "hashgate:unchecked": (file: UppyFile<M, B>, verdict: Verdict) => void;
}

declare module "@uppy/core" {
  export interface UppyEventMap<M extends Meta, B extends Body> extends HashgateUppyEvents<M, B> {}
  export interface PluginTypeRegistry<M extends Meta, B extends Body> {
    Hashgate: HashgateUppy<M, B>;
  }
}

/** Number of times that a file may be changed during its check. A file that is changed more often is held. */
const ROUNDS = 20;

interface Check {
  controller: AbortController;
  done: Promise<CheckedFile>;
}

/** @example new Uppy().use(HashgateUppy, { gate, whenUnavailable: "block" }) */
export class HashgateUppy<M extends Meta = Meta, B extends Body = Body> extends BasePlugin<HashgateUppyOptions, M, B> {
  readonly #checker: Checker;
  readonly #reasons: Reasons;
  /** The verdict and decision on each Blob that was checked. */
  readonly #checked = new WeakMap<object, CheckedFile>();
  readonly #released = new WeakSet<object>();
  /** The checks that are running, by Blob. */
  readonly #checks = new Map<object, Check>();
  /** The uploads that this plugin knows, and the ids of the files that it took out of each. */
  readonly #uploads = new Map<string, Set<string>>();
  /** The uploads whose check is over. */
  readonly #over = new Set<string>();
  /** The Blob of each file that is being uploaded. */
  readonly #uploading = new Map<string, object>();
  /** Number of uploads that this plugin's pre-processor is working on. */
  #running = 0;
  #isRemoved = false;
  #hasHeld = false;

  constructor(uppy: Uppy<M, B>, options: HashgateUppyOptions) {
    super(uppy, options);
    this.id = options.id ?? "Hashgate";
    this.type = "modifier";
    this.#checker = new Checker("uppy", options.gate, options);
    this.defaultLocale = localeFrom(stringsFor(globalThis.document?.documentElement.lang).strings) as never;
    this.i18nInit();
    this.#reasons = new Reasons((id) => this.#reasonOf(id));
  }

  override install(): void {
    const { uppy } = this;
    this.#isRemoved = false;
    uppy.addPreProcessor(this.#check);
    uppy.on("upload", this.#beLast);
    uppy.on("file-removed", this.#forget);
    uppy.on("cancel-all", this.#abort);
    uppy.on("state-update", this.#onState);
    this.#restart({}, uppy.getState().currentUploads);
  }

  /**
   * Ends the running checks and holds their files. If the pre-processor is working on an upload, it stays until the end
   * of this turn of the event loop, and holds the files that it finds then. This is needed because `upload()` adds new
   * files after those that it retries.
   */
  override uninstall(): void {
    this.#isRemoved = true;
    this.#abort();
    this.uppy.off("file-removed", this.#forget);
    this.uppy.off("cancel-all", this.#abort);
    this.#reasons.stop();
    if (this.#running === 0) this.#leave();
  }

  #leave(): void {
    if (this.#running > 0 || !this.#isRemoved) return;
    this.uppy.removePreProcessor(this.#check);
    this.uppy.off("upload", this.#beLast);
    this.uppy.off("state-update", this.#onState);
  }

  /** Returns the verdict on the bytes that a file has now, or undefined if those bytes were not checked. */
  verdictOf(fileID: string): Verdict | undefined {
    return this.#found(this.uppy.getFile(fileID))?.verdict;
  }

  /** Uploads a held file nevertheless, with exactly the bytes that were held. The report counts it as overridden. */
  async release(fileID: string): Promise<void> {
    const { data } = this.uppy.getFile(fileID) ?? {};
    const found = isObject(data) ? this.#checked.get(data) : undefined;
    if (found?.decision !== "hold" || this.#isRemoved) return;
    this.#released.add(data as object);
    // The upload begins in this call: later, the file may have other bytes, and the plugin may be gone.
    await Promise.all([this.uppy.retryUpload(fileID), this.#checker.record("overridden", found.verdict)]);
  }

  /** Counts a held file as appealed in the report. The page itself sends the appeal. */
  async appeal(fileID: string): Promise<void> {
    const verdict = this.verdictOf(fileID);
    if (verdict) await this.#checker.record("appealed", verdict);
  }

  get #strings(): NoticeStrings {
    return stringsFrom(this.i18n);
  }

  /** The pre-processor. It never throws, because that would end the upload of the clean files, too. */
  #check = async (fileIDs: string[], uploadID: string): Promise<void> => {
    this.#running += 1;
    await this.#checkAll(fileIDs, uploadID);
    this.#running -= 1;
    if (this.#isRemoved) setTimeout(() => this.#leave());
  };

  async #checkAll(fileIDs: string[], uploadID: string): Promise<void> {
    const done = new Set<object>();
    for (let round = 0; round < ROUNDS; round += 1) {
      const open = this.#filesOf(uploadID, fileIDs).filter((file) => {
        const { data } = file;
        return !file.error && isObject(data) && !done.has(data) && !this.#released.has(data);
      });
      if (open.length === 0 || this.#isRemoved) break;
      await Promise.all(open.map((file) => this.#checkOne(file, done)));
    }
    // No other code runs between the end of the last round and this loop, so a file that was changed before is not in
    // `done`.
    for (const file of this.#filesOf(uploadID, fileIDs)) {
      if (isObject(file.data) && !done.has(file.data) && !file.error) this.#checked.delete(file.data);
    }
    this.#takeOut(uploadID, fileIDs);
  }

  /** Returns the files that are still in an upload. */
  #filesOf(uploadID: string, fileIDs: readonly string[]): UppyFile<M, B>[] {
    const ids = this.uppy.getState().currentUploads[uploadID]?.fileIDs ?? fileIDs;
    return ids.map((id) => this.uppy.getFile(id)).filter((file) => file !== undefined);
  }

  async #checkOne(file: UppyFile<M, B>, done: Set<object>): Promise<void> {
    const data = file.data as object;
    const progress = { mode: "indeterminate", message: this.i18n("hashgateChecking") } as const;
    this.uppy.emit("preprocess-progress", file, progress);
    try {
      const found = await this.#checkOf(file, data).done;
      this.#checked.set(data, found);
      done.add(data);
    } catch {
      // The check was aborted, because the file or the plugin was removed. The Blob stays unchecked.
    }
    const current = this.uppy.getFile(file.id);
    if (current) this.uppy.emit("preprocess-complete", current);
  }

  /** Starts the check of a Blob, or joins the check that is running for another upload. */
  #checkOf(file: UppyFile<M, B>, data: object): Check {
    const running = this.#checks.get(data);
    if (running) return running;
    const controller = new AbortController();
    const { signal } = controller;
    const check: Check = {
      controller,
      done: file.isRemote
        ? Promise.resolve(this.#checker.incomplete("its bytes aren't on this device: it comes from a remote service"))
        : this.#checker.check(data as Blob, signal),
    };
    this.#checks.set(data, check);
    void check.done.catch(() => undefined).then(() => this.#checks.get(data) === check && this.#checks.delete(data));
    return check;
  }

  /**
   * Returns the verdict and decision on a file's present bytes, or undefined if they were not checked. A file without
   * bytes (restored from an earlier session) is held.
   */
  #found(file: UppyFile<M, B> | undefined): CheckedFile | undefined {
    if (!file) return undefined;
    if (isObject(file.data)) return this.#checked.get(file.data);
    return held("its bytes were not kept from the last session: it has to be chosen again");
  }

  #mayPass(file: UppyFile<M, B>): boolean {
    if (isObject(file.data) && this.#released.has(file.data)) return true;
    return this.#found(file)?.decision === "upload";
  }

  /** Ends the check of an upload: holds the files that may not pass, and takes them out of the upload. */
  #takeOut(uploadID: string, fileIDs: readonly string[]): void {
    const out = new Set<string>();
    for (const file of this.#filesOf(uploadID, fileIDs)) {
      const passes = this.#mayPass(file) && !file.error;
      if (passes) {
        this.#uploading.set(file.id, file.data as object);
        this.#tellIfUnchecked(file);
        continue;
      }
      out.add(file.id);
      if (!file.error) this.#hold(file);
    }
    this.#uploads.set(uploadID, out);
    this.#over.add(uploadID);
    const { currentUploads } = this.uppy.getState();
    const upload = currentUploads[uploadID];
    if (!upload) return;
    const rest = upload.fileIDs.filter((id) => !out.has(id));
    this.uppy.setState({ currentUploads: { ...currentUploads, [uploadID]: { ...upload, fileIDs: rest } } });
  }

  #hold(file: UppyFile<M, B>): void {
    const found = this.#found(file) ?? held("it was changed, or its check was ended, before the check was over");
    if (isObject(file.data)) this.#checked.set(file.data, found);
    const entry = { file: { name: file.name ?? "" }, verdict: found.verdict };
    const message = sentencesOf(entry, this.#strings).join(" ");
    // Uploaders skip a file with an error. Doesn't emit "upload-error", because Uppy would show that as a failed
    // connection.
    this.uppy.setFileState(file.id, { error: message });
    this.uppy.info({ message: titleOf(entry, this.#strings), details: message }, "warning", 8000);
    this.#hasHeld = true;
    this.#reasons.show(this.#roots());
    this.uppy.emit("hashgate:held", this.uppy.getFile(file.id) ?? file, found.verdict);
  }

  #tellIfUnchecked(file: UppyFile<M, B>): void {
    const verdict = this.#found(file)?.verdict;
    if (verdict?.outcome !== "unchecked" || this.#released.has(file.data as object)) return;
    const entry = { file: { name: file.name ?? "" }, verdict, decision: "upload" } as const;
    const [message = "", details = ""] = sentencesOf(entry, this.#strings);
    this.uppy.info({ message, details }, "warning", 8000);
    this.uppy.emit("hashgate:unchecked", file, verdict);
  }

  /**
   * Called when an upload is about to begin. Makes the check the last of the pre-processors, because the others may
   * change files.
   */
  #beLast = (uploadID: string): void => {
    this.#uploads.set(uploadID, new Set());
    this.#over.delete(uploadID);
    this.uppy.removePreProcessor(this.#check);
    this.uppy.addPreProcessor(this.#check);
  };

  /**
   * Sets uploads back to step 0, and so to the check, if something put them into the state at a later step, as when an
   * earlier session is restored. Uppy itself begins at step 0, never changes the step and the list of files at the same
   * time, and never adds files to the list; so other changes come from elsewhere.
   */
  #restart(before: State<M, B>["currentUploads"], after: State<M, B>["currentUploads"]): void {
    const late = Object.entries(after).filter(([id, { step, fileIDs }]) => {
      const old = before[id];
      if (!step) return false;
      if (!old || fileIDs.some((fileID) => !old.fileIDs.includes(fileID))) return true;
      return step > (old.step ?? 0) && fileIDs !== old.fileIDs;
    });
    if (late.length === 0) return;
    for (const [id] of late) this.#beLast(id);
    const restarted = Object.fromEntries(late.map(([id, upload]) => [id, { ...upload, step: 0 }]));
    this.uppy.setState({ currentUploads: { ...after, ...restarted } });
  }

  #onState = (before: State<M, B>, after: State<M, B>): void => {
    if (after.currentUploads !== before.currentUploads) {
      this.#restart(before.currentUploads, after.currentUploads);
      for (const [id, upload] of Object.entries(after.currentUploads)) {
        if ((upload.step ?? 0) > (before.currentUploads[id]?.step ?? 0)) this.#onStep(id, upload.fileIDs);
        this.#completeResult(id, upload.result);
      }
      for (const id of this.#uploads.keys()) {
        const ended = after.currentUploads[id] ? undefined : before.currentUploads[id];
        // An upload that is about to begin isn't in the state yet. It hasn't ended, so its data are kept.
        if (!ended) continue;
        this.#uploads.delete(id);
        this.#over.delete(id);
        const running = new Set(Object.values(after.currentUploads).flatMap(({ fileIDs }) => fileIDs));
        for (const fileID of ended.fileIDs) if (!running.has(fileID)) this.#uploading.delete(fileID);
      }
    }
    if (after.files !== before.files) this.#onFiles(after);
  };

  /**
   * Called when the next step of an upload begins, which may be an uploader. Holds files that it may not upload,
   * because they changed after the check.
   */
  #onStep(uploadID: string, fileIDs: string[]): void {
    // The check comes in a later step, and will see these files.
    if (!this.#over.has(uploadID)) return;
    for (const id of [...fileIDs]) {
      const file = this.uppy.getFile(id);
      if (!file || file.error || file.progress.uploadComplete || this.#mayPass(file)) continue;
      this.#uploading.delete(id);
      this.#hold(file);
      // Changes the list in place, because the uploader gets this very array.
      fileIDs.splice(fileIDs.indexOf(id), 1);
    }
  }

  /** Puts the checked bytes back if a file is changed while it is being uploaded. */
  #onFiles({ files }: State<M, B>): void {
    for (const [id, data] of this.#uploading) {
      const file = files[id];
      if (!file || file.progress.uploadComplete || file.error) this.#uploading.delete(id);
      else if (file.data !== data && !this.#mayPass(file)) {
        this.uppy.log(
          `hashgate: ${id} was changed while it was uploaded, and is uploaded as it was checked`,
          "warning",
        );
        this.uppy.setFileState(id, { data: data as never });
      }
    }
    if (this.#hasHeld) this.#reasons.show(this.#roots());
  }

  /**
   * Adds held files to the failed files of the result. Uppy leaves them out, because they are no longer in the upload.
   */
  #completeResult(uploadID: string, result: { failed?: UppyFile<M, B>[] } | undefined): void {
    const out = this.#uploads.get(uploadID);
    if (!result?.failed || !out || out.size === 0) return;
    const failed = [...out].map((id) => this.uppy.getFile(id)).filter((file) => file?.error);
    out.clear();
    if (failed.length > 0) this.uppy.addResultData(uploadID, { failed: [...result.failed, ...failed] } as never);
  }

  #forget = (file: UppyFile<M, B> | undefined): void => {
    if (!file) return;
    this.#uploading.delete(file.id);
    const { data } = file;
    if (!isObject(data) || this.uppy.getFiles().some((other) => other.data === data)) return;
    this.#end(data);
  };

  #abort = (): void => {
    for (const data of [...this.#checks.keys()]) this.#end(data);
    this.#uploading.clear();
  };

  #end(data: object): void {
    this.#checks.get(data)?.controller.abort();
    this.#checks.delete(data);
  }

  #reasonOf(fileID: string): string | undefined {
    const file = this.uppy.getFile(fileID);
    const found = file?.error ? this.#found(file) : undefined;
    if (!file || found?.decision !== "hold") return undefined;
    const entry = { file: { name: file.name ?? "" }, verdict: found.verdict };
    const reason = sentencesOf(entry, this.#strings).join(" ");
    // A released file may have another error.
    return file.error === reason ? reason : undefined;
  }

  /** Returns the elements of those plugins that show something. */
  #roots(): Element[] {
    const roots: Element[] = [];
    this.uppy.iteratePlugins((plugin) => {
      const { el } = plugin as { el?: unknown };
      if (globalThis.Element && el instanceof Element) roots.push(el);
    });
    return roots;
  }
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

/** Makes the result for a file whose check couldn't be finished. No option lets such a file pass. */
function held(detail: string): CheckedFile {
  return { verdict: { outcome: "unchecked", reason: "incomplete", detail, lookups: 0 }, decision: "hold" };
}
