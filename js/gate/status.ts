// The status of a gate, and what verdicts say of it.
import type { Source } from "../protocol.js";
import type { Checkpoint, FilterInfo, GateStatus, ListAbout } from "../types/types.js";
import type { Feed } from "./lookup-worker.js";

/** Returns the fields of a checkpoint that tell one state of the log from every other. */
export function checkpointOf({ checkpoint }: GateStatus): Checkpoint | undefined {
  if (!checkpoint) return undefined;
  const { origin, size, root } = checkpoint;
  return { origin, size, root };
}

/** Returns who decides about the list; undefined if the release says only names. */
export function aboutOf({ list, curators = [], policy, appeals, jurisdiction }: GateStatus): ListAbout | undefined {
  if (list === undefined || (policy ?? appeals ?? jurisdiction) === undefined) return undefined;
  return {
    list,
    curators,
    ...(policy !== undefined && { policy }),
    ...(appeals !== undefined && { appeals }),
    ...(jurisdiction !== undefined && { jurisdiction }),
  };
}

/** Returns the status of a gate without a list: before it is opened, or after its worker can't be started any more. */
export function nothing(feed: Feed): GateStatus {
  const follows = "follow" in feed;
  return {
    state: "none",
    ...(follows && { source: feed.follow.manifestUrl }),
    entries: 0,
    bytes: 0,
    storage: { kind: follows ? "memory" : "none" },
    refreshing: false,
  };
}

/** Returns the status of a gate that was opened with `filters`. */
export function statusOf(filters: readonly FilterInfo[], sources: Source[]): GateStatus {
  const [only] = filters.length === 1 ? filters : [];
  const sum = (of: (info: FilterInfo) => number) => filters.reduce((total, info) => total + of(info), 0);
  return {
    state: "current",
    ...(only && { list: only.name, category: only.category, release: only.release }),
    ...(only && only.builtAtUnixS > 0 && { issuedUnixS: only.builtAtUnixS }),
    entries: sum((info) => info.pdqCount + info.sha256Count + info.md5Count),
    bytes: sum((info) => info.bytes),
    from: sources.some((source) => "url" in source) ? "network" : "host",
    storage: { kind: "none" },
    refreshing: false,
  };
}
