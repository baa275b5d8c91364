//! Runs the real binary to make keys and publish releases, and checks what it refuses.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use hashgate::digest::Sha256Digest;
use tempfile::TempDir;

struct Run {
    code: i32,
    out: String,
    err: String,
}

fn hashgate(folder: &Path, args: &str) -> Run {
    let Output { status, stdout, stderr } = Command::new(env!("CARGO_BIN_EXE_hashgate"))
        .args(args.split_whitespace())
        .current_dir(folder)
        .env_remove("SOURCE_DATE_EPOCH")
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Run { code: status.code().unwrap(), out: text(stdout), err: text(stderr) }
}

fn done(folder: &Path, args: &str) -> Run {
    let run = hashgate(folder, args);
    assert_eq!(run.code, 0, "{args}: {}", run.err);
    run
}

/// Runs a command and asserts that it fails with this exit code and that its message contains `message`.
fn refused(folder: &Path, args: &str, code: i32, message: &str) {
    let run = hashgate(folder, args);
    assert!(run.code == code && run.err.contains(message), "{args}: {} {}", run.code, run.err);
}

/// Makes a folder with two keys and lists of numbered hashes.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let list = |name: &str, numbers: std::ops::Range<u32>| {
        let lines: String = numbers.map(|n| format!("{},pdq\n", Sha256Digest::of(&n.to_le_bytes()))).collect();
        fs::write(folder.path().join(name), format!("hash,type\n{lines}")).unwrap();
    };
    list("old.csv", 0..500);
    list("new.csv", 3..510);
    list("many.csv", 0..900);
    done(folder.path(), "keygen --out alpha.key --name example.org/alpha");
    done(folder.path(), "keygen --out beta.key");
    folder
}

const PUBLISH: &str = "publish --dir out --key alpha.key --name Demo --category drawn";

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    names.sort_unstable();
    names
}

#[cfg(unix)]
#[test]
fn a_private_key_is_its_owners_alone_and_is_never_overwritten() {
    use std::os::unix::fs::PermissionsExt;
    let temp = folder();
    let folder = temp.path();
    let key = folder.join("alpha.key");
    assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    let private = fs::read_to_string(&key).unwrap();
    let public = fs::read_to_string(folder.join("alpha.key.pub")).unwrap();
    assert!(private.starts_with("PRIVATE+KEY+example.org/alpha+") && public.starts_with("example.org/alpha+"));
    assert!(fs::read_to_string(folder.join("beta.key.pub")).unwrap().starts_with("beta+"));
    refused(folder, "keygen --out alpha.key", 2, "alpha.key.pub: expected to make a new file");
    fs::remove_file(folder.join("alpha.key.pub")).unwrap();
    refused(folder, "keygen --out alpha.key", 2, "alpha.key: expected to make a new file");
    assert_eq!(fs::read_to_string(&key).unwrap(), private);
    refused(folder, "keygen --out gamma.key --name a+b", 10, "key's name");
    for mode in [0o640, 0o604, 0o610] {
        fs::set_permissions(&key, fs::Permissions::from_mode(mode)).unwrap();
        refused(
            folder,
            &format!("{PUBLISH} old.csv"),
            2,
            "alpha.key: permissions: expected a private key that only its owner can read",
        );
    }
    assert!(!folder.join("out").exists());
}

#[test]
fn releases_follow_each_other_as_deltas_until_the_geometry_must_change() {
    let temp = folder();
    let (folder, out) = (temp.path(), temp.path().join("out"));
    done(folder, &format!("{PUBLISH} old.csv"));
    assert_eq!(names(&out)[1..], ["manifest-1.txt", "manifest.txt"]);
    let second = done(folder, &format!("{PUBLISH} new.csv --curator Trust --curator Institute")).out;
    assert!(second.contains("delta from release 1: "), "{second}");
    done(folder, &format!("{PUBLISH} old.csv"));
    let verify = "verify --manifest out/manifest.txt --trust alpha.key.pub --dir out";
    let verified = done(folder, verify).out;
    assert!(verified.contains("2 deltas applied, 0 without"), "{verified}");
    let wider = done(folder, &format!("{PUBLISH} many.csv")).out;
    assert!(wider.contains("a full file only, in a new geometry: capacity"), "{wider}");
    let manifest = fs::read_to_string(out.join("manifest.txt")).unwrap();
    assert!(manifest.contains("release 4\n") && !manifest.contains("\ndelta "), "{manifest}");
    done(folder, &format!("{PUBLISH} many.csv"));
    assert!(done(folder, verify).out.contains("deltas from  4 ("));
    // Earlier releases are unchanged.
    let third = done(folder, "verify --manifest out/manifest-2.txt --trust alpha.key.pub --dir out").out;
    assert!(third.contains("curators     Trust; Institute"), "{third}");
    let diff = done(folder, &format!("diff out/{} out/{} --out a.hgd", full(&out, 1), full(&out, 2))).out;
    assert!(diff.contains("release      1 -> 2") && diff.contains("PDQ hashes   500 -> 507"), "{diff}");
    let published = names(&out).into_iter().find(|name| name.starts_with("delta-1-2-")).unwrap();
    assert!(fs::read(folder.join("a.hgd")).unwrap() == fs::read(out.join(published)).unwrap());
    refused(
        folder,
        &format!("diff out/{} out/{}", full(&out, 3), full(&out, 4)),
        22,
        "delta-base: base: expected k = ",
    );
}

fn full(out: &Path, release: u64) -> String {
    names(out).into_iter().find(|name| name.starts_with(&format!("full-{release}-"))).unwrap()
}

#[test]
fn nothing_is_published_upon_another_list_or_another_hand() {
    let temp = folder();
    let (folder, out) = (temp.path(), temp.path().join("out"));
    done(folder, &format!("{PUBLISH} old.csv --issued 1000000"));
    let before = names(&out);
    refused(folder, &format!("{PUBLISH} old.csv").replace("Demo", "Other"), 2, "--name: expected \"Demo\"");
    refused(folder, &format!("{PUBLISH} old.csv --issued 999999"), 2, "--issued: expected at least 1000000");
    refused(folder, &format!("{PUBLISH} old.csv").replace("alpha", "beta"), 13, "give the one before with --trust");
    refused(folder, &format!("{PUBLISH} old.csv --require-sources 2"), 2, "--require-sources: expected 1 to 1");
    refused(folder, &format!("{PUBLISH} old.csv --expires 14"), 2, "expected days or hours");
    fs::write(folder.join("none.csv"), "hash,type\n").unwrap();
    refused(folder, &format!("{PUBLISH} none.csv"), 2, "entries: expected at least one");
    fs::write(out.join(full(&out, 1)), "x").unwrap();
    refused(folder, &format!("{PUBLISH} old.csv"), 19, "the current release is damaged");
    assert_eq!(names(&out), before);
}

#[test]
fn a_key_is_rotated_with_the_one_before() {
    let temp = folder();
    done(temp.path(), &format!("{PUBLISH} old.csv"));
    let with_beta = format!("{PUBLISH} new.csv --trust alpha.key.pub").replace("--key alpha", "--key beta");
    assert!(done(temp.path(), &with_beta).out.contains("delta from release 1"));
    done(temp.path(), "verify --manifest out/manifest.txt --trust beta.key.pub --dir out");
}

#[test]
fn entries_that_enough_sources_hold_are_published() {
    let temp = folder();
    let made = done(temp.path(), &format!("{PUBLISH} old.csv new.csv many.csv --require-sources 3"));
    assert!(made.out.contains("distinct: 497 PDQ"), "{}", made.out);
}

#[test]
fn a_pending_release_is_current_once_a_second_hand_has_built_the_same() {
    let temp = folder();
    let (folder, out) = (temp.path(), temp.path().join("out"));
    done(folder, &format!("{PUBLISH} old.csv"));
    done(folder, "cosign out/manifest-1.txt --key beta.key --current");
    done(folder, &format!("{PUBLISH} new.csv --pending"));
    let two = "verify --trust alpha.key.pub beta.key.pub --threshold 2 --dir out --manifest";
    assert!(done(folder, &format!("{two} out/manifest.txt")).out.contains("release      1"));
    refused(folder, &format!("{two} out/manifest-2.txt"), 14, "manifest-too-few-signatures");
    refused(folder, &format!("{PUBLISH} new.csv"), 2, "expected no release 2 yet");
    refused(folder, "cosign out/manifest-2.txt --key beta.key --rebuild old.csv", 2, "got another (507, 0 and 0)");
    refused(folder, &format!("{two} out/manifest-2.txt"), 14, "manifest-too-few-signatures");
    done(folder, "cosign out/manifest-2.txt --key beta.key --rebuild new.csv --current");
    let verified = done(folder, &format!("{two} out/manifest.txt")).out;
    assert!(
        verified.contains("release      2") && verified.contains("signed by    example.org/alpha; beta"),
        "{verified}"
    );
    assert!(fs::read(out.join("manifest.txt")).unwrap() == fs::read(out.join("manifest-2.txt")).unwrap());
    // Publishes another release. It has a delta from this one.
    assert!(done(folder, &format!("{PUBLISH} old.csv")).out.contains("delta from release 2"));
    // `cosign` refuses to sign if a file is missing or isn't the one that the manifest names.
    fs::write(out.join(full(&out, 3)), "x").unwrap();
    refused(folder, "cosign out/manifest-3.txt --key beta.key", 19, "release-length");
}

#[test]
fn every_refusal_of_verify_has_its_exit_code() {
    let temp = folder();
    let (folder, out) = (temp.path(), temp.path().join("out"));
    done(folder, &format!("{PUBLISH} old.csv --issued 1000000"));
    done(folder, &format!("{PUBLISH} new.csv --issued 1000000 --expires 36h"));
    let verify = "verify --manifest out/manifest.txt --dir out --at 1000100 --trust alpha.key.pub";
    done(folder, verify);
    refused(folder, &format!("{verify} --threshold 2"), 10, "trust-invalid: threshold");
    refused(folder, &verify.replace("alpha.key.pub", "nonsense"), 10, "trust-invalid: key");
    refused(folder, &verify.replace("manifest.txt", "none.txt"), 2, "none.txt");
    refused(folder, &verify.replace("alpha", "beta"), 13, "manifest-wrong-key");
    refused(folder, &format!("{verify} beta.key.pub --threshold 2"), 14, "manifest-too-few-signatures");
    refused(folder, &verify.replace("1000100", "1129600"), 16, "manifest-expired");
    refused(folder, &verify.replace("1000100", "913599"), 17, "manifest-not-yet-valid");
    refused(folder, &format!("{verify} --seen 3"), 18, "manifest-rollback");
    // Each kind of change to a manifest is refused for its own reason.
    let manifest = fs::read_to_string(out.join("manifest.txt")).unwrap();
    let with_manifest = |from: &str, to: &str, code, message: &str| {
        assert!(manifest.contains(from));
        fs::write(out.join("manifest.txt"), manifest.replacen(from, to, 1)).unwrap();
        refused(folder, verify, code, message);
        fs::write(out.join("manifest.txt"), &manifest).unwrap();
    };
    with_manifest("\n\n", "\n", 11, "manifest-syntax");
    with_manifest("release 2", "release 3", 15, "manifest-bad-signature");
    // A file is damaged, too short, or gone.
    let damage = |name: &str, change: &dyn Fn(&mut Vec<u8>), code, message: &str| {
        let file = out.join(name);
        let bytes = fs::read(&file).unwrap();
        let mut other = bytes.clone();
        change(&mut other);
        fs::write(&file, other).unwrap();
        refused(folder, verify, code, message);
        fs::write(&file, bytes).unwrap();
    };
    let delta = names(&out).into_iter().find(|name| name.starts_with("delta-")).unwrap();
    for name in [full(&out, 2), delta] {
        damage(&name, &|bytes| bytes[300] ^= 1, 20, "release-digest");
        damage(&name, &|bytes| bytes.truncate(99), 19, "release-length");
        fs::rename(out.join(&name), folder.join("away")).unwrap();
        refused(folder, verify, 2, &name);
        fs::rename(folder.join("away"), out.join(&name)).unwrap();
    }
    damage(&full(&out, 1), &|bytes| bytes[300] ^= 1, 22, "delta-base");
    done(folder, verify);
}

#[test]
fn another_list_that_the_same_key_signed_is_refused() {
    let temp = folder();
    let folder = temp.path();
    done(folder, &format!("{PUBLISH} old.csv"));
    let other = PUBLISH.replace("--dir out", "--dir other").replace("Demo", "Other");
    done(folder, &format!("{other} new.csv"));
    let verify = |dir: &str| format!("verify --trust alpha.key.pub --dir {dir} --manifest {dir}/manifest.txt");
    done(folder, &format!("{} --name Demo --category drawn", verify("out")));
    done(folder, &format!("{} --name Other", verify("other")));
    refused(folder, &format!("{} --name Demo", verify("other")), 24, "manifest-wrong-list");
    refused(folder, &format!("{} --name Demo --category photographed", verify("out")), 24, "manifest-wrong-list");
    refused(folder, &format!("{} --category drawn", verify("out")), 2, "--name");
}
