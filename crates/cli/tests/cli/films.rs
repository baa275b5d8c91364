//! Checks films on the command line with ffmpeg, and what is said if there is no ffmpeg.

use hashgate_testkit::film::{FilmSample, Mp4, visual_entry};
use hashgate_testkit::photograph;

use super::support::*;

/// Makes a film of photographs in motion JPEG, which takes no video encoder. Each photograph is shown for half a
/// second.
fn film(first: u32, pictures: u32) -> Vec<u8> {
    let pictures: Vec<Vec<u8>> = (first..first + pictures).map(jpeg).collect();
    let samples: Vec<_> = pictures.iter().map(|it| FilmSample { size: it.len() as u32, key: true }).collect();
    let mut film = Mp4::of(&samples);
    film.timescale = 2_000;
    film.entry = visual_entry(b"jpeg", &[]);
    let sizes: Vec<u32> = pictures.iter().map(|it| it.len() as u32).collect();
    film.data = pictures.concat();
    film.tables.stsz = [vec![0, sizes.len() as u32], sizes].concat();
    film.bytes()
}

fn jpeg(seed: u32) -> Vec<u8> {
    let picture = photograph(640, 360, seed + 1_000);
    let mut bytes = Vec::new();
    let encoder = jpeg_encoder::Encoder::new(&mut bytes, 90);
    encoder.encode(picture.as_raw(), 640, 360, jpeg_encoder::ColorType::Rgb).unwrap();
    bytes
}

fn has_ffmpeg() -> bool {
    Command::new("ffmpeg").arg("-version").output().is_ok_and(|output| output.status.success())
}

/// Runs hashgate with a PATH on which there is no other program, so no ffmpeg either.
fn without_path(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_hashgate"))
        .args(arguments)
        .current_dir(folder)
        .env("PATH", folder)
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn without_ffmpeg_a_film_is_unchecked_and_a_sentence_says_what_to_do() {
    let folder = folder();
    let folder = folder.path();
    fs::write(folder.join("film.mov"), film(0, 4)).unwrap();
    write(folder, "list", &format!("pdq {}\n", digests(1)[0]));
    assert_eq!(build(folder, &["list"]).code, 0);
    let (code, out, _) = without_path(folder, &["check", "--filter", "demo.hgf", "film.mov"]);
    assert_eq!(code, 2, "{out}");
    assert!(out.contains("unchecked (unsupported-film): ffmpeg: expected one on the PATH"), "{out}");
    assert!(out.contains("apt install ffmpeg"), "{out}");
    let (code, out, err) = without_path(folder, &["hash", "film.mov"]);
    assert_eq!(code, 2, "{out}");
    assert!(err.contains("film.mov: ffmpeg: expected one on the PATH"), "{err}");
}

#[test]
fn the_digest_of_a_film_needs_no_ffmpeg() {
    let folder = folder();
    let folder = folder.path();
    let bytes = film(0, 4);
    fs::write(folder.join("film.mov"), &bytes).unwrap();
    let digest = hashgate::digest::Sha256Digest::of(&bytes);
    write(folder, "list", &format!("video_sha256 {digest}\n"));
    assert_eq!(build(folder, &["list"]).code, 0);
    let (code, out, _) = without_path(folder, &["check", "--filter", "demo.hgf", "film.mov"]);
    assert_eq!(code, 1, "{out}");
    assert!(out.contains("sha256 of the bytes"), "{out}");
}

#[test]
fn a_film_is_found_by_its_frames_and_another_is_clear() {
    let folder = folder();
    let folder = folder.path();
    fs::write(folder.join("listed.mov"), film(0, 12)).unwrap();
    // `copy.mov` shows four of the listed film's pictures, `one.mov` shows one of them, and `other.mov` none.
    fs::write(folder.join("copy.mov"), film(8, 12)).unwrap();
    fs::write(folder.join("one.mov"), film(11, 12)).unwrap();
    fs::write(folder.join("other.mov"), film(50, 12)).unwrap();
    if !has_ffmpeg() {
        // Without ffmpeg, only the index of a film can be tested.
        let bytes = film(0, 12);
        let info = hashgate_film::Film::open(&*bytes, bytes.len() as u64).unwrap().info();
        assert_eq!((info.duration_s, info.tracks[0].samples), (6.0, Some(12)));
        return;
    }
    let run = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_hashgate")).args(arguments).current_dir(folder).output().unwrap();
        (
            output.status.code().unwrap(),
            String::from_utf8(output.stdout).unwrap(),
            String::from_utf8(output.stderr).unwrap(),
        )
    };
    let (code, csv, err) = run(&["hash", "listed.mov"]);
    assert_eq!(code, 0, "{err}");
    let rows: Vec<_> = csv.lines().collect();
    assert_eq!(rows[0], "path,width,height,pdq,quality,sha256,md5,seconds");
    assert_eq!(rows.len(), 2 + 12, "digests, and a row per picture: {csv}");
    // The frame's hash is nearly that of the picture that the film shows.
    fs::write(folder.join("still.jpg"), jpeg(3)).unwrap();
    let still = run(&["hash", "still.jpg"]).1;
    let hash = |row: &str| -> hashgate::pdq::PdqHash { row.split(',').nth(3).unwrap().parse().unwrap() };
    let distance = hash(rows[2 + 3]).distance(&hash(still.lines().nth(1).unwrap()));
    assert!(distance <= 8, "{distance} bits");
    let frames: Vec<_> = rows.iter().filter(|row| row.split(',').nth(3) != Some("")).copied().collect();
    write(folder, "frames.csv", &frames.join("\n"));
    let built = build(folder, &["frames.csv", "--frames"]);
    assert_eq!(built.code, 0, "{}", built.err);
    assert!(inspect(folder).to_string().contains("1000000"), "a rate of 1e-6: {}", inspect(folder));
    let (code, out, _) = run(&["check", "--filter", "demo.hgf", "copy.mov"]);
    assert_eq!(code, 1, "{out}");
    assert!(out.contains("several-frames") && out.contains("distinct keys"), "{out}");
    let (code, out, _) = run(&["check", "--filter", "demo.hgf", "one.mov"]);
    assert_eq!(code, 0, "{out}");
    assert!(out.contains("clear") && out.contains("too few to hold the film"), "{out}");
    let (code, out, _) = run(&["check", "--filter", "demo.hgf", "other.mov", "--format", "jsonl"]);
    assert_eq!(code, 0, "{out}");
    assert!(out.contains("\"decodedBy\":\"ffmpeg\"") && out.contains("\"durationS\":6"), "{out}");
    // Frames that several films share are reported, and left out if asked for.
    let (_, both, err) = run(&["hash", "listed.mov", "copy.mov"]);
    assert!(err.contains("8 frames are in several films"), "{err}");
    let (_, less, _) = run(&["hash", "listed.mov", "copy.mov", "--leave-out", "still.jpg"]);
    assert_eq!(both.lines().count() - less.lines().count(), 1);
    // A film that is cut short isn't clear.
    let whole = film(50, 12);
    fs::write(folder.join("cut.mov"), &whole[..whole.len() / 2]).unwrap();
    assert_eq!(run(&["check", "--filter", "demo.hgf", "cut.mov"]).0, 2);
}
