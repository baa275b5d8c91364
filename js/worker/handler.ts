// Handles the requests to a worker, in browsers and in Node.
import type { BrowserPicture } from "../../dist/bindings/hashgate.js";
import { describe, type Fault, faultOf, GateError, isCoded } from "../errors.js";
import {
  type Answers,
  type Asks,
  type FilmKind,
  type Following,
  type FromWorker,
  type HostFormat,
  type NotDecoded,
  type Operation,
  OWN_FORMATS,
  type OwnFormat,
  type Source,
  type ToWorker,
} from "../protocol.js";
import { borrowed } from "./borrowed.js";
import { Engine, type LoadedFilters } from "./engine.js";
import { readFilm } from "./film/film.js";
import { CanvasNoise, FrameHasher } from "./frames.js";
import { fetchFilter } from "./list/filter.js";
import { Follower } from "./list/follower.js";
import type { ListStore } from "./list/store.js";
import { OwnDecoder, takeHostPicture } from "./own-decode.js";
import { readFile, Unreadable, wholeOf } from "./read-file.js";
import { StreamWatch } from "./stream-watch.js";

export interface WorkerSide {
  post(message: FromWorker, transfer: ArrayBuffer[]): void;
  /** `fetch`, or the function that replaces it. */
  open(url: string, init?: RequestInit): Promise<Response>;
  /** Returns the list store for a followed list. */
  store(ask: Following): ListStore;
  /** Decodes a picture with the platform's own decoder. Missing where there is none. */
  decode?(file: Blob | Uint8Array, picture: BrowserPicture): Promise<void>;
}

/** The file is a film. Films are read by `film/film.ts`, not here. */
class IsFilm extends Error {
  readonly kind: FilmKind;

  constructor(kind: FilmKind) {
    super();
    this.kind = kind;
  }
}

/** Largest number of a film's frames that may wait for the page's answer at once. */
const MOST_OUTSTANDING = 4;

/** Returns the function that handles messages from the page. */
export function serve(side: WorkerSide): (message: ToWorker) => void {
  let engine: Engine | undefined;
  let startFailure: unknown = new Error("the worker was asked before it was started");
  let filters: LoadedFilters | undefined;
  let follower: Follower | undefined;
  let watch: StreamWatch | undefined;
  let credit: (() => void) | undefined;
  let outstanding = 0;
  const decoders = new Map<OwnFormat, OwnDecoder>();
  let enough = false;
  const frames = new FrameHasher();

  const operations: { [O in Operation]: (ask: Asks[O], id: number) => Promise<[Answers[O], ArrayBuffer[]]> } = {
    async fingerprint({ file: given, digestsOnly, module, hostDecodes, decoded, ...ask }, id) {
      const file = borrowed(given);
      const hashing = running(engine, startFailure);
      // The platform's digest would need the whole film in memory.
      const platformSha256 = ask.wanted.sha256 && !digestsOnly && hasWebCrypto();
      const { wanted, ...rest } = ask;
      const options = { ...wanted, ...rest };
      let digest: Promise<Uint8Array> | undefined;
      const { stream, bytes } = await readFile(file, {
        open(head, size) {
          const kind = digestsOnly ? undefined : hashing.filmKind(head);
          if (kind) throw new IsFilm(kind);
          return hashing.stream(head, size, options, platformSha256);
        },
        ...(digestsOnly && { piece: () => side.post({ type: "seconds", id, seconds: 0, of: 0 }, []) }),
        early: (early) => side.post({ type: "early", id, fingerprint: early }, [early.buffer as ArrayBuffer]),
        // The platform computes SHA-256 on another thread, in parallel with the engine.
        whole: platformSha256
          ? (bytes) => {
              digest = sha256Of(bytes);
              // Prevents an unhandled rejection. The error is reported where the digest is awaited.
              digest.catch(() => {});
            }
          : undefined,
      });
      // If the streaming decoder has dropped bytes that turned out to be needed, reads the file again as a whole.
      let signals =
        stream?.finish() ??
        hashing.fingerprint(bytes ?? (await wholeOf(file)), { ...options, sha256: wanted.sha256 && !platformSha256 });
      /** Gives the file back, so that it can be hashed again with what it needs. */
      const again = <T extends object>(
        needs: T,
      ): [T & { bytes: Uint8Array | undefined; memoryBytes: number }, ArrayBuffer[]] => {
        const given = file instanceof Uint8Array ? file : undefined;
        const answer = { ...needs, bytes: given, memoryBytes: hashing.memoryBytes };
        return [answer, given ? [given.buffer as ArrayBuffer] : []];
      };
      if (signals.needsFormatsEngine) {
        signals.free();
        return again({ needsFormats: true as const });
      }
      const picture = signals.browserPicture();
      const type = picture?.isSecondReading === false ? picture.mediaType : undefined;
      const host = hostDecodes?.find((format) => type === `image/${format satisfies HostFormat}`);
      const own = host ? undefined : OWN_FORMATS.find((format) => type === `image/${format}`);
      if (picture && own) {
        let decoder = decoders.get(own);
        if (!decoder && !module) {
          picture.free();
          signals.free();
          return again({ needsDecoder: { module: own } });
        }
        let missing: NotDecoded | undefined;
        if (!decoder && module instanceof WebAssembly.Module) {
          decoder = new OwnDecoder(own, module);
          decoders.set(own, decoder);
        } else if (!decoder) missing = module as NotDecoded;
        const failure = decoder ? decoder.decode(bytes ?? (await wholeOf(file)), picture) : missing;
        if (failure) {
          picture.reset();
          // The browser may read what this decoder doesn't. But it isn't asked about a picture that is too large, or on
          // which a decoder has failed.
          if (side.decode && failure.reason !== "too-large" && failure.reason !== "engine-failed") {
            await side.decode(file, picture);
            // The browser may show a part of a damaged file.
            if (picture.isRead && failure.reason === "unreadable") picture.markDamaged();
          }
          if (!picture.isRead) {
            picture.reset();
            picture.fail(failure.reason, failure.detail);
          }
        }
        signals = signals.with(picture);
      } else if (picture && host) {
        if (!decoded) {
          picture.free();
          signals.free();
          return again({ needsDecoder: { host } });
        }
        if ("reason" in decoded) picture.fail(decoded.reason, decoded.detail);
        else takeHostPicture(decoded, picture);
        signals = signals.with(picture);
      } else if (picture && side.decode) {
        await side.decode(file, picture);
        signals = signals.with(picture);
      } else {
        picture?.free();
      }
      const fingerprint = signals.toBytes();
      signals.free();
      const { memoryBytes } = hashing;
      return [{ fingerprint, sha256: await digest, memoryBytes }, [fingerprint.buffer as ArrayBuffer]];
    },
    async frame({ frame, atS, views }) {
      running(engine, startFailure);
      const atMs = performance.timeOrigin + performance.now();
      const [width, height] =
        "displayWidth" in frame ? [frame.displayWidth, frame.displayHeight] : [frame.width, frame.height];
      try {
        const { small: _, ...signals } = await frames.hash(frame, views);
        return [{ ...signals, atS, atMs, width, height }, [signals.fingerprint.buffer as ArrayBuffer]];
      } catch (error) {
        if (!(error instanceof CanvasNoise)) throw error;
        return [{ noise: error.message }, []];
      } finally {
        frame.close();
      }
    },
    async watch(ask, id) {
      running(engine, startFailure);
      watch = new StreamWatch(ask, frames, (frame) =>
        side.post({ type: "frame", id, frame }, [frame.fingerprint.buffer as ArrayBuffer]),
      );
      await watch.run();
      return [undefined, []];
    },
    async judged(ask) {
      watch?.judged(ask);
      outstanding -= 1;
      enough ||= ask.enough === true;
      credit?.();
      return [undefined, []];
    },
    async unwatch() {
      watch?.stop();
      return [undefined, []];
    },
    async film(ask, id) {
      const hashing = running(engine, startFailure);
      outstanding = 0;
      enough = false;
      const reading = await readFilm(ask, frames, {
        async frame(frame) {
          side.post({ type: "frame", id, frame }, [frame.fingerprint.buffer as ArrayBuffer]);
          outstanding += 1;
          // A few frames may wait for their lookups while the next is decoded.
          while (outstanding >= MOST_OUTSTANDING) {
            await new Promise<void>((resolve) => {
              credit = resolve;
            });
          }
          return !enough;
        },
        progress: (seconds, of) => side.post({ type: "seconds", id, seconds, of }, []),
      });
      return [{ ...reading, memoryBytes: hashing.memoryBytes }, []];
    },
    async filmKind({ head }) {
      return [running(engine, startFailure).filmKind(head), []];
    },
    async mayBePicture({ head }) {
      return [running(engine, startFailure).mayBePicture(head), []];
    },
    async load({ sources, maxBytes }, id) {
      const files: Uint8Array[] = [];
      for (const source of sources) {
        const progress = (loaded: number, total: number | undefined) =>
          "url" in source && side.post({ type: "progress", id, url: source.url, loaded, total }, []);
        files.push("bytes" in source ? source.bytes : await fetchFilter(side.open, source.url, maxBytes, progress));
      }
      try {
        // The old filters stay in use until all new ones are verified.
        filters = running(engine, startFailure).load(files);
      } catch (error) {
        throw refusedFilter(error, sources) ?? error;
      }
      return [filters.loaded, []];
    },
    async follow(ask) {
      follower = new Follower(
        running(engine, startFailure),
        side.store(ask),
        {
          open: side.open,
          push: (push) => side.post(push, []),
          fail: (error) => side.post({ type: "broken", detail: describe(error) }, []),
        },
        ask,
      );
      await follower.start();
      return [undefined, []];
    },
    async refresh() {
      await follower?.refresh();
      return [undefined, []];
    },
    async begin({ fingerprint, orientations }) {
      (follower ? follower.filters : filters)?.begin(fingerprint, orientations);
      return [undefined, []];
    },
    async lookUp({ signals, orientations, dismissed }) {
      const loaded = follower ? follower.filters : filters;
      if (!loaded && !follower) throw new Error("the lookup worker was asked before it held a filter");
      if (dismissed.length > 0) return [loaded?.lookUpPast(signals, orientations, dismissed), []];
      return [loaded?.lookUp(signals, orientations), []];
    },
  };

  async function answer<O extends Operation>(type: O, id: number, ask: Asks[O]): Promise<void> {
    try {
      const [result, transfer] = await operations[type](ask, id);
      side.post({ type: "done", id, answer: result }, transfer);
    } catch (error) {
      if (error instanceof IsFilm) {
        const { file } = ask as Asks["fingerprint"];
        const bytes = file instanceof Uint8Array ? file : undefined;
        const answer = { film: error.kind, bytes, memoryBytes: engine?.memoryBytes ?? 0 };
        side.post({ type: "done", id, answer }, bytes ? [bytes.buffer as ArrayBuffer] : []);
      } else if (error instanceof Unreadable) side.post({ type: "unreadable", id, detail: error.message }, []);
      else if (isCoded(error)) side.post({ type: "refused", id, fault: faultOf(error) }, []);
      // After a trap, an exhausted stack, or any unexpected error, the wasm instance can't be trusted any more.
      else side.post({ type: "poisoned", id, detail: describe(error) }, []);
    }
  }

  return (message) => {
    if (message.type === "start") {
      try {
        engine = new Engine(message.module);
      } catch (error) {
        startFailure = error;
      }
    } else {
      void answer(message.type, message.id, message.ask as never);
    }
  };
}

function running(engine: Engine | undefined, failure: unknown): Engine {
  if (!engine) throw failure;
  return engine;
}

/** Returns whether the platform computes digests. `crypto.subtle` is undefined on insecure origins. */
function hasWebCrypto(): boolean {
  return globalThis.crypto?.subtle !== undefined;
}

async function sha256Of(bytes: Uint8Array): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>));
}

/** Returns an error that names the filter that was refused. */
function refusedFilter(error: unknown, sources: Source[]): GateError | undefined {
  if (!isCoded(error) || !("refusedAt" in error) || typeof error.refusedAt !== "number") return undefined;
  const source = sources[error.refusedAt];
  const url = source && "url" in source ? source.url : undefined;
  const fault: Fault = faultOf(error);
  return new GateError({ ...fault, message: `${url ?? `filters[${error.refusedAt}]`}: ${error.message}`, url });
}
