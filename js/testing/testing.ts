// hashgate/testing: a fake gate for the tests of an app. It answers by a file's name or digest, without workers, lists
// or wasm.
import { HeldError } from "../errors.js";
import { Counters } from "../gate/counters.js";
import { decide } from "../policy/decision.js";
import type {
  AdmitOptions,
  Admitted,
  CheckOptions,
  FilterInfo,
  Gate,
  GateStatus,
  HostDecision,
  Input,
  Match,
  NodeInput,
  TransparencyReport,
  UncheckedReason,
  Verdict,
  Watch,
  WatchOptions,
  WatchSource,
  WatchState,
} from "../types/types.js";

export { HeldError } from "../errors.js";

/** Identifies a file by its name, or by the SHA-256 of its bytes (64 hexadecimal digits). */
export type FileKey = string;

export interface FakeGateOptions {
  /** Files that seem to be listed: their verdict is `possible-match`. */
  held?: readonly FileKey[];
  /** Files that can't be checked, with the reason. */
  unchecked?: Readonly<Record<FileKey, UncheckedReason>>;
  /** The state of every stream that the app watches. Default `clear`. */
  live?: Exclude<WatchState, "starting">;
  /** Milliseconds that each check takes. Default 0: the answer comes in the next task. */
  delayMs?: number;
}

/** The gate that `fakeGate` returns. It also lists the files that it was given. */
export interface FakeGate extends Gate {
  /** Every file that was given to `check` or `admit`, in order. */
  readonly checked: readonly (Input | NodeInput)[];
}

const LIST: FilterInfo = {
  name: "fake list",
  category: "test",
  release: 1,
  builtAtUnixS: 0,
  pdqCount: 0,
  sha256Count: 1,
  md5Count: 0,
  rings: 0,
  lookupBudget: 0,
  ringKeyBits: 0,
  viewLookupBudget: 0,
  lookups: 1,
  falsePositiveParts: 0,
  k: 0,
  sliceBits: 0,
  salt: "",
  bytes: 0,
  checksum: "",
};

const MATCH: Match = {
  list: LIST.name,
  category: LIST.category,
  release: LIST.release,
  signal: "sha256",
  strength: "exact-bytes",
};

/**
 * Returns a gate that finds every file clear, except the named ones. Use it like the gate of `openGate`.
 *
 * @example
 * const gate = fakeGate({ held: ["listed.jpg"], unchecked: { "broken.jpg": "unreadable" } });
 * await gate.admit(new File(["bytes"], "cat.jpg")); // resolves
 * await gate.admit(new File(["bytes"], "listed.jpg")); // rejects with a HeldError
 */
export function fakeGate(options: FakeGateOptions = {}): FakeGate {
  return new AnsweringGate(options);
}

class AnsweringGate extends EventTarget implements FakeGate {
  readonly checked: (Input | NodeInput)[] = [];
  readonly filters = [LIST];
  readonly #held: ReadonlySet<string>;
  readonly #unchecked: ReadonlyMap<string, UncheckedReason>;
  readonly #delayMs: number;
  readonly #counters = new Counters();
  readonly #live: WatchState;
  #closed = false;

  constructor({ held = [], unchecked = {}, live = "clear", delayMs = 0 }: FakeGateOptions) {
    super();
    this.#held = new Set(held.map(normal));
    this.#unchecked = new Map(Object.entries(unchecked).map(([key, reason]) => [normal(key), reason]));
    this.#delayMs = delayMs;
    this.#live = live;
  }

  async check(file: Input | NodeInput, { signal }: CheckOptions = {}): Promise<Verdict> {
    if (this.#closed) throw Object.assign(new Error("the gate was closed"), { name: "GateError", code: "closed" });
    signal?.throwIfAborted();
    this.checked.push(file);
    await new Promise((later) => setTimeout(later, this.#delayMs));
    signal?.throwIfAborted();
    const verdict = await this.#verdictOn(file);
    // As in the real gate, `verdict.file` is not enumerable.
    Object.defineProperty(verdict, "file", { value: file });
    this.#counters.checked(verdict, this.filters);
    return verdict;
  }

  async admit(file: Input, options: AdmitOptions = {}): Promise<Admitted> {
    const verdict = await this.check(file, options);
    const { unchecked = {} } = options;
    const policy = typeof unchecked === "string" ? unchecked : { "not-a-picture": "allow" as const, ...unchecked };
    if (decide(verdict, { unchecked: policy }) === "hold") throw new HeldError(verdict);
    return { file: file as Blob, verdict };
  }

  /** Watches nothing: every frame has the outcome of the option `live`. The guarded track is the source's own track. */
  watch(source: WatchSource, { guard = "event", signal }: WatchOptions = {}): Watch {
    if (this.#closed) throw Object.assign(new Error("the gate was closed"), { name: "GateError", code: "closed" });
    signal?.throwIfAborted();
    const given = "getVideoTracks" in source ? source.getVideoTracks()[0] : source;
    const track = guard !== "event" && given && "kind" in given ? given : undefined;
    const watch = new AnsweringWatch(this.#live, track);
    signal?.addEventListener("abort", () => watch.stop(), { once: true });
    return watch;
  }

  status(): GateStatus {
    const storage = { kind: "none" as const };
    const { name: list, category, release } = LIST;
    return {
      state: "current",
      list,
      category,
      release,
      entries: 1,
      bytes: 0,
      storage,
      refreshing: false,
    } as GateStatus;
  }

  async refresh(): Promise<GateStatus> {
    return this.status();
  }

  record(decision: HostDecision, verdict: Verdict): void {
    this.#counters.decided(decision, verdict);
  }

  report(): TransparencyReport {
    return this.#counters.report(this.filters);
  }

  close(): void {
    this.#closed = true;
  }

  async #verdictOn(file: Input | NodeInput): Promise<Verdict> {
    const keys = await this.#keysOf(file);
    const held = keys.some((key) => this.#held.has(key));
    if (held) return { outcome: "possible-match", matches: [{ ...MATCH }], lookups: 1 };
    const reason = keys.map((key) => this.#unchecked.get(key)).find((found) => found !== undefined);
    if (reason) return { outcome: "unchecked", reason, detail: "as fakeGate was told", lookups: 0 };
    return { outcome: "clear", lookups: 1 };
  }

  /**
   * Returns the name and the digest of a file. Computes the digest only if the options name one, and never of a stream.
   */
  async #keysOf(file: Input | NodeInput): Promise<string[]> {
    if (typeof file !== "object") return [];
    if (file instanceof URL) return [decodeURIComponent(file.pathname.split("/").at(-1) ?? "")];
    if (Symbol.asyncIterator in file || "getReader" in file) return [];
    const names = "name" in file && typeof file.name === "string" ? [file.name] : [];
    const digests = [...this.#held, ...this.#unchecked.keys()].some((key) => DIGEST.test(key));
    return digests ? [...names, await sha256Of(file)] : names;
  }
}

/** A watch that gives all frames the same outcome. It dispatches the first verdict in the next task. */
class AnsweringWatch extends EventTarget implements Watch {
  readonly by = "none";
  readonly track: MediaStreamTrack | undefined;
  state: WatchState = "starting";
  verdict: Verdict | undefined;
  readonly #live: WatchState;
  #timer: ReturnType<typeof setTimeout>;

  constructor(live: WatchState, track: MediaStreamTrack | undefined) {
    super();
    this.track = track;
    this.#live = live;
    this.#timer = setTimeout(() => this.#tell(live));
  }

  release(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#tell(this.#live));
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.dispatchEvent(new Event("end"));
  }

  #tell(state: WatchState): void {
    const verdicts: Record<string, Verdict> = {
      "possible-match": { outcome: "possible-match", matches: [{ ...MATCH }], lookups: 1 },
      unchecked: { outcome: "unchecked", reason: "engine-failed", detail: "as fakeGate was told", lookups: 0 },
    };
    this.verdict = verdicts[state] ?? { outcome: "clear", lookups: 1 };
    if (this.state !== state) {
      this.state = state;
      this.dispatchEvent(new Event("statechange"));
    }
    this.dispatchEvent(new CustomEvent("verdict", { detail: this.verdict }));
  }
}

const DIGEST = /^[0-9a-f]{64}$/i;

/** Converts a digest to lower case, so that digests can be compared. Names stay as they are. */
function normal(key: string): string {
  return DIGEST.test(key) ? key.toLowerCase() : key;
}

async function sha256Of(file: Input): Promise<string> {
  const bytes = await bytesOf(file);
  const subtle = globalThis.crypto?.subtle;
  // Some test environments that imitate a browser lack `crypto`. Node's module replaces it there.
  const node = subtle ? undefined : globalThis.process?.getBuiltinModule?.("node:crypto");
  if (!subtle && !node) throw new Error("fakeGate: expected a platform with SHA-256 for digests, got none; name files");
  const digest = subtle
    ? new Uint8Array(await subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>))
    : (node?.createHash("sha256").update(bytes).digest() ?? new Uint8Array());
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function bytesOf(file: Input): Promise<Uint8Array> {
  if (ArrayBuffer.isView(file)) return new Uint8Array(file.buffer, file.byteOffset, file.byteLength);
  if ("arrayBuffer" in file) return new Uint8Array(await file.arrayBuffer());
  if (file instanceof ArrayBuffer || !("size" in file)) return new Uint8Array(file as ArrayBuffer);
  return new Uint8Array(await readByFileReader(file as unknown as Blob));
}

/** Reads a Blob of an old imitation of a browser, whose Blobs lack `arrayBuffer()`. */
function readByFileReader(file: Blob): Promise<ArrayBuffer> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result as ArrayBuffer);
    reader.onerror = () => reject(reader.error);
    reader.readAsArrayBuffer(file);
  });
}
