//! Tests hostile file names and files. No escape sequence may reach a terminal, no formula a spreadsheet, and no file
//! may change another file's verdict.

use super::support::*;

const ONE: [&str; 4] = ["build", "list", "--out", "demo.hgf"];

fn demo_filter(folder: &Path) {
    write(folder, "list", &format!("pdq {}\n", digests(1)[0]));
    let built = hashgate(folder, &[&ONE[..], &["--name", "Demo", "--category", "drawn"]].concat());
    assert_eq!(built.code, 0, "{}", built.err);
}

#[cfg(unix)]
#[test]
fn a_files_name_stays_on_its_line_and_does_nothing_to_a_terminal() {
    let folder = folder();
    let folder = folder.path();
    demo_filter(folder);
    let names = [
        "a\nb.png: clear\n.png",
        "\u{1b}]0;title\u{7}.png",
        "\u{9b}2J.png",
        "gnp.\u{202e}fdp.png",
        "tab\tand\rreturn.png",
    ];
    for name in names {
        save(folder, &format!("files/{name}"), &draw(1));
        write(folder, &format!("files/{name}.txt"), "not a picture");
    }
    let hidden = |text: &str| text.chars().any(|c| c != '\n' && (c.is_control() || c == '\u{202e}'));
    for args in [
        &["check", "--filter", "demo.hgf", "files"][..],
        &["check", "--filter", "demo.hgf", "--format", "jsonl", "files"],
        &["hash", "files"],
        &["hash", "--format", "jsonl", "files"],
        &["check", "--filter", names[0], "files"],
        &["build", names[1], "--out", "o", "--name", "n", "--category", "c"],
        &["inspect", names[2]],
        &[names[3]],
        &["hash", &format!("--{}", names[1]), "files"],
    ] {
        let run = hashgate(folder, args);
        assert!(!hidden(&run.out) && !hidden(&run.err), "{args:?}: {:?} {:?}", run.out, run.err);
    }
    let text = hashgate(folder, &["check", "--filter", "demo.hgf", "files"]).out;
    assert_eq!(text.lines().count(), 2 * names.len(), "{text}");
    assert!(text.contains("files/a\\nb.png: clear\\n.png: clear\n"), "{text}");
    // JSON has the exact names.
    for args in
        [&["check", "--filter", "demo.hgf", "--format", "json", "files"][..], &["hash", "--format", "jsonl", "files"]]
    {
        let lines = json_lines(&hashgate(folder, args).out);
        for name in names {
            assert!(lines.iter().any(|line| line["path"] == format!("files/{name}")), "{name:?}");
        }
    }
}

#[test]
fn no_cell_of_csv_is_a_formula_and_the_list_can_be_read_again() {
    let folder = folder();
    let folder = folder.path();
    let names = ["=HYPERLINK(A1).png", "+1.png", "-1.png", "@SUM(A1).png", "plain.png"];
    for (seed, name) in (1..).zip(names) {
        save(folder, name, &draw(seed));
    }
    // Passes the names after `--`, as a careful script does.
    let hashed = hashgate(folder, &[&["hash", "--"], &names[..]].concat());
    assert_eq!((hashed.code, hashed.err.as_str()), (0, ""));
    for (line, name) in hashed.out.lines().skip(1).zip(names) {
        let cell = line.split(',').next().unwrap();
        assert!(cell.starts_with(|c: char| c == '.' || c.is_ascii_lowercase()), "{cell}");
        assert!(folder.join(cell).is_file() && cell.ends_with(name), "{cell}");
    }
    write(folder, "list.csv", &hashed.out);
    assert_eq!(build(folder, &["list.csv"]).code, 0);
    assert_eq!(counts(&inspect(folder)), [5, 5, 5]);
}

#[test]
fn a_lists_name_shows_every_one_of_its_characters() {
    let folder = folder();
    let folder = folder.path();
    write(folder, "list", &format!("pdq {}\n", digests(1)[0]));
    for (name, category) in [("De\u{202e}mo", "drawn"), ("Demo", "dra\u{200b}wn"), ("De\nmo", "drawn"), ("", "drawn")] {
        let refused = hashgate(folder, &[&ONE[..], &["--name", name, "--category", category]].concat());
        assert!(refused.code == 2 && refused.err.contains("expected"), "{name:?}: {}", refused.err);
        assert!(!refused.err.contains('\u{202e}') && !refused.err.contains('\u{200b}'), "{:?}", refused.err);
    }
    write(folder, "categories.csv", &format!("hash,type,category\n{},pdq,a\u{202e}b\n", digests(1)[0]));
    let refused = build(folder, &["categories.csv"]);
    assert!(
        refused.err.contains("categories.csv:2: category: expected visible characters, got U+202E"),
        "{}",
        refused.err
    );
}

/// Limits the address space so that no file fits into memory as a whole.
#[cfg(target_os = "linux")]
#[test]
fn a_file_takes_no_more_memory_than_its_kind_needs() {
    let folder = folder();
    let folder = folder.path();
    demo_filter(folder);
    let sparse = |name: &str, start: &[u8]| {
        fs::write(folder.join(name), start).unwrap();
        fs::File::options().write(true).open(folder.join(name)).unwrap().set_len(200 << 20).unwrap();
    };
    sparse("film.mp4", b"\0\0\0\x18ftypisom\0\0\0\0isomavc1");
    sparse("large.gif", b"GIF89a");
    // 350 MB for the program, its threads and two files of 210 MB.
    let script = format!(
        "ulimit -v 350000; exec {} check --filter demo.hgf --format jsonl --max-file-bytes 100000000 --threads 2 \
         film.mp4 large.gif",
        env!("CARGO_BIN_EXE_hashgate")
    );
    let output =
        Command::new("sh").args(["-c", &script]).env("MALLOC_ARENA_MAX", "1").current_dir(folder).output().unwrap();
    let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert_eq!((output.status.code(), err.as_str()), (Some(2), ""), "{out}");
    let lines = json_lines(&out);
    // A long film without an index is `unreadable`, not `too-large`.
    let reasons: Vec<_> = lines.iter().map(|line| line["reason"].as_str().unwrap()).collect();
    assert_eq!(reasons, ["unreadable", "too-large"], "{out}");
    assert!(lines.iter().all(|line| line["sha256"].as_str().is_some_and(|digest| digest.len() == 64)), "{out}");
}

#[test]
fn the_length_of_files_is_bounded() {
    let folder = folder();
    let folder = folder.path();
    demo_filter(folder);
    save(folder, "a.png", &draw(1));
    let length = fs::metadata(folder.join("a.png")).unwrap().len();
    for (most, expected) in [(length, "a.png: clear"), (length - 1, "unchecked (too-large): file size in bytes")] {
        let most = most.to_string();
        let run = hashgate(folder, &["check", "--filter", "demo.hgf", "--max-file-bytes", &most, "a.png"]);
        assert!(run.out.contains(expected), "{}", run.out);
    }
    // Digests are looked up nevertheless.
    let bytes = fs::read(folder.join("a.png")).unwrap();
    write(folder, "list", &format!("sha256 {}\n", hashgate::digest::Sha256Digest::of(&bytes)));
    assert_eq!(build(folder, &["list"]).code, 0);
    let run = hashgate(folder, &["check", "--filter", "demo.hgf", "--max-file-bytes", "10", "a.png"]);
    assert!(run.code == 1 && run.out.contains("possible match"), "{}", run.out);
}

#[test]
fn no_file_ends_a_batch() {
    let folder = folder();
    let folder = folder.path();
    demo_filter(folder);
    save(folder, "a.png", &draw(1));
    save(folder, "c.png", &draw(2));
    fs::write(folder.join("b.png"), odd_palette()).unwrap();
    for args in [&["check", "--filter", "demo.hgf"][..], &["hash", "--format", "jsonl"]] {
        let run = hashgate(folder, &[args, &["a.png", "b.png", "c.png"]].concat());
        assert!(run.code <= 2 && run.out.lines().count() == 3 && run.err.is_empty(), "{} {}", run.out, run.err);
        assert!(run.out.contains("a.png") && run.out.contains("c.png"), "{}", run.out);
    }
}

/// A PNG whose palette has 4 bytes, which isn't a multiple of 3.
fn odd_palette() -> Vec<u8> {
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut chunk = |kind: &[u8; 4], data: &[u8]| {
        png.extend((data.len() as u32).to_be_bytes());
        let start = png.len();
        png.extend(kind);
        png.extend(data);
        let crc = !png[start..].iter().fold(!0u32, |crc, &byte| {
            (0..8).fold(crc ^ u32::from(byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 })
        });
        png.extend(crc.to_be_bytes());
    };
    chunk(b"IHDR", &[0, 0, 0, 8, 0, 0, 0, 8, 8, 3, 0, 0, 0]);
    chunk(b"PLTE", &[1, 2, 3, 4]);
    // One stored block of 8 rows, each with its filter type and 8 pixels; all zero, so the Adler-32 is 72 << 16 | 1.
    let mut data = vec![0x78, 1, 1, 72, 0, !72, 0xff];
    data.extend([0; 72]);
    data.extend([0, 72, 0, 1]);
    chunk(b"IDAT", &data);
    chunk(b"IEND", &[]);
    png
}
