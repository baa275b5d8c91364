// What the reader of films says, as it serialises it.
// Generated from crates/film/src/ by `HASHGATE_WRITE=1 cargo test -p hashgate-film --lib generated`: don't edit.

/**
 * The kind of file that a film is in.
 */
export type Container = "mp4" | "mov" | "webm" | "mkv";

/**
 * The container and the video tracks of a film.
 */
export type FilmInfo = {
/**
 * The kind of file.
 */
container: Container,
/**
 * Seconds from 0 to the end of the last frame of any video track. Durations in headers aren't used, because they
 * can be wrong.
 */
durationS: number,
/**
 * All video tracks, in the order of the file. Tracks of sound, text and data are left out.
 */
tracks: Array<TrackInfo>,
/**
 * Number of bytes at the end of the file that this reader doesn't recognise as a part of the film.
 */
unreadBytes: number, };

/**
 * One video track.
 */
export type TrackInfo = {
/**
 * The track's number in the file.
 */
id: number,
/**
 * The codec as WebCodecs spells it, such as `avc1.64001f`, `vp09.00.31.08` or `vp8`; of a codec that WebCodecs
 * doesn't know, the name that the file gives it.
 */
codec: string,
/**
 * Width of the coded picture in pixels, as the index says.
 */
width: number,
/**
 * Height of the coded picture in pixels, as the index says.
 */
height: number,
/**
 * By how many degrees the picture is to be turned clockwise: 0, 90, 180 or 270.
 */
rotation: number,
/**
 * Whether the samples are encrypted.
 */
encrypted: boolean,
/**
 * The number of samples; null in WebM and Matroska, which have no table of them.
 */
samples: number | null,
/**
 * Number of samples that lie after the end of the file, because it was cut short. They are counted among the
 * samples, too.
 */
lostSamples: number,
/**
 * Seconds at which the first frame is shown.
 */
startS: number,
/**
 * Seconds at which the last frame ends.
 */
endS: number,
/**
 * Why the samples of this track can't be decoded, although the film could be read; null if no reason is known.
 */
problem: FilmRefusal | null, };

/**
 * Why a film, or a track of it, was refused: which field, what was expected, what was got, and what to do.
 */
export type FilmRefusal = {
/**
 * The kind of refusal.
 */
code: FilmCode,
/**
 * The field that was refused.
 */
field: string,
/**
 * What was expected of the field.
 */
expected: string,
/**
 * What was got instead.
 */
got: string, };

/**
 * Why a film, or a track of it, was refused: what each code means, and what to do.
 *
 * - `film-kind`: The file doesn't begin as an MP4, QuickTime, WebM or Matroska film does. Convert the film to MP4 or WebM.
 * - `film-box`: A box of an MP4 file, or an element of a WebM file, can't be where it is or as long as it says. Take the film again from where it comes from: this file is damaged.
 * - `film-no-index`: The file has no description of its tracks, because it was cut short or never finished. Take the film again from where it comes from: this file is damaged.
 * - `film-table`: A table of samples contradicts another one. Take the film again from where it comes from: this file is damaged.
 * - `film-overlap`: The samples of a track say that they have more bytes than the file. Write the film again with another program.
 * - `film-limit`: The index of the film is larger than the reader allows. Cut the film into shorter ones.
 * - `film-several-codecs`: One track changes the description of its codec on the way. Write the film again with another program.
 * - `film-elsewhere`: The samples of a track are in another file. Write the film again as a file of its own.
 * - `film-coding`: A track is compressed or described in a way that is not known here. Write the film again with another program.
 * - `film-read`: The file could not be read. Try again.
 */
export type FilmCode = "film-kind" | "film-box" | "film-no-index" | "film-table" | "film-overlap" | "film-limit" | "film-several-codecs" | "film-elsewhere" | "film-coding" | "film-read";
