//! Checks films on the command line with ffmpeg, and what is said if there is no ffmpeg.

use hashgate_testkit::film::{FilmSample, Mp4, visual_entry};
use hashgate_testkit::photograph;

use super::support::*;

/// A film of photographs in motion JPEG, one for half a second each, which needs no encoder.
pub fn film(first: u32, pictures: u32) -> Vec<u8> {
    film_of((first..first + pictures).map(jpeg).collect())
}

/// A recording of a screen on which that film plays.
fn recording(first: u32, pictures: u32) -> Vec<u8> {
    let screen = photograph(1024, 768, 7);
    let frame = |seed: u32| {
        let mut frame = screen.clone();
        imageops::replace(&mut frame, &photograph(640, 360, seed + 1_000), 160, 240);
        encoded(&frame)
    };
    film_of((first..first + pictures).map(frame).collect())
}

fn film_of(pictures: Vec<Vec<u8>>) -> Vec<u8> {
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
    encoded(&photograph(640, 360, seed + 1_000))
}

fn encoded(picture: &RgbImage) -> Vec<u8> {
    let mut bytes = Vec::new();
    let encoder = jpeg_encoder::Encoder::new(&mut bytes, 90);
    let (width, height) = (picture.width() as u16, picture.height() as u16);
    encoder.encode(picture.as_raw(), width, height, jpeg_encoder::ColorType::Rgb).unwrap();
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

/// Runs hashgate in a folder. Returns its code, its output and its error output.
fn run(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    let made = hashgate(folder, arguments);
    (made.code, made.out, made.err)
}

#[test]
fn a_recording_of_a_screen_is_found_by_the_part_that_moves() {
    if !has_ffmpeg() {
        return;
    }
    let folder = folder();
    let folder = folder.path();
    fs::write(folder.join("film.mov"), film(0, 12)).unwrap();
    fs::write(folder.join("recording.mov"), recording(0, 12)).unwrap();
    for (listed, checked) in [("film.mov", "recording.mov"), ("recording.mov", "film.mov")] {
        let (code, csv, err) = run(folder, &["hash", listed]);
        assert_eq!(code, 0, "{err}");
        // Of the recording, the frames and the part of each that moves.
        assert_eq!(csv.lines().count(), 2 + if listed == "film.mov" { 12 } else { 24 }, "{csv}");
        let frames: Vec<_> = csv.lines().filter(|row| row.split(',').nth(3) != Some("")).collect();
        write(folder, "frames.csv", &frames.join("\n"));
        assert_eq!(build(folder, &["frames.csv", "--frames"]).code, 0);
        let (code, out, _) = run(folder, &["check", "--filter", "demo.hgf", checked]);
        assert_eq!(code, 1, "{checked} with {listed} listed: {out}");
        fs::remove_file(folder.join("demo.hgf")).unwrap();
    }
}

#[test]
fn no_name_or_content_makes_ffmpeg_read_anything_else() {
    if !has_ffmpeg() {
        return;
    }
    let folder = folder();
    let folder = folder.path();
    let bytes = film(0, 4);
    let names = ["-film.mov", "concat:a|b.mov", "http:film.mov", "pipe:0", "subfile,,start,0,,:x.mov", "%d.mov"];
    for name in names {
        fs::write(folder.join(name), &bytes).unwrap();
        let (code, csv, err) = run(folder, &["hash", "--", name]);
        assert_eq!((code, csv.lines().count()), (0, 2 + 4), "{name}: {csv}{err}");
    }
    // Playlists name other files. They are no films, whatever they are called.
    fs::write(folder.join("film.mov"), &bytes).unwrap();
    let path = folder.join("film.mov").display().to_string();
    for (name, text) in [
        ("list.m3u8", format!("#EXTM3U\n#EXTINF:2,\nfile:{path}\n#EXT-X-ENDLIST\n")),
        ("list.mp4", format!("ffconcat version 1.0\nfile '{path}'\n")),
        ("list.sdp", "v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nm=video 9 RTP/AVP 96\n".to_owned()),
    ] {
        fs::write(folder.join(name), text).unwrap();
        let (code, csv, _) = run(folder, &["hash", name]);
        assert_eq!((code, csv.lines().count()), (2, 1), "{name}: {csv}");
    }
    // A playlist behind the first bytes of a film is read as what these say.
    let mut disguised = b"\0\0\0\x10ftypisom\0\0\0\0\n".to_vec();
    disguised.extend(format!("#EXTM3U\n#EXTINF:2,\nfile:{path}\n").bytes());
    fs::write(folder.join("disguised.mp4"), disguised).unwrap();
    let (code, csv, _) = run(folder, &["hash", "disguised.mp4"]);
    assert_eq!((code, csv.lines().count()), (2, 1), "{csv}");
}

#[cfg(unix)]
mod hanging {
    use std::os::unix::fs::PermissionsExt;
    use std::time::{Duration, Instant};

    use super::*;

    /// Puts an ffmpeg into the folder that says its version and then never ends, as does a program that it starts. It
    /// writes the number of that program to the file `pid`.
    fn hanging(folder: &Path) {
        let script = "#!/bin/sh\ncase \"$*\" in *-version*) echo ffmpeg version 7.1; exit;; esac\n\
             sleep 600 &\necho $! > pid.new\nmv pid.new pid\nwait\n";
        fs::write(folder.join("ffmpeg"), script).unwrap();
        fs::set_permissions(folder.join("ffmpeg"), fs::Permissions::from_mode(0o755)).unwrap();
        fs::write(folder.join("film.mov"), film(0, 4)).unwrap();
        write(folder, "list", &format!("pdq {}\n", digests(1)[0]));
        assert_eq!(build(folder, &["list"]).code, 0);
    }

    fn check(folder: &Path, more: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hashgate"));
        let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
        command.args(["check", "--filter", "demo.hgf", "film.mov"]).args(more).current_dir(folder).env("PATH", path);
        command
    }

    fn lives(pid: &str) -> bool {
        // The state of a process that ended and that nobody has asked about is Z.
        let output = Command::new("ps").args(["-o", "stat=", "-p", pid]).output().unwrap();
        let state = String::from_utf8(output.stdout).unwrap();
        !state.trim().is_empty() && !state.starts_with('Z')
    }

    /// Waits until something holds, for up to a minute.
    fn wait_for(what: impl Fn() -> bool) -> bool {
        let start = Instant::now();
        while !what() {
            if start.elapsed() > Duration::from_secs(60) {
                return false;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        true
    }

    #[test]
    fn a_film_over_which_ffmpeg_hangs_is_unchecked_in_time() {
        let folder = folder();
        let folder = folder.path();
        hanging(folder);
        let start = Instant::now();
        let output = check(folder, &["--film-timeout", "1"]).output().unwrap();
        assert!(start.elapsed() < Duration::from_secs(60), "{:?}", start.elapsed());
        let out = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(2), "{out}");
        assert!(out.contains("unchecked (too-large): ffmpeg: expected an end within 1 s (--film-timeout)"), "{out}");
        let pid = fs::read_to_string(folder.join("pid")).unwrap();
        assert!(wait_for(|| !lives(pid.trim())), "what ffmpeg started goes on");
    }

    #[test]
    fn ffmpeg_ends_when_hashgate_is_interrupted() {
        let folder = folder();
        let folder = folder.path();
        hanging(folder);
        for signal in ["-TERM", "-INT"] {
            let mut child = check(folder, &[]).spawn().unwrap();
            assert!(wait_for(|| folder.join("pid").exists()), "ffmpeg was started");
            let pid = fs::read_to_string(folder.join("pid")).unwrap();
            assert!(lives(pid.trim()));
            Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
            assert_eq!(child.wait().unwrap().code(), Some(130));
            assert!(wait_for(|| !lives(pid.trim())), "what ffmpeg started goes on");
            fs::remove_file(folder.join("pid")).unwrap();
        }
    }
}
