// What a strict TypeScript project sees of the package, with `skipLibCheck` off. Compiled, never run.
import { GateError, type GateOptions, openGate, type Verdict } from "hashgate";
import { openGate as openInlined } from "hashgate/inline";

const options: GateOptions = {
  filters: ["/demo.hgf", new Uint8Array(3)],
  wasmUrl: new URL("https://example.org/hashgate.wasm"),
  workerUrl: "/worker.js",
};

export async function check(file: File): Promise<string> {
  const gate = await openGate(options);
  const verdict: Verdict = await gate.check(file, { signal: AbortSignal.timeout(1000) });
  gate.close();
  switch (verdict.outcome) {
    case "clear":
      return "clear";
    case "unchecked":
      return verdict.reason;
    default:
      return verdict.matches.map(({ list }) => list).join();
  }
}

export const inlined: Promise<unknown> = openInlined(options).catch((error: unknown) => {
  if (error instanceof GateError && error.code === "engine-unavailable") return undefined;
  throw error;
});

// @ts-expect-error: a gate without a filter.
void openGate({ filtres: [] });
