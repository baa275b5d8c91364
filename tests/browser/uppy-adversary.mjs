// A page for the scripted adversary of Uppy: the real Uppy with its real uploader, and a gate whose checks are slow.
// All random choices come from a seed.
import { PICTURES } from "./adversary-pictures.mjs";

/** The app's script. `run(seed, steps)` does `steps` random actions, then lets all clean files be uploaded. */
export const APP = `
import Uppy from "@uppy/core"; import XHRUpload from "@uppy/xhr-upload";
import { HashgateUppy } from "hashgate/uppy";
${PICTURES}const wait = (ms) => new Promise((done) => setTimeout(done, ms));
let serial = 0;

window.run = async (seed, steps) => {
  const next = random(seed);
  const below = (count) => Math.floor(next() * count);
  const kinds = new Map();       // serial -> "clean" or "listed"
  const checkedBlobs = new WeakMap(); // Blob -> the outcome that the gate returned for it
  const released = new Set();    // serials that the host released
  const uploads = [];
  const wanted = new Map();      // file id -> serial of the Blob that is to be uploaded
  const log = [];
  /** Makes a file with a serial number in its last bytes, after the picture's end, where decoders ignore it. */
  const make = (kind) => {
    serial += 1;
    kinds.set(serial, kind);
    const tail = new Uint8Array(new Uint32Array([0x4847, serial]).buffer);
    return Object.assign(new Blob([blobs[kind], tail], { type: "image/jpeg" }), { serial });
  };
  // The engine has checked both pictures before. This stand-in for a gate returns those verdicts after a random delay.
  const gate = {
    record() {},
    async check(file, { signal } = {}) {
      await wait(below(4));
      signal?.throwIfAborted();
      checkedBlobs.set(file, kinds.get(file.serial));
      return structuredClone(verdicts[kinds.get(file.serial)]);
    },
  };
  let uppy;
  let plugin;
  const install = () => { uppy.use(HashgateUppy, { gate }); plugin = uppy.getPlugin("Hashgate"); };
  /** Makes an Uppy. The plugin is added before or after the uploader, at random. */
  const start = (autoProceed, protect = install) => {
    uppy = new Uppy({ autoProceed, logger: { debug() {}, warn() {}, error() {} }, allowMultipleUploadBatches: true });
    const uploader = { endpoint: "/upload?run=" + seed, formData: below(2) === 0, limit: 1 + below(5), shouldRetry: () => false };
    if (below(2)) { uppy.use(XHRUpload, uploader); protect(); } else { protect(); uppy.use(XHRUpload, uploader); }
  };
  start(below(2) === 0);
  const add = (kind, name = "file-" + below(6)) => {
    const data = make(kind);
    try { const id = uppy.addFile({ name, type: "image/jpeg", data }); wanted.set(id, data.serial); } catch {}
  };
  const any = () => { const files = uppy.getFiles(); return files[below(files.length)]; };
  const ignore = (promise) => promise?.catch?.(() => undefined);
  /**
   * Ids of files that were being uploaded when the list was cleared. When such an upload ends, Uppy ascribes its
   * response to whichever file has the id by then.
   */
  const mistaken = new Set();
  const clear = () => {
    for (const { fileIDs } of Object.values(uppy.getState().currentUploads)) for (const id of fileIDs) mistaken.add(id);
    try { uppy.clear(); } catch {}
  };
  const actions = {
    add: () => add(below(2) ? "clean" : "listed"),
    addSeveral: async () => { for (let n = 0; n < 3; n += 1) { add(below(2) ? "clean" : "listed"); await wait(below(5)); } },
    upload: () => ignore(uppy.upload()),
    retryAll: () => ignore(uppy.retryAll()),
    retry: () => { const file = any(); if (file?.error) ignore(uppy.retryUpload(file.id)); },
    remove: () => { const file = any(); if (file) uppy.removeFile(file.id); },
    edit: () => {
      const file = any();
      if (!file || file.progress.uploadComplete) return;
      const data = make(below(2) ? "clean" : "listed");
      uppy.setFileState(file.id, { data });
    },
    release: () => {
      const file = any();
      if (!file?.error) return;
      if (file.data) released.add(file.data.serial);
      ignore(plugin.release(file.id));
      // Gives the file other bytes under the same id, at once.
      if (below(2)) uppy.setFileState(file.id, { data: make("listed") });
    },
    clear: () => clear(),
    clearAndSame: () => { const file = any(); if (!file) return; clear(); add("listed", file.name); },
    cancel: () => uppy.cancelAll(),
    restore: () => {
      const files = uppy.getFiles().filter(({ progress }) => !progress.uploadStarted);
      if (files.length === 0) return;
      const id = "restored-" + serial;
      uppy.setState({ currentUploads: { ...uppy.getState().currentUploads, [id]: { fileIDs: files.map(({ id }) => id), step: 1, result: {} } } });
      ignore(uppy.restore(id));
    },
    // Imitates a reload of the page, after which the Golden Retriever restores files: as other Blobs, some missing,
    // some with other bytes, in uploads at any step.
    session: () => {
      const { files, currentUploads } = uppy.getState();
      const { autoProceed } = uppy.opts;
      const kept = Object.values(files).map(({ data, preview, ...file }) => {
        if (file.progress.uploadComplete) return { ...file, data, isRestored: true, isGhost: false };
        const fate = below(6);
        if (fate === 0 || !data) return { ...file, data: undefined, isRestored: true, isGhost: true };
        return { ...file, data: make(fate === 1 ? "listed" : kinds.get(data.serial)), isRestored: true, isGhost: false };
      });
      const uploads = Object.entries(currentUploads).map(([id, upload]) => [id, { ...upload, step: below(3) ? upload.step : 1 }]);
      uppy.destroy();
      const late = below(2) === 0;
      start(autoProceed, late ? () => {} : install);
      const state = { files: Object.fromEntries(kept.map((file) => [file.id, file])), currentUploads: Object.fromEntries(uploads) };
      uppy.setState({ recoveredState: state, ...structuredClone({ currentUploads: state.currentUploads }), files: state.files });
      if (late) install();
      uppy.emit("restored", undefined);
      // Continues the restored uploads, as Uppy does on its event "restore-confirmed".
      if (uploads.length > 0) { uppy.resumeAll(); for (const [id] of uploads) ignore(uppy.restore(id)); }
      else if (below(2)) ignore(uppy.upload());
      uppy.setState({ recoveredState: null });
    },
    // The person chooses a lost file again.
    chooseAgain: () => {
      const lost = uppy.getFiles().find(({ data }) => !data);
      if (lost) uppy.setFileState(lost.id, { data: make(below(2) ? "clean" : "listed"), isGhost: false });
    },
    resume: () => uppy.resumeAll(),
    removePlugin: async () => {
      // Before the plugin is removed, stops Uppy from starting further uploads by itself. What the host uploads without
      // the plugin isn't this test's concern.
      const { autoProceed, onBeforeUpload } = uppy.opts;
      Object.assign(uppy.opts, { autoProceed: false, onBeforeUpload: () => false });
      clearTimeout(uppy.scheduledAutoProceed);
      uppy.scheduledAutoProceed = null;
      uppy.removePlugin(plugin);
      await wait(12);
      uppy.cancelAll();
      install();
      Object.assign(uppy.opts, { autoProceed, onBeforeUpload });
    },
    wait: () => wait(below(8)),
  };
  const names = Object.keys(actions);
  // Actions that end all uploads are three times rarer than the others.
  const weighted = names.flatMap((name) => Array(/^(?:cancel|clear|clearAndSame|removePlugin|session)$/.test(name) ? 1 : 3).fill(name));
  for (let step = 0; step < steps; step += 1) {
    const name = weighted[below(weighted.length)];
    log.push(name + "@" + serial);
    await actions[name]();
    if (below(3) === 0) await wait(below(5));
  }
  // At the end, every clean file that is still in the list must arrive.
  for (let round = 0; round < 40; round += 1) {
    const open = () => Object.keys(uppy.getState().currentUploads).length > 0;
    for (let n = 0; n < 200 && open(); n += 1) await wait(5);
    const rest = uppy.getFiles().filter(({ data, progress }) => kinds.get(data?.serial) === "clean" && !progress.uploadComplete);
    if (rest.length === 0) break;
    // Uppy uploads files whose upload was begun but not finished only on a retry.
    for (const { id } of rest) ignore(uppy.retryUpload(id));
    await wait(5);
  }
  const lost = uppy.getFiles().filter(({ data, progress }) => kinds.get(data?.serial) === "clean" && !progress.uploadComplete)
    .map(({ id, error, progress }) => id + " " + error + " " + JSON.stringify(progress));
  const done = uppy.getFiles().filter(({ id, progress }) => progress.uploadComplete && !mistaken.has(id)).flatMap(({ data }) => data?.serial ?? []);
  uppy.destroy();
  return { log, lost, done, released: [...released], kinds: [...kinds] };
};
window.ready = true;`;
