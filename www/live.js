// The camera or a screen on the demo page: a live verdict, made on this device.

/** Milliseconds from one looked-at frame to the next. */
const EVERY_MS = 500;

const element = (id) => document.getElementById(id);
const SAYS = {
  starting: "waiting for a frame",
  clear: "clear: the last frame is not on the list",
  "possible-match": "held: a frame is possibly on the list",
  unchecked: "not checked",
};

/** Sets the buttons up. `gate` is an open gate. */
export function setUpLive(gate) {
  const [video, state, stop, release] = ["live-video", "live-state", "live-stop", "live-release"].map(element);
  const starters = ["camera", "screen"].map((name) => element(`live-${name}`));
  let watch;
  let stream;

  const show = () => {
    const { verdict } = watch;
    // A page isn't told what its processes use. While a frame is looked at, at most one core works on it.
    const share = ((100 * (verdict?.frame?.tookMs ?? 0)) / EVERY_MS).toFixed(1);
    const took = verdict?.frame ? `, in ${verdict.frame.tookMs.toFixed(0)} ms, about ${share}% of a core` : "";
    const why = verdict?.outcome === "unchecked" ? `: ${verdict.detail}` : "";
    const strength = verdict?.matches ? `, ${verdict.matches[0].distinctKeys} distinct` : "";
    state.textContent = `${SAYS[watch.state]}${strength}${why}${took} (by ${watch.by})`;
    state.dataset.state = watch.state;
    release.disabled = watch.state !== "possible-match";
  };
  const start = async (open) => {
    end();
    try {
      stream = await open();
    } catch (error) {
      state.textContent = `The stream can't be had: ${error.message}`;
      return;
    }
    video.srcObject = stream;
    video.hidden = false;
    watch = gate.watch(stream, { everyMs: EVERY_MS });
    watch.addEventListener("verdict", show);
    watch.addEventListener("statechange", show);
    watch.addEventListener("end", end);
    stop.disabled = false;
  };
  const end = () => {
    watch?.removeEventListener("end", end);
    watch?.stop();
    for (const track of stream?.getTracks() ?? []) track.stop();
    watch = stream = undefined;
    video.srcObject = null;
    video.hidden = true;
    stop.disabled = release.disabled = true;
    state.textContent = "Nothing is watched.";
    delete state.dataset.state;
  };
  const devices = navigator.mediaDevices;
  const openers = [
    devices?.getUserMedia && (() => devices.getUserMedia({ video: true })),
    devices?.getDisplayMedia && (() => devices.getDisplayMedia({ video: true })),
  ];
  starters.forEach((button, at) => {
    button.disabled = !openers[at];
    button.addEventListener("click", () => start(openers[at]));
  });
  stop.addEventListener("click", end);
  release.addEventListener("click", () => watch?.release());
}
