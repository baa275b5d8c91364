// Uses the package as a strict TypeScript project would, with `skipLibCheck` off. The test compiles this file and never
// runs it.
import Uppy from "@uppy/core";
import { create, registerPlugin } from "filepond";
import { decide, GateError, type GateOptions, openGate, type Verdict } from "hashgate";
import { hashgateConfirmer, hmaConfirmer } from "hashgate/confirm";
import { hashgateFilePond } from "hashgate/filepond";
import { type Guard, guard } from "hashgate/guard";
import { openGate as openInlined } from "hashgate/inline";
import { ENGLISH, type HashgateNotice } from "hashgate/notice";
import type { HashgateNoticeProps as ReactNoticeProps } from "hashgate/notice/react";
import type { HashgateNoticeProps as VueNoticeProps } from "hashgate/notice/vue";
import { checkUploads } from "hashgate/service-worker";
import { listenToUploads } from "hashgate/service-worker/page";
import { type FakeGate, fakeGate } from "hashgate/testing";
import { HashgateUppy } from "hashgate/uppy";

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

/** Uses a published list, with a service that confirms possible matches. */
export async function follow(input: HTMLInputElement): Promise<Guard> {
  const gate = await openGate({
    source: "/list/manifest.txt",
    trust: { keys: ["list.example+00000000+AAAA"] },
    whenUnavailable: "block",
    confirm: Math.random() < 0.5 ? hashgateConfirmer({ url: "/" }) : hmaConfirmer({ url: "/hma" }),
  });
  gate.addEventListener("statechange", () => console.log(gate.status().state, gate.report()));
  console.log(decide(await gate.check(new Uint8Array(3)), { unchecked: "block" }));
  new Uppy().use(HashgateUppy, { gate });
  registerPlugin(hashgateFilePond(gate));
  create(input);
  const notice: HashgateNotice | null = document.querySelector<HashgateNotice>("hashgate-notice");
  console.log(ENGLISH, notice);
  return guard(input, gate);
}

export const inlined: Promise<unknown> = openInlined(options).catch((error: unknown) => {
  if (error instanceof GateError && error.code === "engine-unavailable") return undefined;
  throw error;
});

export const reactProps: ReactNoticeProps = { actions: "close", "learn-more-href": "/" };
export const vueProps: VueNoticeProps = { actions: "close", learnMoreHref: "/" };

/** Uses the service worker's functions, and the fake gate for tests. */
export async function more(input: HTMLInputElement): Promise<void> {
  checkUploads();
  const fake: FakeGate = fakeGate({ held: ["listed.jpg"], unchecked: { "broken.jpg": "unreadable" } });
  listenToUploads(fake).remove();
  guard(input, fake).remove();
}

// @ts-expect-error: a gate without a filter.
void openGate({ filtres: [] });
