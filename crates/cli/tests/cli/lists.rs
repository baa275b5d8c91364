//! Lists of every kind, and the filters built of them.

use super::support::*;

#[test]
fn lists_of_every_kind_are_read() {
    let d = digests(8);
    let md5 = &d[0][..32];
    let lists = [
        ("hash,type\n{0},pdq\n{1},sha256\n{m},md5\n", [1, 1, 1]),
        // Columns in another order, unknown columns, quoted fields, Windows line ends, a byte order mark.
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
            [2, 0, 1],
        ),
        (
            "trend_query {\"and\": [{\"or\": [\"a\", \"b\"]}], \"not\": [\"c\"]}\nvideo_md5 {m}\n\
             url https://example.org/?a=1,2\nraw_text The quick brown fox jumps\npdq {0}\npdq {2}\n",
            [2, 0, 1],
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
    write(folder, "list.csv", &format!("hash,type,quality\n{},pdq,49\n{},pdq,50\n{},photodna,\n", d[0], d[1], d[2]));
    let built = build(folder, &["list.csv"]);
    assert_eq!(built.code, 0, "{}", built.err);
    assert!(built.out.contains("left out: 1 PDQ hashes of quality under 50"), "{}", built.out);
    assert!(built.out.contains("left out: 1 of type photodna"), "{}", built.out);
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
    // A list that holds a hash twice counts as one source.
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
fn variants_of_a_picture_find_what_no_view_undoes() {
    let folder = folder();
    let folder = folder.path();
    let picture = draw(1);
    save(folder, "picture.png", &picture);
    // 12% cut off every side.
    save(folder, "copy.png", &imageops::crop_imm(&picture, 38, 29, 244, 182).to_image());
    for (format, list) in [("csv", "list.csv"), ("jsonl", "list.jsonl")] {
        let hashed = hashgate(folder, &["hash", "--variants", "--format", format, "picture.png"]);
        assert_eq!(hashed.code, 0, "{}", hashed.err);
        for variant in ["cut-4", "cut-7", "cut-12", "turned-left-8", "turned-right-8"] {
            assert_eq!(hashed.out.matches(variant).count(), 1, "{variant}: {}", hashed.out);
        }
        write(folder, list, &hashed.out);
        let rows = hashed.out.lines().filter(|line| line.contains("picture.png")).count() as u64;

        let built = build(folder, &[list]);
        let said = format!("variants of pictures: {}", rows - 1);
        assert!(built.code == 0 && built.err.contains(&said) | built.out.contains(&said), "{}{}", built.out, built.err);
        assert_eq!(counts(&inspect(folder)), [rows, 1, 1]);
        let found = hashgate(folder, &["check", "--filter", "demo.hgf", "copy.png"]);
        assert_eq!(found.code, 1, "{}", found.out);

        build(folder, &[list, "--without-variants"]);
        assert_eq!(counts(&inspect(folder)), [1, 1, 1]);
        let missed = hashgate(folder, &["check", "--filter", "demo.hgf", "copy.png"]);
        assert_eq!(missed.code, 0, "{}", missed.out);
    }
}
