// The numeric defaults of a gate's options. A test compares them with the comments in js/types/options.ts.
const MIB = 1024 * 1024;

export const DEFAULTS = {
  copyUpToBytes: 0,
  everyMs: 1000,
  refreshIntervalMs: 1_800_000,
  maxFileBytes: 256 * MIB,
  maxFilmBytes: 64 * 1024 * MIB,
  maxGapS: 4,
  maxFrames: 100_000,
  minDistinct: 2,
  maxFilterBytes: 64 * MIB,
  timeoutMs: 60_000,
  confirmTimeoutMs: 10_000,
  idleMs: 30_000,
  maxIdleMemoryBytes: 128 * MIB,
} as const;
