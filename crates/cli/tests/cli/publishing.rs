//! Tests which settings `publish` remembers, what it asks for and what it prints; and the commands that watch its
//! releases.

use super::support::*;

fn run(folder: &Path, args: &str) -> Run {
    hashgate(folder, &args.split_whitespace().collect::<Vec<_>>())
}

fn done(folder: &Path, args: &str) -> Run {
    let run = run(folder, args);
    assert_eq!(run.code, 0, "{args}: {}{}", run.out, run.err);
    run
}

fn refused(folder: &Path, args: &str, message: &str) {
    let run = run(folder, args);
    assert!(run.code == 2 && run.err.contains(message), "{args}: {} {}", run.code, run.err);
}

/// Makes a folder with two keys and lists of numbered hashes.
fn owner() -> TempDir {
    let folder = folder();
    let list = |range: std::ops::Range<usize>| -> String {
        digests(600)[range].iter().map(|digest| format!("pdq {digest}\n")).collect()
    };
    write(folder.path(), "old", &list(0..500));
    write(folder.path(), "new", &list(3..510));
    write(folder.path(), "less", &list(0..490));
    done(folder.path(), "keygen --out a.key --name example.org/a");
    done(folder.path(), "keygen --out b.key");
    folder
}

const FIRST: &str = "publish old --dir out --key a.key --name Demo --category drawn";
const NEXT: &str = "publish new --dir out --key a.key";

fn manifest(folder: &Path) -> String {
    fs::read_to_string(folder.join("out/manifest.txt")).unwrap()
}

#[test]
fn publish_remembers_what_the_last_release_had() {
    let temp = owner();
    let folder = temp.path();
    refused(folder, "publish old --dir out --key a.key", "--name: expected it for the first release");
    done(folder, &format!("{FIRST} --curator A --curator B --false-positive-rate 1e-5 --rings 1 --headroom 50"));
    let next = done(folder, NEXT);
    assert!(next.out.contains("delta from release 1: "), "{}", next.out);
    assert!(next.out.contains("since release 1: 10 PDQ added, 3 removed"), "{}", next.out);
    let manifest = manifest(folder);
    for line in ["name Demo\n", "category drawn\n", "release 2\n", "rings 1\n", "escalation 10000000\n"] {
        assert!(manifest.contains(line), "{line}: {manifest}");
    }
    assert!(manifest.contains("curator A\ncurator B\n"), "{manifest}");
    let memory: Value = serde_json::from_slice(&fs::read(folder.join("a.key.memory")).unwrap()).unwrap();
    assert_eq!(memory["lists"]["Demo"]["headroom"], 50);
    refused(folder, &format!("{NEXT} --name Other"), "another list needs another folder");
}

#[test]
fn a_change_that_costs_every_client_a_full_download_is_asked_for() {
    let temp = owner();
    let folder = temp.path();
    done(folder, FIRST);
    let wider = format!("{NEXT} --rings 3");
    let asked = run(folder, &wider);
    assert!(asked.code == 2 && asked.err.contains("--yes: expected it for a change"), "{}", asked.err);
    assert!(asked.out.contains("every client downloads "), "{}", asked.out);
    assert!(manifest(folder).contains("release 1\n"));
    done(folder, &format!("{wider} --yes"));
    assert!(manifest(folder).contains("rings 3\n"));
    // The last release now has three ring keys. The next one keeps them by default, so `--yes` isn't needed.
    done(folder, NEXT);
}

#[test]
fn a_dry_run_says_what_would_change_and_writes_nothing() {
    let temp = owner();
    let folder = temp.path();
    let first = done(folder, &format!("{FIRST} --dry-run"));
    assert!(first.out.contains("dry run: release 1 of \"Demo\" would have "), "{}", first.out);
    assert!(!folder.join("out").exists() && !folder.join("a.key.memory").exists());
    done(folder, FIRST);
    let files = || fs::read_dir(folder.join("out")).unwrap().count();
    let before = files();
    let next = done(folder, &format!("{NEXT} --dry-run"));
    assert!(next.out.contains("since release 1: 10 PDQ added, 3 removed"), "{}", next.out);
    assert!(next.out.contains(&format!("added: pdq {}", digests(510).last().unwrap())), "{}", next.out);
    assert!(next.out.contains("delta from release 1: ") && next.out.contains("dry run: release 2"), "{}", next.out);
    assert!(files() == before && manifest(folder).contains("release 1\n"));
}

#[test]
fn a_list_file_makes_publish_a_command_without_options() {
    let temp = owner();
    let folder = temp.path();
    write(folder, "allow", &format!("pdq {}\n", digests(1)[0]));
    write(
        folder,
        "hashgate.toml",
        "lists = [\"old\"]\ndir = \"out\"\nkey = \"a.key\"\nname = \"Demo\"\ncategory = \"drawn\"\n\
         curators = [\"A\"]\nexpires = \"36h\"\nexclude = [\"allow\"]\nexclude-distance = 0\n",
    );
    let published = done(folder, "publish");
    assert!(published.out.contains("left out: 1 that an allow list holds"), "{}", published.out);
    assert!(manifest(folder).contains("pdq 499\n") && manifest(folder).contains("curator A\n"));
    // The command line comes first.
    done(folder, "publish new --curator B");
    assert!(manifest(folder).contains("curator B\n") && manifest(folder).contains("release 2\n"));
    // Called from another folder, `publish` takes the paths in the list file as relative to the list file.
    fs::create_dir(folder.join("elsewhere")).unwrap();
    done(&folder.join("elsewhere"), "publish --config ../hashgate.toml");
    assert!(manifest(folder).contains("release 3\n"));
    write(folder, "hashgate.toml", "lists = [\"old\"]\nnmae = \"Demo\"\n");
    refused(folder, "publish", "hashgate.toml:2: unknown field `nmae`, expected one of `lists`");
    refused(folder, "publish --config none.toml", "none.toml");
}

#[test]
fn the_keys_of_earlier_releases_are_remembered() {
    let temp = owner();
    let folder = temp.path();
    done(folder, FIRST);
    let rotated = "publish new --dir out --key b.key";
    let unknown = run(folder, rotated);
    assert!(unknown.code == 13 && unknown.err.contains("give the one before with --trust"), "{}", unknown.err);
    let second = done(folder, &format!("{rotated} --trust a.key.pub"));
    assert!(second.out.contains("delta from release 1"), "{}", second.out);
    let third = done(folder, rotated);
    assert!(third.out.contains("delta from release 1") && third.out.contains("delta from release 2"), "{}", third.out);
}

#[test]
fn a_threshold_of_two_keeps_releases_pending_until_they_are_cosigned() {
    let temp = owner();
    let folder = temp.path();
    let first = done(folder, &format!("{FIRST} --threshold 2"));
    assert!(first.out.contains("pending: release 1"), "{}", first.out);
    done(folder, "cosign out/manifest-1.txt --key b.key --rebuild old --current");
    assert!(done(folder, NEXT).out.contains("pending: release 2"));
    let differs = run(folder, "cosign out/manifest-2.txt --key b.key --rebuild old");
    assert_eq!(differs.code, 2);
    for line in
        [format!("only in the given lists: pdq {}", digests(1)[0]), "only in the published filter: 10 PDQ".into()]
    {
        assert!(differs.err.contains(&line), "{line}: {}", differs.err);
    }
    // A list that doesn't fit into the geometry of the release differs as well.
    write(folder, "exact", &format!("sha256 {}\n", digests(1)[0]));
    let differs = run(folder, "cosign out/manifest-2.txt --key b.key --rebuild exact");
    assert!(differs.code == 2 && differs.err.contains("only in the published filter: "), "{}", differs.err);
    assert!(differs.err.contains("expected the filter of 0 PDQ, 1 SHA-256"), "{}", differs.err);
}

#[test]
fn publishes_at_the_same_time_make_releases_one_after_the_other() {
    let temp = owner();
    let folder = temp.path();
    done(folder, FIRST);
    let publish = || {
        Command::new(env!("CARGO_BIN_EXE_hashgate"))
            .args(NEXT.split_whitespace())
            .current_dir(folder)
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap()
    };
    let running = [publish(), publish(), publish()];
    for mut child in running {
        assert!(child.wait().unwrap().success());
    }
    assert!(manifest(folder).contains("release 4\n"));
    done(folder, "verify --manifest out/manifest.txt --trust a.key.pub --dir out");
}

#[test]
fn verify_answers_monitors() {
    let temp = owner();
    let folder = temp.path();
    done(folder, &format!("{FIRST} --issued 1000000 --expires 5d"));
    let verify = "verify --manifest out/manifest.txt --trust a.key.pub --dir out --format json";
    let answer = |args: &str| {
        let run = run(folder, args);
        (run.code, serde_json::from_str::<Value>(&run.out).unwrap(), run.err)
    };
    let (code, json, _) = answer(&format!("{verify} --at 1000100 --warn-before 3d"));
    assert_eq!((code, &json["ok"], &json["name"], &json["release"]), (0, &true.into(), &"Demo".into(), &1.into()));
    assert_eq!((&json["expiresInS"], &json["expiresSoon"]), (&(5 * 86_400 - 100).into(), &false.into()));
    let (code, json, err) = answer(&format!("{verify} --at 1180000 --warn-before 3d"));
    assert!(code == 3 && json["expiresSoon"] == true && err.contains("expires in 70 hours"), "{code} {json} {err}");
    let (code, json, _) = answer(&format!("{verify} --at 1432000"));
    assert_eq!((code, &json["ok"], &json["code"]), (16, &false.into(), &"manifest-expired".into()));
}
