//! The real binary on real files: drawn pictures, lists of every kind, and the hostile files.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use image::{Rgb, RgbImage, imageops};
use serde_json::Value;
use tempfile::TempDir;

use hashgate_testkit::hostile::{self, Expect};

struct Run {
    code: i32,
    out: String,
    err: String,
}

fn hashgate(folder: &Path, args: &[&str]) -> Run {
    let Output { status, stdout, stderr } =
        Command::new(env!("CARGO_BIN_EXE_hashgate")).args(args).current_dir(folder).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Run { code: status.code().unwrap(), out: text(stdout), err: text(stderr) }
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// A picture with something at every scale.
fn draw(seed: u32) -> RgbImage {
    let waves: Vec<[f32; 3]> = (0..24u32)
        .map(|n| {
            let hash = (n + 97 * seed + 1).wrapping_mul(2_654_435_761);
            [(hash >> 8 & 15) as f32 - 7.5, (hash >> 16 & 15) as f32 - 7.5, (hash >> 24) as f32]
        })
        .collect();
    RgbImage::from_fn(320, 240, |x, y| {
        let (u, v) = (x as f32 / 320.0, y as f32 / 240.0);
        let sum: f32 = waves.iter().map(|[a, b, c]| (6.3 * (a * u + b * v) + c).sin() / (1.0 + a.hypot(*b))).sum();
        let value = (128.0 + 60.0 * sum).clamp(0.0, 255.0) as u8;
        Rgb([value, value / 2 + 40, 255 - value])
    })
}

fn save(folder: &Path, name: &str, picture: &RgbImage) -> PathBuf {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    picture.save(&path).unwrap();
    path
}

fn write(folder: &Path, name: &str, text: &str) {
    fs::write(folder.join(name), text).unwrap();
}

fn json_lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Numbered digests, as text.
fn digests(count: u32) -> Vec<String> {
    (0..count).map(|n| hashgate::digest::Sha256Digest::of(&n.to_le_bytes()).to_string()).collect()
}

const BUILD: [&str; 6] = ["--out", "demo.hgf", "--name", "Demo", "--category", "drawn pictures"];

fn build(folder: &Path, args: &[&str]) -> Run {
    hashgate(folder, &[&["build"], args, &BUILD].concat())
}

fn inspect(folder: &Path) -> Value {
    serde_json::from_str(&hashgate(folder, &["inspect", "--format", "json", "demo.hgf"]).out).unwrap()
}

fn counts(info: &Value) -> [u64; 3] {
    ["pdqCount", "sha256Count", "md5Count"].map(|field| info[field].as_u64().unwrap())
}

#[test]
fn from_pictures_to_a_filter_to_verdicts() {
    let folder = folder();
    let folder = folder.path();
    save(folder, "listed/a.png", &draw(1));
    save(folder, "listed/deeper/b.jpg", &draw(2));
    let hashed = hashgate(folder, &["hash", "listed"]);
    assert_eq!((hashed.code, hashed.err.as_str()), (0, ""));
    let lines: Vec<_> = hashed.out.lines().collect();
    assert_eq!(lines[0], "path,width,height,pdq,quality,sha256,md5");
    assert!(lines[1].starts_with("listed/a.png,320,240,") && lines[2].starts_with("listed/deeper/b.jpg,320,240,"));
    assert_eq!(lines.len(), 3);
    write(folder, "list.csv", &hashed.out);

    let built = build(folder, &["list.csv"]);
    assert_eq!(built.code, 0, "{}", built.err);
    assert!(built.out.contains("distinct: 2 PDQ, 2 SHA-256, 2 MD5"), "{}", built.out);
    assert_eq!(counts(&inspect(folder)), [2, 2, 2]);

    save(folder, "clean/c.png", &draw(3));
    save(folder, "edited/a-small.jpg", &imageops::resize(&draw(1), 200, 150, imageops::FilterType::Triangle));
    write(folder, "broken.png", "this is not a picture");
    let check = |paths: &[&str]| {
        let run = hashgate(folder, &[&["check", "--filter", "demo.hgf", "--format", "jsonl"], paths].concat());
        (run.code, json_lines(&run.out))
    };
    let (code, clean) = check(&["clean"]);
    assert_eq!((code, &clean[0]["outcome"]), (0, &"clear".into()));
    assert_eq!(clean[0]["path"], "clean/c.png");
    assert_eq!(clean[0]["sha256"].as_str().unwrap().len(), 64);
    assert_eq!(clean[0]["pdq"].as_str().unwrap().len(), 64);
    assert!(clean[0]["quality"].as_u64().unwrap() >= 50);

    let (code, all) = check(&["clean", "listed", "edited"]);
    assert_eq!(code, 1);
    let outcome: Vec<_> = all.iter().map(|line| line["outcome"].as_str().unwrap()).collect();
    assert_eq!(outcome, ["clear", "possible-match", "possible-match", "possible-match"]);
    assert_eq!(all[1]["matches"][0]["strength"], "exact-bytes");
    assert_eq!(all[3]["matches"][0]["list"], "Demo");
    assert_eq!(all[3]["matches"][0]["signal"], "pdq");

    let (code, mixed) = check(&["broken.png", "listed/a.png", "missing.png"]);
    assert_eq!(code, 2);
    assert_eq!((&mixed[0]["outcome"], &mixed[0]["reason"]), (&"unchecked".into(), &"not-a-picture".into()));
    assert_eq!(mixed[1]["outcome"], "possible-match");
    assert_eq!((&mixed[2]["outcome"], &mixed[2]["reason"]), (&"unchecked".into(), &"unreadable".into()));

    let text = hashgate(folder, &["check", "--filter", "demo.hgf", "clean/c.png", "listed/a.png"]).out;
    assert!(text.starts_with("clean/c.png: clear\nlisted/a.png: possible match: Demo (drawn pictures)"), "{text}");
}

#[test]
fn what_was_left_unread_of_a_progressive_file_is_said() {
    let folder = folder();
    let folder = folder.path();
    save(folder, "listed/a.png", &draw(1));
    write(folder, "list.csv", &hashgate(folder, &["hash", "listed"]).out);
    assert_eq!(build(folder, &["list.csv"]).code, 0);
    let picture = imageops::resize(&draw(3), 1200, 900, imageops::FilterType::Triangle);
    for (name, progressive, said) in
        [("b.jpg", false, "clear"), ("p.jpg", true, "clear, with the caveat ac-terms-unread")]
    {
        let mut bytes = Vec::new();
        let mut encoder = jpeg_encoder::Encoder::new(&mut bytes, 90);
        encoder.set_progressive(progressive);
        encoder.encode(&picture, 1200, 900, jpeg_encoder::ColorType::Rgb).unwrap();
        fs::write(folder.join(name), bytes).unwrap();
        let run = hashgate(folder, &["check", "--filter", "demo.hgf", name]);
        assert_eq!((run.code, run.out.trim_end()), (0, format!("{name}: {said}").as_str()), "{}", run.err);
    }
}

#[test]
fn a_file_that_cannot_be_read_gets_its_own_error_and_the_rest_go_on() {
    let folder = folder();
    let folder = folder.path();
    save(folder, "a.png", &draw(1));
    write(folder, "b.png", "no picture");
    save(folder, "c.png", &draw(2));
    let csv = hashgate(folder, &["hash", "--threads", "1", "a.png", "b.png", "missing", "c.png"]);
    assert_eq!((csv.code, csv.out.lines().count()), (2, 3));
    assert!(csv.err.contains("b.png: ") && csv.err.contains("missing: "), "{}", csv.err);

    let jsonl = hashgate(folder, &["hash", "--format", "jsonl", "."]);
    let lines = json_lines(&jsonl.out);
    assert_eq!((jsonl.code, lines.len(), jsonl.err.as_str()), (2, 3, ""));
    assert!(lines[0]["error"].is_null() && lines[2]["error"].is_null());
    assert!(lines[1]["error"].as_str().unwrap().len() > 10);
    // The bytes have a digest all the same.
    assert_eq!(lines[1]["sha256"].as_str().unwrap().len(), 64);
}

#[test]
fn lists_of_every_kind_are_read() {
    let d = digests(8);
    let md5 = &d[0][..32];
    let lists = [
        ("hash,type\n{0},pdq\n{1},sha256\n{m},md5\n", [1, 1, 1]),
        // Columns in any order, further ones, quoted fields, Windows line ends, a byte order mark.
        ("\u{feff}note,quality,Type,HASH,category\r\n\"a, b\",100,PDQ,{0},x\r\n,,SHA-256,{1},\r\n", [1, 1, 0]),
        (
            "{\"hash\":\"{0}\",\"type\":\"pdq\",\"quality\":90}\n\n{\"hash\":\"{1}\",\"type\":\"sha256\",\"more\":1}\n",
            [1, 1, 0],
        ),
        ("{\"path\":\"a.jpg\",\"pdq\":\"{0}\",\"quality\":100,\"sha256\":\"{1}\",\"md5\":\"{m}\"}\n", [1, 1, 1]),
        // `threatexchange dataset -P --csv` and `-P --print-signals-only`, of threatexchange 1.2.17.
        (
            "signal_type,signal_str,collab,category,tags\npdq,{0},Sample Signals,INVESTIGATION_SEED,\n\
             raw_text,\"The quick, brown fox\",Sample Signals,INVESTIGATION_SEED,\n\
             video_md5,{m},Sample Signals,INVESTIGATION_SEED,\npdq,{2},Sample Signals,INVESTIGATION_SEED,a b\n",
            [2, 0, 0],
        ),
        (
            "trend_query {\"and\": [{\"or\": [\"a\", \"b\"]}], \"not\": [\"c\"]}\nvideo_md5 {m}\n\
             url https://example.org/?a=1,2\nraw_text The quick brown fox jumps\npdq {0}\npdq {2}\n",
            [2, 0, 0],
        ),
    ];
    for (text, expected) in lists {
        let folder = folder();
        let text = text.replace("{0}", &d[0]).replace("{1}", &d[1]).replace("{2}", &d[2]).replace("{m}", md5);
        write(folder.path(), "list", &text);
        let built = build(folder.path(), &["list"]);
        assert_eq!(built.code, 0, "{text}: {}", built.err);
        assert_eq!(counts(&inspect(folder.path())), expected, "{text}");
    }
    for (kind, expected) in [("pdq", [2, 0, 0]), ("sha256", [0, 2, 0])] {
        let folder = folder();
        write(folder.path(), "list.txt", &format!("{}\n{}\n", d[0], d[1].to_uppercase()));
        assert_eq!(build(folder.path(), &["list.txt", "--type", kind]).code, 0);
        assert_eq!(counts(&inspect(folder.path())), expected);
    }
}

#[test]
fn what_is_left_out_is_counted() {
    let folder = folder();
    let folder = folder.path();
    let d = digests(3);
    write(folder, "list.csv", &format!("hash,type,quality\n{},pdq,49\n{},pdq,50\n{},video_md5,\n", d[0], d[1], d[2]));
    let built = build(folder, &["list.csv"]);
    assert_eq!(built.code, 0, "{}", built.err);
    assert!(built.out.contains("left out: 1 PDQ hashes of quality under 50"), "{}", built.out);
    assert!(built.out.contains("left out: 1 of type video_md5"), "{}", built.out);
    assert_eq!(counts(&inspect(folder)), [1, 0, 0]);
}

#[test]
fn bad_lines_are_named_and_fail_the_build_unless_skipped() {
    let folder = folder();
    let folder = folder.path();
    let d = digests(1);
    let good = format!("{},pdq,\n", d[0]);
    let bad =
        ["12,pdq,\n", "zz,sha256,\n", &format!("{},pqd,\n", d[0]), &format!("{},pdq,101\n", d[0]), ",pdq,\n", "one\n"];
    write(folder, "list.csv", &format!("hash,type,quality\n{good}{}", bad.concat()));
    let refused = build(folder, &["list.csv"]);
    assert_eq!(refused.code, 2);
    for line in 3..=8 {
        assert!(refused.err.contains(&format!("list.csv:{line}: ")), "line {line}: {}", refused.err);
    }
    assert!(refused.err.contains("expected 64 hexadecimal digits, got 2 characters"), "{}", refused.err);
    assert!(refused.err.contains("6 bad lines"), "{}", refused.err);
    assert!(!folder.join("demo.hgf").exists());
    let skipped = build(folder, &["list.csv", "--skip-bad"]);
    assert_eq!(skipped.code, 0);
    assert!(skipped.out.contains("left out: 6 bad lines"), "{}", skipped.out);

    write(folder, "bad.jsonl", "{\"hash\":1}\n");
    assert!(build(folder, &["bad.jsonl"]).err.contains("bad.jsonl:1: expected a JSON object with a hash"));
    write(folder, "columns.csv", "a,b\n1,2\n");
    assert!(build(folder, &["columns.csv"]).err.contains("columns.csv:1: header: expected the columns hash and type"));
    write(folder, "untyped.txt", &d[0]);
    assert!(build(folder, &["untyped.txt"]).err.contains("untyped.txt:1: type: expected a type, or --type"));
    fs::write(folder.join("latin1.txt"), b"ab\n\xff\n").unwrap();
    assert!(build(folder, &["latin1.txt"]).err.contains("latin1.txt:2: expected UTF-8"));
    assert!(build(folder, &["missing.csv"]).err.contains("missing.csv: "));
}

#[test]
fn the_same_list_gives_the_same_bytes() {
    let folder = folder();
    let folder = folder.path();
    let d = digests(200);
    let list = |digests: &mut dyn Iterator<Item = &String>| {
        digests.map(|digest| format!("pdq {digest}\n")).collect::<String>()
    };
    write(folder, "list", &list(&mut d.iter()));
    write(folder, "reversed", &list(&mut d.iter().rev().chain(&d[..7])));
    let bytes = |args: &[&str]| {
        assert_eq!(build(folder, args).code, 0);
        fs::read(folder.join("demo.hgf")).unwrap()
    };
    let first = bytes(&["list"]);
    assert_eq!(first, bytes(&["list"]), "a second time");
    assert_eq!(bytes(&["list", "--built-at", "1700000000"]), bytes(&["reversed", "--built-at", "1700000000"]));
    assert_eq!(inspect(folder)["builtAtUnixS"], 1_700_000_000);
}

#[test]
fn only_what_enough_lists_hold() {
    let folder = folder();
    let folder = folder.path();
    let d = digests(3);
    // A list that says a hash twice is still one source.
    write(folder, "one", &format!("pdq {0}\npdq {0}\npdq {1}\n", d[0], d[1]));
    write(folder, "two", &format!("pdq {}\npdq {}\n", d[1], d[2]));
    assert_eq!(build(folder, &["one", "two", "--require-sources", "2"]).code, 0);
    assert_eq!(counts(&inspect(folder)), [1, 0, 0]);
    let refused = build(folder, &["one", "--require-sources", "2"]);
    assert!(refused.err.contains("--require-sources: expected 1 to 1"), "{}", refused.err);
}

#[test]
fn what_is_impossible_or_damaged_is_refused_by_name() {
    let folder = folder();
    let folder = folder.path();
    write(folder, "list", &format!("pdq {}\n", digests(1)[0]));
    for (args, expected) in [
        (["--rings", "5"], "rings: expected 1 to 4, got 5"),
        (["--escalation", "0"], "image false-positive rate: expected"),
        (["--escalation", "1e-13"], "image false-positive rate: expected"),
        (["--probe-budget", "65537"], "lookup budget: expected 1 to 65536"),
    ] {
        let refused = build(folder, &[&["list"][..], &args].concat());
        assert_eq!(refused.code, 2);
        assert!(refused.err.contains(expected), "{args:?}: {}", refused.err);
    }
    assert_eq!(build(folder, &["list"]).code, 0);
    let mut file = fs::read(folder.join("demo.hgf")).unwrap();
    *file.last_mut().unwrap() ^= 1;
    fs::write(folder.join("damaged.hgf"), file).unwrap();
    save(folder, "a.png", &draw(1));
    for args in [&["inspect", "damaged.hgf"][..], &["check", "--filter", "damaged.hgf", "a.png"]] {
        let refused = hashgate(folder, args);
        assert_eq!(refused.code, 2);
        assert!(refused.err.contains("damaged.hgf: checksum: expected"), "{}", refused.err);
    }
}

#[test]
fn hostile_files_are_unchecked_with_a_reason() {
    let folder = folder();
    let files = hostile::files();
    for file in &files {
        fs::write(folder.path().join(&file.name), &file.bytes).unwrap();
    }
    let list = folder.path().with_extension("list");
    fs::write(&list, format!("pdq {}\n", digests(1)[0])).unwrap();
    let filter = folder.path().with_extension("hgf");
    let paths = [list.to_str().unwrap(), filter.to_str().unwrap()];
    let built = ["build", paths[0], "--out", paths[1], "--name", "Demo", "--category", "drawn"];
    assert_eq!(hashgate(folder.path(), &built).code, 0);
    let checked = hashgate(folder.path(), &["check", "--filter", paths[1], "--format", "jsonl", "."]);
    fs::remove_file(list).unwrap();
    fs::remove_file(filter).unwrap();
    assert_eq!((checked.code, checked.err.as_str()), (2, ""));
    let lines = json_lines(&checked.out);
    assert_eq!(lines.len(), files.len());
    for file in files {
        let path = Path::new(".").join(&file.name);
        let line = lines.iter().find(|line| line["path"].as_str() == path.to_str()).unwrap();
        let (outcome, reason) = (&line["outcome"], &line["reason"]);
        match file.expect {
            Expect::Reads => assert_eq!(outcome, "clear", "{line}"),
            Expect::Unsupported => assert!(reason == "unsupported-picture" || reason == "not-a-picture", "{line}"),
            Expect::Unreadable => assert_eq!(reason, "unreadable", "{line}"),
            Expect::ReadsPartly | Expect::TooLarge => assert_eq!(reason, "too-large", "{line}"),
        }
    }
}

#[test]
fn eval_measures_the_same_twice_and_writes_a_page() {
    let folder = folder();
    let folder = folder.path();
    for seed in 1..=4 {
        save(folder, &format!("pictures/{seed}.png"), &draw(seed));
    }
    write(folder, "pictures/notes.txt", "not a picture");
    let eval = |threads: &str, report: &str| {
        let args =
            ["eval", "pictures", "--list-size", "2000", "--format", "json", "--threads", threads, "--report", report];
        let run = hashgate(folder, &args);
        assert_eq!(run.code, 0, "{}", run.err);
        let mut figures: Value = serde_json::from_str(&run.out).unwrap();
        figures.as_object_mut().unwrap().remove("times");
        figures
    };
    let figures = eval("1", "report.html");
    assert_eq!(figures, eval("2", "again.html"));
    assert_eq!((&figures["pictures"], &figures["all"]["copies"]), (&4.into(), &172.into()));
    assert!(figures["leftOut"][0].as_str().unwrap().contains("notes.txt"), "{}", figures["leftOut"]);
    let of = |edit: &str| figures["edits"].as_array().unwrap().iter().find(|row| row["edit"] == edit).unwrap().clone();
    assert_eq!((&of("png")["exact"], &of("png")["near"], &of("png")["found"]), (&4.into(), &4.into(), &4.into()));
    // An edit that neither baseline finds: the figures don't come from one another.
    assert_eq!((&of("border-2")["exact"], &of("border-2")["found"]), (&0.into(), &4.into()));
    assert!(of("border-2")["near"].as_u64() < Some(4));
    let page = fs::read_to_string(folder.join("report.html")).unwrap();
    assert_eq!(page.matches("<svg").count(), 4);
    assert!(page.contains("letterbox") && !page.contains("http") && !page.contains("<script"), "self-contained");

    let refused = hashgate(folder, &["eval", "missing"]);
    assert!(refused.err.contains("missing: expected a folder of pictures"), "{}", refused.err);
}
