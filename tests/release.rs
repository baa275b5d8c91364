//! Tests which releases are accepted, and which are refused. The vectors in `tests/vectors/release/` carry their own
//! expected outcome; the browser's code passes them too (`tests/browser/release.test.mjs`), and so does a reader
//! written from the specification alone (`tests/vectors/release.py`).
#![cfg(feature = "build")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use base64ct::{Base64, Encoding};
use ed25519_dalek::{Signer, SigningKey};
use hashgate::digest::{Md5Digest, Sha256Digest};
use hashgate::filter::build::{Entries, Plan, Request, write};
use hashgate::pdq::PdqHash;
use hashgate::release::sign::{Key, cosign, write_delta};
use hashgate::release::{DeltaFile, FullFile, Manifest, Trust};
use hashgate::{Filter, Refusal, RefusalCode};

const ISSUED: u64 = 1_790_000_000;
const EXPIRES: u64 = ISSUED + 14 * 86_400;

/// Numbered hashes that look random.
fn entries(numbers: std::ops::Range<u32>) -> Entries {
    let digest = |n: u32| Sha256Digest::of(&n.to_le_bytes());
    Entries {
        pdq: numbers.clone().map(|n| PdqHash(digest(n).0)).collect(),
        sha256: numbers.clone().map(|n| digest(n + 1_000_000)).collect(),
        md5: numbers.map(|n| Md5Digest::of(&n.to_le_bytes())).collect(),
    }
}

fn request(release: u64) -> Request {
    Request::new("vector", "numbered hashes")
        .with_release(release)
        .with_built_at_unix_s(ISSUED)
        .with_headroom_percent(100)
}

/// Writes two releases with filters of equal geometry. The second list lacks some hashes of the first, and has new
/// ones.
fn two_files() -> [Vec<u8>; 2] {
    let (old, new) = (entries(0..6), entries(2..9));
    let plan = Plan::new(&request(1), &old).unwrap();
    let first = write(&request(1), &plan, &old).unwrap();
    let info = Filter::open(first.clone()).unwrap().info().clone();
    let plan = Plan::in_geometry_of(&info, &request(2), &new).unwrap();
    [first, write(&request(2), &plan, &new).unwrap()]
}

/// Makes a key that anyone can reproduce, for tests only.
fn key(name: &str) -> Key {
    Key::new(&format!("example.org/{name}"), &Sha256Digest::of(name.as_bytes()).0).unwrap()
}

/// Release 2, with a delta from release 1.
struct Release {
    files: [Vec<u8>; 2],
    delta: Vec<u8>,
    manifest: Manifest,
}

impl Release {
    fn new() -> Self {
        let files = two_files();
        let delta = write_delta(&files[0], &files[1]).unwrap().bytes;
        let info = Filter::open(files[1].clone()).unwrap().info().clone();
        let full = full_file("full-2.hgf", &files[1]);
        let mut manifest = Manifest::of(&info, full, ISSUED, EXPIRES);
        manifest.deltas = vec![offer("delta-1-2.hgd", &delta, &files[0])];
        manifest.curators = vec!["Example Trust".into(), "Example Institute".into()];
        Self { files, delta, manifest }
    }

    fn note(&self, keys: &[&str]) -> Vec<u8> {
        let first = self.manifest.sign(&key(keys[0])).unwrap().into_bytes();
        keys[1..].iter().fold(first, |note, name| cosign(&note, &key(name)).unwrap())
    }
}

fn full_file(path: &str, file: &[u8]) -> FullFile {
    FullFile { path: path.into(), bytes: file.len() as u64, sha256: Sha256Digest::of(file) }
}

fn offer(path: &str, delta: &[u8], base: &[u8]) -> DeltaFile {
    let FullFile { path, bytes, sha256 } = full_file(path, delta);
    DeltaFile { from: 1, path, bytes, sha256, base_sha256: Sha256Digest::of(base) }
}

fn trust(names: &[&str], threshold: usize) -> Trust {
    let keys: Vec<_> = names.iter().map(|name| key(name).public()).collect();
    Trust::new(&keys, threshold).unwrap()
}

/// Signs texts that `Manifest::sign` refuses.
fn sign_anything(text: &str, name: &str) -> String {
    let secret = SigningKey::from_bytes(&Sha256Digest::of(name.as_bytes()).0);
    let public = key(name).public();
    let id: u32 = u32::from_str_radix(public.split('+').nth(1).unwrap(), 16).unwrap();
    let signature = [id.to_be_bytes().as_slice(), &secret.sign(text.as_bytes()).to_bytes()].concat();
    format!("{text}\n— {} {}\n", key(name).name(), Base64::encode_string(&signature))
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/release")
}

/// A test vector. Its file holds fields, a line `---`, and the manifest.
struct Vector {
    fields: Vec<(&'static str, String)>,
    note: Vec<u8>,
}

impl Vector {
    fn new(expect: &str, trusted: &[&str], threshold: usize, note: impl Into<Vec<u8>>) -> Self {
        let mut fields = vec![("expect", expect.to_owned())];
        fields.extend(trusted.iter().map(|name| ("trust", key(name).public())));
        fields.push(("threshold", threshold.to_string()));
        fields.push(("now", (ISSUED + 60).to_string()));
        fields.push(("seen", "1".to_owned()));
        Self { fields, note: note.into() }
    }

    fn set(mut self, field: &'static str, value: impl Into<String>) -> Self {
        self.fields.retain(|(name, _)| *name != field || field == "trust");
        self.fields.push((field, value.into()));
        self
    }

    fn bytes(&self) -> Vec<u8> {
        let lines: String = self.fields.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
        [lines.as_bytes(), b"---\n", &self.note].concat()
    }
}

/// Returns all vectors, and all files that they name, by file name.
fn vectors() -> BTreeMap<String, Vec<u8>> {
    let made = Release::new();
    let text = &made.manifest.sign(&key("alpha")).unwrap();
    let text = &text[..text.find("\n\n").unwrap() + 1];
    let alpha = made.note(&["alpha"]);
    let both = made.note(&["alpha", "beta"]);
    let altered = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        sign_anything(&text.replace(from, to), "alpha")
    };
    let note_with = |from: &str, to: &str| String::from_utf8(alpha.clone()).unwrap().replacen(from, to, 1);
    let one = |expect: &str, note: &[u8]| Vector::new(expect, &["alpha"], 1, note);
    let field = |note: String| one("manifest-field", note.as_bytes());
    let syntax = |note: String| one("manifest-syntax", note.as_bytes());
    let untrusted = |keys: &[String], threshold: &str| {
        let vector = Vector::new("trust-invalid", &[], 1, alpha.clone()).set("threshold", threshold);
        keys.iter().fold(vector, |vector, key| vector.set("trust", key))
    };
    let alpha_key = key("alpha").public();
    // Two bad keys: a trusted key under another name, and the neutral element of the curve, whose signatures fit any
    // text.
    let again = Key::new("example.org/again", &Sha256Digest::of(b"alpha").0).unwrap().public();
    let low_order = {
        let public = std::array::from_fn::<u8, 32, _>(|i| u8::from(i == 0));
        let hash = Sha256Digest::of(&[b"example.org/low\n\x01".as_slice(), &public].concat()).to_string();
        format!("example.org/low+{}+{}", &hash[..8], Base64::encode_string(&[[1].as_slice(), &public].concat()))
    };

    // Damaged files, with manifests that name exactly these damaged files.
    let [first, second] = &made.files;
    let flip = |bytes: &[u8], at: usize| {
        let mut bytes = bytes.to_vec();
        bytes[at] ^= 1;
        bytes
    };
    let swapped = {
        let plan = Plan::new(&request(2), &entries(0..6)).unwrap();
        write(&request(2).with_category("other hashes"), &plan, &entries(0..6)).unwrap()
    };
    let other_first = {
        let plan = Plan::new(&request(1), &entries(0..6)).unwrap();
        write(&request(1), &plan, &entries(0..5)).unwrap()
    };
    let signed = |change: &dyn Fn(&mut Manifest)| {
        let mut manifest = made.manifest.clone();
        change(&mut manifest);
        manifest.sign(&key("alpha")).unwrap()
    };
    let naming_delta = |delta: &[u8]| signed(&|manifest| manifest.deltas = vec![offer("delta-1-2.hgd", delta, first)]);
    let bad_version = flip(&made.delta, 8);
    let bad_gaps = made.delta[..made.delta.len() - 1].to_vec();
    let delta =
        |expect: &str, note: &[u8], base: &str, delta: &str| one(expect, note).set("base", base).set("delta", delta);

    let all = [
        ("ok-1-of-1", one("ok", &alpha)),
        ("ok-2-of-2", Vector::new("ok", &["alpha", "beta"], 2, both.clone())),
        ("ok-2-of-3", Vector::new("ok", &["gamma", "beta", "alpha"], 2, both.clone())),
        ("ok-other-signers-ignored", Vector::new("ok", &["beta"], 1, both.clone())),
        (
            "ok-no-delta-no-curator",
            one(
                "ok",
                signed(&|manifest| {
                    manifest.deltas.clear();
                    manifest.curators.clear();
                })
                .as_bytes(),
            ),
        ),
        ("ok-full", one("ok", &alpha).set("full", "full-2.hgf")),
        ("ok-delta", delta("ok", &alpha, "full-1.hgf", "delta-1-2.hgd").set("full", "full-2.hgf")),
        ("ok-a-day-ahead", one("ok", &alpha).set("now", (ISSUED - 86_400).to_string())),
        ("ok-seen-before", one("ok", &alpha).set("seen", "2")),
        ("syntax-no-signature", one("manifest-syntax", text.as_bytes())),
        ("syntax-no-line-feed", one("manifest-syntax", &alpha[..alpha.len() - 1])),
        ("syntax-hyphen-for-dash", syntax(note_with("\n— ", "\n-- "))),
        ("syntax-carriage-returns", syntax(note_with("\n", "\r\n"))),
        ("syntax-two-spellings-of-base64", {
            // The last Base64 digit before the padding has two unused bits, which must be zero.
            let at = alpha.len() - 3;
            one("manifest-syntax", &flip(&alpha, at))
        }),
        ("field-version", field(altered("hashgate release v1", "hashgate release v2"))),
        ("field-missing", field(altered("md5 7\n", ""))),
        ("field-order", field(altered("pdq 7\nsha256 7\n", "sha256 7\npdq 7\n"))),
        ("field-unknown", field(altered("curator Example Trust\n", "curators Example Trust\n"))),
        ("field-leading-zero", field(altered("release 2\n", "release 02\n"))),
        ("field-beyond-javascript", field(altered("release 2\n", "release 9007199254740992\n"))),
        ("field-rings", field(altered("rings 2\n", "rings 5\n"))),
        ("field-expires-first", field(altered(&EXPIRES.to_string(), &ISSUED.to_string()))),
        (
            "field-upper-case-digest",
            field(altered(
                &made.manifest.full.sha256.to_string(),
                &made.manifest.full.sha256.to_string().to_uppercase(),
            )),
        ),
        ("field-path-out-of-folder", field(altered("full full-2.hgf", "full ../full-2.hgf"))),
        ("field-path-elsewhere", field(altered("delta 1 delta-1-2.hgd", "delta 1 //example.net/delta"))),
        ("field-delta-from-later", field(altered("delta 1 ", "delta 2 "))),
        ("wrong-key", Vector::new("manifest-wrong-key", &["gamma"], 1, both.clone())),
        ("wrong-key-of-same-name", {
            let other = Key::new("example.org/alpha", &[7; 32]).unwrap();
            one("manifest-wrong-key", made.manifest.sign(&other).unwrap().as_bytes())
        }),
        ("too-few-signatures", Vector::new("manifest-too-few-signatures", &["alpha", "beta"], 2, alpha.clone())),
        (
            "too-few-signatures-one-twice",
            Vector::new("manifest-too-few-signatures", &["alpha", "beta"], 2, {
                let line = &alpha[text.len() + 1..];
                [alpha.as_slice(), line].concat()
            }),
        ),
        ("bad-signature", one("manifest-bad-signature", note_with("release 2", "release 3").as_bytes())),
        (
            "bad-signature-beside-a-good-one",
            Vector::new("manifest-bad-signature", &["alpha", "beta"], 1, {
                let beta = String::from_utf8(sign_anything("another text\n", "beta").into_bytes()).unwrap();
                [alpha.as_slice(), beta.lines().last().unwrap().as_bytes(), b"\n"].concat()
            }),
        ),
        ("trust-threshold-0", untrusted(std::slice::from_ref(&alpha_key), "0")),
        ("trust-threshold-too-high", untrusted(std::slice::from_ref(&alpha_key), "2")),
        ("trust-one-key-twice", untrusted(&[alpha_key.clone(), again], "1")),
        ("trust-wrong-hash", untrusted(&[alpha_key.replacen("alpha", "omega", 1)], "1")),
        ("trust-low-order", untrusted(&[low_order], "1")),
        ("trust-no-key", untrusted(&["example.org/alpha".into()], "1")),
        ("expired", one("manifest-expired", &alpha).set("now", EXPIRES.to_string())),
        ("not-yet-valid", one("manifest-not-yet-valid", &alpha).set("now", (ISSUED - 86_401).to_string())),
        ("rollback", one("manifest-rollback", &alpha).set("seen", "3")),
        ("full-truncated", one("release-length", &alpha).set("full", "truncated.hgf")),
        ("full-flipped", one("release-digest", &alpha).set("full", "flipped.hgf")),
        ("full-of-other-category", {
            let note = signed(&|manifest| manifest.full = full_file("full-2.hgf", &swapped));
            one("release-mismatch", note.as_bytes()).set("full", "swapped.hgf")
        }),
        ("full-of-earlier-release", {
            let note = signed(&|manifest| manifest.full = full_file("full-2.hgf", first));
            one("release-mismatch", note.as_bytes()).set("full", "full-1.hgf")
        }),
        ("delta-from-another-release", delta("delta-base", &alpha, "full-2.hgf", "delta-1-2.hgd")),
        ("delta-from-another-filter", delta("delta-base", &alpha, "other-1.hgf", "delta-1-2.hgd")),
        ("delta-truncated", delta("release-length", &alpha, "full-1.hgf", "bad-gaps.hgd")),
        ("delta-flipped", delta("release-digest", &alpha, "full-1.hgf", "bad-version.hgd")),
        (
            "delta-signed-bad-version",
            delta("delta-syntax", naming_delta(&bad_version).as_bytes(), "full-1.hgf", "bad-version.hgd"),
        ),
        (
            "delta-signed-bad-gaps",
            delta("delta-syntax", naming_delta(&bad_gaps).as_bytes(), "full-1.hgf", "bad-gaps.hgd"),
        ),
        ("delta-to-another-file", {
            let note = signed(&|manifest| manifest.full = full_file("full-2.hgf", &swapped));
            delta("release-digest", note.as_bytes(), "full-1.hgf", "delta-1-2.hgd")
        }),
    ];
    let mut files: BTreeMap<String, Vec<u8>> =
        all.iter().map(|(name, vector)| (format!("{name}.txt"), vector.bytes())).collect();
    files.extend([
        ("full-1.hgf".into(), first.clone()),
        ("full-2.hgf".into(), second.clone()),
        ("other-1.hgf".into(), other_first),
        ("swapped.hgf".into(), swapped),
        ("flipped.hgf".into(), flip(second, second.len() / 2)),
        ("truncated.hgf".into(), second[..second.len() - 1].to_vec()),
        ("delta-1-2.hgd".into(), made.delta.clone()),
        ("bad-version.hgd".into(), bad_version.clone()),
        ("bad-gaps.hgd".into(), bad_gaps.clone()),
    ]);
    files
}

/// Verifies a vector's manifest and files as a client does.
fn outcome(fields: &[(&str, &str)], note: &[u8]) -> Result<(), Refusal> {
    let all =
        |name: &str| fields.iter().filter(|(field, _)| *field == name).map(|(_, value)| *value).collect::<Vec<_>>();
    let number = |name: &str| all(name)[0].parse::<u64>().unwrap();
    let file = |name: &str| all(name).first().map(|file| std::fs::read(folder().join(file)).unwrap());
    let trust = Trust::new(&all("trust"), number("threshold") as usize)?;
    let manifest = Manifest::verify(note, &trust)?;
    manifest.check_freshness(number("now"), number("seen"))?;
    if let Some(full) = file("full") {
        manifest.verify_full(&full)?;
    }
    if let (Some(base), Some(delta)) = (file("base"), file("delta")) {
        let made = manifest.apply_delta(&base, &delta)?;
        assert!(Some(made) == file("full"), "the delta leads to another file");
    }
    Ok(())
}

/// Asserts that the committed vectors are made again byte by byte, because the formats are frozen. `BLESS=1` rewrites
/// them.
#[test]
fn the_committed_vectors_are_reproduced() {
    if std::env::var_os("BLESS").is_some() {
        std::fs::create_dir_all(folder()).unwrap();
        for (name, bytes) in vectors() {
            std::fs::write(folder().join(name), bytes).unwrap();
        }
    }
    let there: BTreeMap<_, _> = std::fs::read_dir(folder())
        .unwrap()
        .map(|file| {
            let file = file.unwrap();
            (file.file_name().into_string().unwrap(), std::fs::read(file.path()).unwrap())
        })
        .collect();
    let made = vectors();
    assert_eq!(there.keys().collect::<Vec<_>>(), made.keys().collect::<Vec<_>>());
    for (name, bytes) in made {
        assert!(there[&name] == bytes, "{name}: other bytes");
    }
}

#[test]
fn every_vector_has_the_outcome_it_says() {
    let mut codes = BTreeMap::new();
    for (name, bytes) in vectors().iter().filter(|(name, _)| name.ends_with(".txt")) {
        let split = bytes.windows(4).position(|window| window == b"---\n").unwrap();
        let head = std::str::from_utf8(&bytes[..split]).unwrap();
        let fields: Vec<_> = head.lines().map(|line| line.split_once(": ").unwrap()).collect();
        let got = match outcome(&fields[1..], &bytes[split + 4..]) {
            Ok(()) => "ok",
            Err(error) => {
                assert!(
                    !error.expected.is_empty() && !error.got.is_empty() && !error.field.is_empty(),
                    "{name}: {error}"
                );
                error.code.as_str()
            }
        };
        assert_eq!(fields[0], ("expect", got), "{name}");
        *codes.entry(got).or_insert(0) += 1;
    }
    // The vectors cover every error code, and "ok".
    assert_eq!(codes.len(), 15, "{codes:?}");
}

#[test]
fn every_flipped_bit_and_every_truncation_of_a_manifest_is_refused() {
    let made = Release::new();
    for (note, trust) in
        [(made.note(&["alpha"]), trust(&["alpha"], 1)), (made.note(&["alpha", "beta"]), trust(&["alpha", "beta"], 2))]
    {
        Manifest::verify(&note, &trust).unwrap();
        for bit in 0..note.len() * 8 {
            let mut damaged = note.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(Manifest::verify(&damaged, &trust).is_err(), "bit {bit} flipped");
        }
        for length in 0..note.len() {
            assert!(Manifest::verify(&note[..length], &trust).is_err(), "{length} bytes");
        }
        assert!(Manifest::verify(&[&note, b"\n".as_slice()].concat(), &trust).is_err(), "one byte more");
    }
}

/// The manifest's digest refuses a damaged delta. If the manifest names the damaged delta, as after a curator's
/// mistake, the delta's own reader refuses it.
#[test]
fn every_flipped_bit_and_every_truncation_of_a_delta_is_refused() {
    let Release { files, delta, manifest } = Release::new();
    assert_eq!(manifest.apply_delta(&files[0], &delta).unwrap(), files[1]);
    let refused = |damaged: &[u8], what: &str| {
        assert!(manifest.apply_delta(&files[0], damaged).is_err(), "{what}");
        let naming = Manifest { deltas: vec![offer("delta-1-2.hgd", damaged, &files[0])], ..manifest.clone() };
        assert!(naming.apply_delta(&files[0], damaged).is_err(), "{what}, signed");
    };
    for bit in 0..delta.len() * 8 {
        let mut damaged = delta.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        refused(&damaged, &format!("bit {bit} flipped"));
    }
    for length in 0..delta.len() {
        refused(&delta[..length], &format!("{length} bytes"));
    }
    refused(&[&delta, [0].as_slice()].concat(), "one byte more");
}

/// Makes deltas that set or clear a single bit. With Rice parameter 0, a gap of n is coded as n one-bits, so the test
/// can write a gap of any length.
#[test]
fn a_gap_leads_to_the_last_bit_that_can_change_and_no_further() {
    let Release { files: [first, second], delta, manifest } = Release::new();
    let bits_at = (184 + "vectornumbered hashes".len()).next_multiple_of(8);
    let bits = &first[bits_at..first.len() - 32];
    let set = bits.iter().map(|byte| u64::from(byte.count_ones())).sum();
    let apply = |number_at: usize, gap: u64| {
        let mut code = vec![0u8; gap as usize / 8 + 1];
        (0..gap as usize).for_each(|at| code[at / 8] |= 1 << (at % 8));
        let mut made = [&delta[..144], &second[..bits_at], &code].concat();
        made[104..128].fill(0);
        made[number_at] = 1;
        let length = made.len() as u64;
        made[16..24].copy_from_slice(&length.to_le_bytes());
        let code_of_set = if number_at == 104 { code.len() as u64 } else { 0 };
        made[128..136].copy_from_slice(&code_of_set.to_le_bytes());
        let naming = Manifest { deltas: vec![offer("delta-1-2.hgd", &made, &first)], ..manifest.clone() };
        naming.apply_delta(&first, &made).unwrap_err()
    };
    for (number_at, places) in [(104, bits.len() as u64 * 8 - set), (112, set)] {
        assert_eq!(apply(number_at, 0).field, "result's SHA-256");
        assert_eq!(apply(number_at, places - 1).field, "result's SHA-256");
        assert_eq!(apply(number_at, places).got, "a gap past the filter's end");
    }
}

#[test]
fn a_damaged_base_or_full_file_is_refused() {
    let Release { files: [first, second], delta, manifest } = Release::new();
    manifest.verify_full(&second).unwrap();
    for bit in 0..first.len() * 8 {
        let flip = |file: &[u8]| {
            let mut file = file.to_vec();
            file[bit / 8] ^= 1 << (bit % 8);
            file
        };
        // If a delta applies to a changed base, only bytes that the delta replaces differed, and the result is the full
        // file.
        if let Ok(made) = manifest.apply_delta(&flip(&first), &delta) {
            assert!(made == second, "bit {bit} of the base");
        }
        assert!(manifest.verify_full(&flip(&second)).is_err(), "bit {bit} of the full file");
    }
    for length in 0..first.len() {
        assert!(manifest.apply_delta(&first[..length], &delta).is_err(), "base of {length} bytes");
    }
}

#[test]
fn a_delta_leads_to_the_later_release_whatever_changed() {
    let old = entries(0..300);
    let plan = Plan::new(&request(1), &old).unwrap();
    let base = write(&request(1), &plan, &old).unwrap();
    let info = Filter::open(base.clone()).unwrap().info().clone();
    // Compared with the old list, the new list is equal, has one hash more, has one fewer, shares no hash, has twice as
    // many, or has a single hash.
    for numbers in [0..300, 0..301, 0..299, 300..600, 0..600, 299..300] {
        let new = entries(numbers.clone());
        let plan = Plan::in_geometry_of(&info, &request(9), &new).unwrap();
        let file = write(&request(9), &plan, &new).unwrap();
        let delta = write_delta(&base, &file).unwrap();
        let to = Filter::open(file.clone()).unwrap().info().clone();
        let mut manifest = Manifest::of(&to, full_file("full", &file), ISSUED, EXPIRES);
        manifest.deltas = vec![offer("delta", &delta.bytes, &base)];
        assert!(manifest.apply_delta(&base, &delta.bytes).unwrap() == file, "{numbers:?}");
        assert_eq!(delta.set == 0 && delta.cleared == 0, numbers == (0..300), "{numbers:?}");
    }
}

#[test]
fn a_delta_across_geometries_or_backwards_is_refused() {
    let [first, second] = two_files();
    let refusal = |base: &[u8], file: &[u8]| write_delta(base, file).unwrap_err().to_string();
    assert_eq!(refusal(&second, &first), "base: expected a release before 1, got 2. Use the full file.");
    let many = entries(0..50);
    let wider = write(&request(3), &Plan::new(&request(3), &many).unwrap(), &many).unwrap();
    assert!(refusal(&second, &wider).starts_with("base: expected k = "), "{}", refusal(&second, &wider));
}

/// Tests a delta of the same proportions as `cargo run --release -p hashgate-bench --bin delta` does, with a tenth of
/// its hashes. The size of a delta grows with the number of changed hashes.
#[test]
fn a_hundred_new_hashes_in_a_hundred_thousand_cost_less_than_ten_kilobytes() {
    let pdq = |count| Entries { pdq: entries(0..count).pdq, ..Entries::default() };
    let plan = Plan::new(&request(1), &pdq(100_000)).unwrap();
    let base = write(&request(1), &plan, &pdq(100_000)).unwrap();
    let info = Filter::open(base.clone()).unwrap().info().clone();
    let plan = Plan::in_geometry_of(&info, &request(2), &pdq(100_100)).unwrap();
    let delta = write_delta(&base, &write(&request(2), &plan, &pdq(100_100)).unwrap()).unwrap();
    assert!(delta.bytes.len() < 10_000, "{} bytes", delta.bytes.len());
}

#[test]
fn a_key_reads_back_and_a_damaged_one_is_refused_without_being_shown() {
    let key = key("alpha");
    assert_eq!(Key::parse(&key.private()).unwrap().public(), key.public());
    for at in 0..key.private().len() {
        let mut damaged = key.private().into_bytes();
        damaged[at] ^= 1;
        let error = Key::parse(std::str::from_utf8(&damaged).unwrap()).unwrap_err();
        assert_eq!(error.code, RefusalCode::TrustInvalid);
        assert!(!error.to_string().contains(&key.private()[40..]), "{error}");
    }
    for name in ["", "a b", "a+b", "a\nb", "a\u{2003}b"] {
        assert!(Key::new(name, &[1; 32]).is_err(), "{name:?}");
    }
}

#[test]
fn a_cosigner_signs_once_and_nothing_that_no_reader_takes() {
    let made = Release::new();
    let once = made.note(&["alpha", "beta"]);
    assert_eq!(cosign(&once, &key("beta")).unwrap(), once);
    let manifest = Manifest::verify(&once, &trust(&["beta", "alpha"], 2)).unwrap();
    assert_eq!(manifest.signed_by, ["example.org/alpha", "example.org/beta"]);
    assert_eq!(Manifest { signed_by: vec![], text: String::new(), ..manifest }, made.manifest);
    let nonsense = sign_anything("hashgate release v1\nname x\n", "alpha");
    assert_eq!(cosign(nonsense.as_bytes(), &key("beta")).unwrap_err().code.as_str(), "manifest-field");
    let mut backwards = made.manifest.clone();
    backwards.expires_unix_s = 1;
    assert!(backwards.sign(&key("alpha")).unwrap_err().to_string().starts_with("expires: "));
}

#[test]
fn another_list_by_the_same_key_is_refused() {
    let note = Release::new().note(&["alpha"]);
    let verify = |name: &str, category: Option<&str>| {
        Manifest::verify(&note, &trust(&["alpha"], 1).for_list(name, category.map(str::to_owned)))
    };
    assert_eq!(verify("vector", None).unwrap().name, "vector");
    verify("vector", Some("numbered hashes")).unwrap();
    for (name, category, field) in
        [("Vector", None, "name"), ("vector ", None, "name"), ("vector", Some("others"), "category")]
    {
        let refusal = verify(name, category).unwrap_err();
        assert_eq!((refusal.code, refusal.field.as_str()), (RefusalCode::ManifestWrongList, field), "{refusal}");
    }
    // Signatures are verified before the content. A manifest with both a wrong signature and wrong content is refused
    // for the signature.
    let unsigned = Manifest::verify(&note, &trust(&["beta"], 1).for_list("another", None)).unwrap_err();
    assert_eq!(unsigned.code, RefusalCode::ManifestWrongKey);
}

#[test]
fn a_name_that_looks_like_another_is_refused_everywhere() {
    let release = Release::new();
    // Names with invisible or direction-changing characters, which are shown as "vector" or as its mirror image.
    for name in ["vec\u{202e}tor", "\u{2066}vector", "vec\u{200b}tor", "vec\u{ad}tor", "vector\u{feff}"] {
        let built = Plan::new(&request(1).with_name(name), &entries(0..3)).unwrap_err();
        assert_eq!((built.code, built.field.as_str()), (RefusalCode::BuildField, "name"), "{built}");
        let signed = Manifest { name: name.into(), ..release.manifest.clone() }.sign(&key("alpha")).unwrap_err();
        assert_eq!((signed.code, signed.field.as_str()), (RefusalCode::ManifestField, "name"), "{signed}");
        let text = String::from_utf8(release.note(&["alpha"])).unwrap();
        let text = text.split("\n\n").next().unwrap().replace("name vector", &format!("name {name}")) + "\n";
        let read = Manifest::verify(sign_anything(&text, "alpha").as_bytes(), &trust(&["alpha"], 1)).unwrap_err();
        assert_eq!((read.code, read.field.as_str()), (RefusalCode::ManifestField, "name"), "{read}");
    }
    // Puts such a name into a filter file, and corrects the file's checksum.
    let mut file = release.files[0].clone();
    let name = "ve\u{ad}or"; // as long as "vector" in UTF-8
    let at = file.windows(6).position(|window| window == b"vector").unwrap();
    file[at..at + 6].copy_from_slice(name.as_bytes());
    let end = file.len() - 32;
    let checksum = Sha256Digest::of(&file[..end]);
    file[end..].copy_from_slice(&checksum.0);
    let refusal = Filter::open(file).unwrap_err();
    assert_eq!((refusal.code, refusal.field.as_str()), (RefusalCode::FilterField, "name"), "{refusal}");
}
