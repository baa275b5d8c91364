// The values that cross the wasm border, as the core serialises them.
// Generated from src/ by `HASHGATE_WRITE=1 cargo test -p hashgate --lib generated`: don't edit.

/**
 * The whole answer to a check: the outcome, and what is known of the file.
 */
export type Verdict = {
/**
 * For a possible match: the outcome if the match turns out not to be listed, unless that is clear. An example is a
 * damaged picture whose bytes seem to be listed.
 */
ifNotListed?: Outcome,
/**
 * The caveat that a host should act on first. `clear` with a caveat says less than plain `clear`.
 */
caveat?: Caveat,
/**
 * All caveats, the gravest first, if there is more than one. JSON leaves it out otherwise.
 */
caveats?: Array<Caveat>,
/**
 * PDQ hash of the first frame's plain view, if there is a picture.
 */
pdq?: string,
/**
 * Quality of `pdq`, 0 to 100.
 */
quality?: number,
/**
 * SHA-256 of the bytes, if it was computed.
 */
sha256?: string,
/**
 * MD5 of the bytes, if it was computed.
 */
md5?: string,
/**
 * The picture's format.
 */
format?: Format,
/**
 * Width in pixels as stored.
 */
width?: number,
/**
 * Height in pixels as stored.
 */
height?: number,
/**
 * The decoder of the first reading.
 */
decodedBy?: DecodedBy,
/**
 * The decoder of the second reading, if decoders may read the file differently and there was one.
 */
secondReadingBy?: DecodedBy,
/**
 * Frames in the file; 1 for a still picture.
 */
frames?: number,
/**
 * Number of lookups, in all lists together.
 */
lookups: number, } & ({ "outcome": "clear" } | { "outcome": "possible-match",
/**
 * Strongest first, at most one per list and signal.
 */
matches: Array<Match>, } | { "outcome": "unchecked",
/**
 * The reason, for programs.
 */
reason: UncheckedReason,
/**
 * The reason, for people.
 */
detail: string, });

/**
 * The answer to a check. A match is a reason to ask, never a proof. A file that could not be checked is never clear.
 */
export type Outcome = { "outcome": "clear" } | { "outcome": "possible-match",
/**
 * Strongest first, at most one per list and signal.
 */
matches: Array<Match>, } | { "outcome": "unchecked",
/**
 * The reason, for programs.
 */
reason: UncheckedReason,
/**
 * The reason, for people.
 */
detail: string, };

/**
 * One signal of a file that a list seems to hold.
 */
export type Match = {
/**
 * Name of the list.
 */
list: string,
/**
 * Category of the list.
 */
category: string,
/**
 * Release of the list.
 */
release: number,
/**
 * How much the match says.
 */
strength: Strength, } & ({ "signal": "sha256" } | { "signal": "md5" } | { "signal": "pdq" } & PdqMatch);

/**
 * The signal of a file that matched.
 */
export type MatchedSignal = { "signal": "sha256" } | { "signal": "md5" } | { "signal": "pdq" } & PdqMatch;

/**
 * How a PDQ hash matched.
 */
export type PdqMatch = {
/**
 * The rotation or reflection of the picture.
 */
orientation: Orientation,
/**
 * The view.
 */
view: View,
/**
 * The frame of an animation, counted from 0.
 */
frame: number,
/**
 * The colours of a transparent picture.
 */
surface: Surface,
/**
 * The reading that the pixels come from. JSON leaves it out if it is the first.
 */
reading?: Reading,
/**
 * The first ring whose key the list holds.
 */
ring: number,
/**
 * All rings of this view and orientation whose keys the list holds.
 */
rings: Array<number>,
/**
 * Number of bits of `ring` that were flipped, 0 to 24. 0 means that the list holds the ring key as it is.
 */
flips: number,
/**
 * Sum of the ranks of the flipped bits. The lower it is, the more plausible is the match.
 */
cost: number,
/**
 * The hash of this view and orientation. If a ring of `rings` matched only with flipped bits, the hash has these
 * bits flipped.
 */
pdq: string,
/**
 * The ring key of `ring` that the list holds, as 16 hexadecimal digits in JSON.
 */
key: string, };

/**
 * How strong the evidence of a match is, the strongest first. Even the strongest is a *possible* match, because a
 * Bloom filter can be wrong.
 */
export type Strength = "exact-bytes" | "several-frames" | "all-rings" | "one-ring";

/**
 * Why a file was not checked, or not completely.
 */
export type UncheckedReason = "unreadable" | "not-a-picture" | "unsupported-picture" | "unsupported-film" | "too-large" | "incomplete" | "canvas-noise" | "engine-failed" | "unavailable" | "invalid-input" | "too-many-candidates";

/**
 * Something that is not known about a file although its picture was looked up.
 *
 * A verdict of `clear` with a caveat says less than a plain `clear`: the host decides whether that is enough.
 */
export type Caveat = "one-reading" | "colour-profile" | "ac-terms-unread" | "frames-sampled" | "malformed" | "low-detail";

/**
 * The decoder that turned the bytes into pixels.
 */
export type DecodedBy = "low-terms" | "luma-only" | "general" | "heic" | "jxl" | "browser" | "host" | "native";

/**
 * A picture format. The content decides which one a file has, never its name.
 */
export type Format = "jpeg" | "png" | "gif" | "webp" | "bmp" | "ico" | "svg" | "tiff" | "avif" | "heic" | "jxl";

/**
 * The colours that a frame shows.
 */
export type Surface = "plain" | "over-white" | "over-black" | "over-grey" | "over-dark-grey" | "managed";

/**
 * One of the two decodings that a file may get.
 */
export type Reading = "first" | "second";

/**
 * One of the eight rotations and reflections of the square, named as in Meta's reference.
 */
export type Orientation = "original" | "rotate-90" | "rotate-180" | "rotate-270" | "flip-x" | "flip-y" | "flip-plus-1" | "flip-minus-1";

/**
 * One way of looking at a picture. `plain` and `border-cut` are the full views; all others are derived views.
 */
export type View = "plain" | "border-cut" | "zoom-out-2" | "zoom-in-2" | "zoom-out-4" | "zoom-in-4" | "zoom-out-7" | "zoom-out-11" | "turned-left-2" | "turned-right-2" | "turned-left-4" | "turned-right-4" | "highlights-raised" | "without-bottom" | "without-bottom-bar" | "without-caption" | "without-middle" | "without-centre" | "without-top" | "without-top-left" | "without-top-right" | "without-bottom-left" | "without-bottom-right" | "border-cut-without-caption" | "located-1" | "located-1-border-cut" | "located-2" | "located-3" | "located-4" | "without-inset-1" | "without-inset-2" | "without-inset-3" | "without-patch-1" | "without-patch-2" | "without-patch-3" | "without-patch-4";

/**
 * The orientations that are looked up.
 */
export type Orientations = "all" | "upright";

/**
 * The views that are looked up.
 */
export type ViewSet = "all" | "plain";

/**
 * The largest pictures that are read. A decoder compares a file's header with the limits before it allocates memory.
 */
export type Limits = {
/**
 * Largest width of a picture in pixels. Default 65,535.
 */
maxWidth: number,
/**
 * Largest height of a picture in pixels. Default 65,535.
 */
maxHeight: number,
/**
 * Largest number of pixels in a frame. Default 150,000,000.
 */
maxPixels: number,
/**
 * Most bytes of pixels and coefficients that a decoder may hold at once. Default 1,073,741,824 (1 GiB).
 */
maxAlloc: number,
/**
 * Most frames of an animation that are looked up, in all formats that have frames. Default 256. Every frame is
 * decoded; of frames that look alike only one is looked up. If more frames than this differ, the least different
 * ones are left out, and the verdict has the caveat `frames-sampled`.
 */
maxFrames: number,
/**
 * Most pixels, summed over the frames of an animation, that are decoded and hashed. Default 250,000,000. Frames
 * beyond that are not checked, so the file is `unchecked` with `too-large` unless an earlier frame matches.
 */
maxAnimationPixels: number, };

/**
 * The header of a filter file, and its checksum.
 */
export type FilterInfo = {
/**
 * Name of the list.
 */
name: string,
/**
 * What the list holds, in its owner's words.
 */
category: string,
/**
 * Release number. Later releases have larger numbers.
 */
release: number,
/**
 * Build time in seconds since 1970-01-01 UTC; 0 if it wasn't recorded.
 */
builtAtUnixS: number,
/**
 * Number of PDQ hashes.
 */
pdqCount: number,
/**
 * Number of SHA-256 digests.
 */
sha256Count: number,
/**
 * Number of MD5 digests.
 */
md5Count: number,
/**
 * Ring keys that are inserted per PDQ hash, 0 (no PDQ) to 4.
 */
rings: number,
/**
 * Bits of each ring key, 52 to 64; 0 without PDQ hashes. Long lists need more.
 */
ringKeyBits: number,
/**
 * Lookups per ring key of a full view. Three times as many for the plain view, at most 65,536. In other orientations
 * than `original` and `flip-y`, divided by 12 for the plain view, and by 16 for `border-cut`. Then divided by 2 for
 * other rings than ring 0.
 */
lookupBudget: number,
/**
 * Lookups per ring key of a derived view that paints over a region, in the orientations `original` and `flip-y`
 * alone. Twice as many, at most 65,536, for the other derived views, and a 64th of it in their other orientations.
 * Divided by 4 for other rings than ring 0.
 */
viewLookupBudget: number,
/**
 * Largest number of lookups of a clean picture, over all views and orientations.
 */
lookups: number,
/**
 * Image false-positive rate: the expected share of clean pictures that match, in parts of 10^12.
 */
falsePositiveParts: number,
/**
 * Number of slices. To find an item that the filter holds, a lookup reads one bit of each slice.
 */
k: number,
/**
 * Bits of each slice.
 */
sliceBits: number,
/**
 * Seed of the hash functions.
 */
salt: string,
/**
 * Bytes of the file.
 */
bytes: number,
/**
 * The checksum that ends the file: SHA-256 of all bytes before it.
 */
checksum: string, };

/**
 * A manifest: the facts about a release, as the list's owner has signed them.
 */
export type Manifest = {
/**
 * Name of the list.
 */
name: string,
/**
 * What the list holds, in its owner's words.
 */
category: string,
/**
 * Release number. Later releases have larger numbers.
 */
release: number,
/**
 * When it was signed, in seconds since 1970-01-01 UTC.
 */
issuedUnixS: number,
/**
 * When it expires, in seconds since 1970-01-01 UTC. By then a later release must have replaced it.
 */
expiresUnixS: number,
/**
 * The filter file.
 */
full: FullFile,
/**
 * Deltas that lead to the filter file, the one from the latest release first.
 */
deltas: Array<DeltaFile>,
/**
 * Number of PDQ hashes.
 */
pdqCount: number,
/**
 * Number of SHA-256 digests.
 */
sha256Count: number,
/**
 * Number of MD5 digests.
 */
md5Count: number,
/**
 * Ring keys that are inserted per PDQ hash.
 */
rings: number,
/**
 * Image false-positive rate: the expected share of clean pictures that match, in parts of 10^12.
 */
falsePositiveParts: number,
/**
 * Who vouches for the list, in their own words.
 */
curators: Array<string>,
/**
 * Entries that were taken out since the release before, if the curators say so.
 */
withdrawn?: number,
/**
 * Address of the curators' policy: what they list, and who decides. `https:` alone.
 */
policy?: string,
/**
 * Where to object to an entry: an address with `https:` or `mailto:`.
 */
appeals?: string,
/**
 * Whose law the curators act under, in their own words.
 */
jurisdiction?: string,
/**
 * Names of the trusted keys whose signatures were verified; empty if the signatures were not looked at.
 */
signedBy: Array<string>,
/**
 * The signed text.
 */
text: string, };

/**
 * A file that a manifest names.
 */
export type FullFile = {
/**
 * Name of the file, in the folder of the manifest.
 */
path: string,
/**
 * Length in bytes.
 */
bytes: number,
/**
 * SHA-256 of the whole file.
 */
sha256: string, };

/**
 * A delta that a manifest names: it leads from an earlier release to the manifest's.
 */
export type DeltaFile = {
/**
 * The earlier release.
 */
from: number,
/**
 * Name of the file, in the folder of the manifest.
 */
path: string,
/**
 * Length in bytes.
 */
bytes: number,
/**
 * SHA-256 of the delta.
 */
sha256: string,
/**
 * SHA-256 of the earlier release's full file.
 */
baseSha256: string, };

/**
 * The result of a verified proof: the place of a manifest in a log.
 */
export type Logged = {
/**
 * Place of the manifest in the log, counted from 0.
 */
index: number,
/**
 * The state of the log when the proof was made.
 */
checkpoint: Checkpoint, };

/**
 * A state of a log: its size and its root, as signed by the log's key and by enough witnesses.
 */
export type Checkpoint = {
/**
 * Name of the log.
 */
origin: string,
/**
 * Number of entries.
 */
size: number,
/**
 * Root of the Merkle tree of all entries, in Base64.
 */
root: string,
/**
 * Names of the trusted witnesses that have cosigned.
 */
witnesses: Array<string>,
/**
 * The time at which enough witnesses had cosigned, in seconds since 1970-01-01 UTC. The present time can't be
 * earlier. 0 without witnesses.
 */
witnessedUnixS: number,
/**
 * The signed note with all its signatures. If two notes of a log contradict each other, whoever has both can prove
 * that to anybody.
 */
note: string, };

/**
 * Why the core refused something: what each code means, and what to do.
 *
 * - `filter-magic`: The file doesn't begin as a filter file does. Give a filter file, as hashgate build writes it.
 * - `filter-version`: The filter file has a format version that this reader doesn't know. Update hashgate, or build the list again if it is older.
 * - `filter-length`: The filter file is shorter or longer than its header says. Fetch the file again.
 * - `filter-field`: A header field of the filter file has a value that it can't have. Build the list again.
 * - `filter-checksum`: The filter file's bytes are not those that were written. Fetch the file again.
 * - `filter-canary`: The filter gives a wrong answer about one of its own canary items. Build the list again.
 * - `manifest-syntax`: The manifest is not a signed note. Fetch it again: something on the way may have changed it.
 * - `manifest-field`: A line of the manifest has a value that it can't have. Publish the list again.
 * - `manifest-wrong-key`: None of the trusted keys has signed the manifest. Compare the trusted keys with those that the list's owner gives.
 * - `manifest-too-few-signatures`: Fewer trusted keys than the threshold have signed the manifest. Wait for the other signatures, or lower the threshold.
 * - `manifest-bad-signature`: A signature in the name of a trusted key doesn't fit the manifest. Don't use the list, and tell its owner: someone may have changed it.
 * - `manifest-wrong-list`: The manifest is of another list than the trusted one. Compare the list's URL with trust.list: one key can sign several lists.
 * - `trust-invalid`: A trusted key is malformed or repeated, or the threshold is not in 1 to the number of keys. Copy each key as hashgate keygen wrote it.
 * - `manifest-expired`: The manifest should have been replaced by now. Ask the list's owner for a new release.
 * - `manifest-not-yet-valid`: The manifest was issued more than a day ahead of this clock. Correct the clock.
 * - `manifest-rollback`: The manifest is older than one that was seen before. Fetch it again: a cache may have kept an old one.
 * - `log-syntax`: The proof that the release is in the public log, or its checkpoint, is malformed. Fetch it again: something on the way may have changed it.
 * - `log-wrong-origin`: The proof is of another log than the trusted one. Compare trust.log.origin with the name that the log's owner gives.
 * - `log-wrong-key`: The trusted log has not signed the checkpoint. Compare trust.log.key with the key that the log's owner gives.
 * - `log-bad-signature`: A signature in the name of the trusted log or of a trusted witness doesn't fit the checkpoint. Don't use the list, and tell its owner: someone may have changed the checkpoint.
 * - `log-too-few-witnesses`: Fewer trusted witnesses than the threshold have cosigned the checkpoint. Don't use the list, and compare its checkpoint with what others see (hashgate compare): it may be shown to you alone.
 * - `log-not-included`: The manifest is not the entry of the log that the proof is about. Don't use the list, and tell its owner: it may be shown to you alone.
 * - `log-stale`: The cosignatures are older than the trust allows. Look at this device's clock, then ask the list's owner for new cosignatures.
 * - `log-inconsistent`: Two checkpoints of one log contradict each other. Keep both and publish them: together they prove that the log's owner shows different logs to different people.
 * - `release-length`: A file doesn't have the length that the manifest gives. Fetch the file again.
 * - `release-digest`: A file doesn't have the SHA-256 that the manifest gives. Fetch the file again.
 * - `release-mismatch`: The header of the filter file contradicts the manifest. Publish the list again.
 * - `delta-base`: The delta doesn't start from this filter file. Use the full file.
 * - `delta-syntax`: The delta file is malformed. Use the full file.
 * - `build-field`: No filter can meet the request, or hold the list. Change the request.
 * - `build-capacity`: The list has outgrown the geometry of its earlier releases. Publish a release of a new geometry, with headroom.
 * - `hex-length`: A hash has another number of hexadecimal digits than its kind. Give all of its digits and nothing else.
 * - `hex-digit`: A hash has a character that is not a hexadecimal digit. Give its digits and nothing else.
 * - `invalid-fingerprint`: The bytes are not a fingerprint of the same build. Use one build of hashgate for both stages.
 */
export type RefusalCode = "filter-magic" | "filter-version" | "filter-length" | "filter-field" | "filter-checksum" | "filter-canary" | "manifest-syntax" | "manifest-field" | "manifest-wrong-key" | "manifest-too-few-signatures" | "manifest-bad-signature" | "manifest-wrong-list" | "trust-invalid" | "manifest-expired" | "manifest-not-yet-valid" | "manifest-rollback" | "log-syntax" | "log-wrong-origin" | "log-wrong-key" | "log-bad-signature" | "log-too-few-witnesses" | "log-not-included" | "log-stale" | "log-inconsistent" | "release-length" | "release-digest" | "release-mismatch" | "delta-base" | "delta-syntax" | "build-field" | "build-capacity" | "hex-length" | "hex-digit" | "invalid-fingerprint";

/** Most candidates that a lookup goes on past. */
export const MAX_DISMISSED = 64;

/** Longest manifest in bytes, signatures included. */
export const MAX_MANIFEST_BYTES = 131072;

/** Longest proof that a manifest is in a log, in bytes. */
export const MAX_PROOF_BYTES = 65536;
