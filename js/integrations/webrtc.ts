// hashgate/webrtc: guards the video that a call sends.
import type { GateError } from "../errors.js";
import type { Watch, WatchOptions } from "../types/types.js";
import type { GateLike } from "./checker.js";

export type { Watch, WatchOptions } from "../types/types.js";

/**
 * Watches the track that a sender of a call sends, and lets the sender send the guarded track in its place. Nothing is
 * sent before the gate is open and a frame was found clear. Where the browser can't make a guarded track (Firefox), the
 * sender sends nothing from a possible match on, until {@link Watch.release}.
 *
 * The default guard is `blank`. When the watch ends, the sender sends nothing more.
 *
 * @example
 * const sender = call.addTrack(camera.getVideoTracks()[0], camera);
 * const watch = await guardSender(gate, sender, { everyMs: 500 });
 * watch.addEventListener("statechange", () => showBanner(watch.state));
 *
 * @throws TypeError if the sender sends no video; GateError as `gate.watch` does.
 */
export async function guardSender(gate: GateLike, sender: RTCRtpSender, options: WatchOptions = {}): Promise<Watch> {
  const track = sender.track;
  if (track?.kind !== "video") throw new TypeError(`sender: expected one with a video track, got ${track?.kind}`);
  await sender.replaceTrack(null);
  const { guard = "blank" } = options;
  const opened = await gate;
  let watch: Watch;
  try {
    watch = opened.watch(track, { ...options, guard });
  } catch (error) {
    const canStop = guard === "blank" && error instanceof Error && "code" in error;
    if (!canStop || (error as GateError).code !== "guard-unavailable") throw error;
    watch = opened.watch(track, { ...options, guard: "event" });
  }
  const send = (sent: MediaStreamTrack | null) => sender.replaceTrack(sent).catch(() => {});
  const { track: guarded } = watch;
  if (guarded) await sender.replaceTrack(guarded);
  else watch.addEventListener("statechange", () => void send(watch.state === "clear" ? track : null));
  watch.addEventListener("end", () => void send(null), { once: true });
  return watch;
}
