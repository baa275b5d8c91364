//! Tests which proofs that a release is in a public log are accepted, and which are refused. The vectors in
//! `tests/vectors/log/` carry their own expected outcome; both wasm builds pass them too
//! (`tests/browser/log-vectors.test.mjs`), and so does a reader written from the specification alone
//! (`tests/vectors/log.py`).
#![cfg(feature = "build")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use base64ct::{Base64, Encoding};
use hashgate::digest::Sha256Digest;
use hashgate::filter::build::{Entries, Plan, Request, write};
use hashgate::release::log::merkle::{Hash, empty_root, is_consistent, leaf, node, root_by_inclusion};
use hashgate::release::log::sign::{WitnessKey, checkpoint};
use hashgate::release::log::{Checkpoint, LogTrust, Logged, write_proof};
use hashgate::release::sign::{Key, cosign};
use hashgate::release::{FullFile, Manifest, Trust};
use hashgate::{Filter, Refusal, RefusalCode};

const ISSUED: u64 = 1_790_000_000;
const EXPIRES: u64 = ISSUED + 14 * 86_400;
/// When the witnesses cosigned.
const SEEN_AT: u64 = ISSUED + 30;

/// Makes a signing key from its name. Anyone can do the same, so such keys are for tests only.
fn key(name: &str) -> Key {
    Key::new(&format!("example.org/{name}"), &Sha256Digest::of(name.as_bytes()).0).unwrap()
}

fn witness(number: u8) -> WitnessKey {
    let name = format!("witness-{number}.example");
    WitnessKey::new(&name, &Sha256Digest::of(name.as_bytes()).0).unwrap()
}

/// A signed manifest of a release.
fn manifest(release: u64, extra: &str) -> Vec<u8> {
    let entries = Entries { sha256: vec![Sha256Digest::of(extra.as_bytes())], ..Entries::default() };
    let mut request = Request::new("vector", "numbered hashes");
    (request.release, request.built_at_unix_s) = (release, ISSUED);
    let file = write(&request, &Plan::new(&request, &entries).unwrap(), &entries).unwrap();
    let full = FullFile { path: "full.hgf".into(), bytes: file.len() as u64, sha256: Sha256Digest::of(&file) };
    let manifest = Manifest::of(Filter::open(file).unwrap().info(), full, ISSUED, EXPIRES);
    manifest.sign(&key("alpha")).unwrap().into_bytes()
}

fn root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => empty_root(),
        [one] => *one,
        _ => {
            let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
            node(&root(left), &root(right))
        }
    }
}

fn path(index: usize, leaves: &[Hash]) -> Vec<Hash> {
    if leaves.len() == 1 {
        return Vec::new();
    }
    let half = leaves.len().next_power_of_two() / 2;
    let (left, right) = leaves.split_at(half);
    let (mut proof, other) = if index < half { (path(index, left), right) } else { (path(index - half, right), left) };
    proof.push(root(other));
    proof
}

fn consistency(old: usize, leaves: &[Hash], whole: bool) -> Vec<Hash> {
    if old == leaves.len() {
        return if whole { Vec::new() } else { vec![root(leaves)] };
    }
    let half = leaves.len().next_power_of_two() / 2;
    let (left, right) = leaves.split_at(half);
    let (mut proof, other) = if old <= half {
        (consistency(old, left, whole), right)
    } else {
        (consistency(old - half, right, false), left)
    };
    proof.push(root(other));
    proof
}

fn numbered(count: u32) -> Vec<Hash> {
    (0..count).map(|n| leaf(&n.to_be_bytes())).collect()
}

#[test]
fn every_proof_of_small_trees_is_verified_and_no_other() {
    let leaves = numbered(40);
    for size in 1..=leaves.len() {
        let tree = &leaves[..size];
        for (index, &own) in tree.iter().enumerate() {
            let proof = path(index, tree);
            let leads =
                |at, of, leaf, proof: &[Hash]| root_by_inclusion(leaf, at as u64, of as u64, proof) == Some(root(tree));
            assert!(leads(index, size, own, &proof), "{index} of {size}");
            for other in (0..size + 2).filter(|&other| other != index) {
                assert!(!leads(other, size, own, &proof), "{index} of {size} as {other}");
            }
            assert!(!leads(index, size, [1; 32], &proof));
            if let Some((_, shorter)) = proof.split_last() {
                assert!(!leads(index, size, own, shorter));
            }
            assert!(!leads(index, size, own, &[&proof[..], &[[0; 32]]].concat()));
        }
        for old in 1..=size {
            let proof = consistency(old, tree, true);
            let holds = |old: usize, proof: &[Hash]| {
                is_consistent(old as u64, &root(&leaves[..old]), size as u64, &root(tree), proof)
            };
            assert!(holds(old, &proof), "{old} to {size}");
            assert!(!is_consistent(old as u64, &[1; 32], size as u64, &root(tree), &proof), "another old root");
            assert!(
                !is_consistent(old as u64, &root(&leaves[..old]), size as u64, &[1; 32], &proof),
                "another new root"
            );
            assert!(!holds(old, &[&proof[..], &[[0; 32]]].concat()));
            for at in 0..proof.len() {
                let mut other = proof.clone();
                other[at][0] ^= 1;
                assert!(!holds(old, &other), "{old} to {size}, hash {at}");
                assert!(!holds(old, &proof[..at]));
            }
        }
    }
    let five = root(&leaves[..5]);
    assert!(is_consistent(0, &empty_root(), 5, &five, &[]) && !is_consistent(0, &empty_root(), 5, &five, &[[0; 32]]));
    assert!(!is_consistent(6, &root(&leaves[..6]), 5, &five, &[]), "a smaller tree continues no larger one");
}

/// The examples in C2SP's specifications.
#[test]
fn the_examples_of_the_specifications_are_read() {
    let key = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
    assert!(LogTrust::new(key, None).is_ok(), "the key of signed-note's example");
    let note = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n\
                — example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n\
                — witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n";
    let (origin, size, root) = hashgate::release::log::read_unverified(note.as_bytes()).unwrap();
    assert_eq!((origin.as_str(), size), ("example.com/behind-the-sofa", 20_852_163));
    assert_eq!(Base64::encode_string(&root), "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=");
}

/// A test vector. Its file holds fields, a line `---`, the manifest, and the proof.
struct Vector {
    fields: Vec<(&'static str, String)>,
    manifest: Vec<u8>,
    proof: Vec<u8>,
}

impl Vector {
    fn new(expect: &str, manifest: &[u8], proof: impl Into<Vec<u8>>) -> Self {
        let mut fields =
            vec![("expect", expect.to_owned()), ("trust", key("alpha").public()), ("log", key("log").public())];
        fields.extend((1..=3).map(|number| ("witness", witness(number).public())));
        fields.push(("threshold", "2".to_owned()));
        fields.push(("now", (ISSUED + 60).to_string()));
        Self { fields, manifest: manifest.to_vec(), proof: proof.into() }
    }

    fn set(mut self, field: &'static str, value: impl ToString) -> Self {
        self.fields.retain(|(name, _)| *name != field);
        self.fields.push((field, value.to_string()));
        self
    }

    fn bytes(&self) -> Vec<u8> {
        let lines: String = self.fields.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
        let length = format!("manifest-bytes: {}\n---\n", self.manifest.len());
        [lines.as_bytes(), length.as_bytes(), &self.manifest, &self.proof].concat()
    }
}

/// A log of five releases.
struct Log {
    entries: Vec<Vec<u8>>,
}

impl Log {
    fn new(last: Vec<u8>) -> Self {
        Self { entries: (1..5).map(|release| manifest(release, "listed")).chain([last]).collect() }
    }

    fn leaves(&self) -> Vec<Hash> {
        self.entries.iter().map(|entry| leaf(entry)).collect()
    }

    fn checkpoint(&self, by: &Key) -> String {
        checkpoint(by, self.entries.len() as u64, &root(&self.leaves()))
    }

    /// Returns the checkpoint with cosignatures; each of `witnesses` is a witness's number and its time.
    fn cosigned(&self, witnesses: &[(u8, u64)]) -> String {
        let note = self.checkpoint(&key("log"));
        let line = |&(number, time): &(u8, u64)| witness(number).cosign(note.as_bytes(), time).unwrap();
        note.clone() + &witnesses.iter().map(line).collect::<String>()
    }

    fn proof(&self, index: u64, note: &str) -> String {
        write_proof(index, &path(index as usize, &self.leaves()), note)
    }
}

const BOTH: [(u8, u64); 2] = [(1, SEEN_AT), (2, SEEN_AT)];

fn vectors() -> BTreeMap<String, Vec<u8>> {
    let last = manifest(5, "listed");
    let log = Log::new(last.clone());
    let note = log.cosigned(&BOTH);
    let good = log.proof(4, &note);
    let replaced = |from: &str, to: &str| {
        assert!(good.contains(from), "{from}");
        good.replacen(from, to, 1)
    };
    let one = |expect: &str, proof: &str| Vector::new(expect, &last, proof);
    let cosigned = |expect: &str, by: &[(u8, u64)]| one(expect, &log.proof(4, &log.cosigned(by)));
    // A cheating curator shows one person another log, which differs only in the last release.
    let fork = Log::new(manifest(5, "listed for one person"));
    let seen = |log: &Log| format!("{} {} 4", log.entries.len(), Base64::encode_string(&root(&log.leaves())));
    let elsewhere = Log { entries: log.entries[..3].to_vec() };
    let other_log = log.checkpoint(&key("other-log"));
    let other_note = other_log.clone() + &witness(1).cosign(other_log.as_bytes(), SEEN_AT).unwrap();
    let signed_by_other = note.replacen("example.org/log ", "example.org/lag ", 1);
    let (text, _) = note.split_once("\n\n").unwrap();
    let cosign_of = |line: &str| note.lines().find(|found| found.starts_with(line)).unwrap().to_owned() + "\n";
    let twice =
        format!("{}{}", log.cosigned(&[(1, SEEN_AT)]), witness(1).cosign(note.as_bytes(), SEEN_AT + 9).unwrap());
    let of_fork = witness(2).cosign(fork.checkpoint(&key("log")).as_bytes(), SEEN_AT).unwrap();
    let hash_line = good.lines().nth(2).unwrap().to_owned() + "\n";
    let empty = write_proof(0, &[], &checkpoint(&key("log"), 0, &empty_root()));
    let two_signers = cosign(&last, &key("beta")).unwrap();
    let late = EXPIRES + 3600;
    let all = [
        ("ok", one("ok", &good)),
        ("ok-three-witnesses", cosigned("ok", &[(1, SEEN_AT), (2, SEEN_AT), (3, SEEN_AT)])),
        ("ok-first-entry", Vector::new("ok", &log.entries[0], log.proof(0, &note))),
        ("ok-extra-data", one("ok", &replaced("index 4", "extra aGVsbG8=\nindex 4"))),
        ("ok-unknown-signatures", one("ok", &(good.clone() + "— elsewhere.example AAAAAAAA\n"))),
        ("ok-clock-behind", one("ok", &good).set("now", ISSUED - 30 * 86_400)),
        ("ok-seen-before", one("ok", &good).set("seen-log", seen(&log))),
        ("ok-not-too-old", one("ok", &good).set("max-age", 3600).set("now", SEEN_AT + 3600)),
        ("ok-origin-by-name", one("ok", &good).set("origin", "example.org/log")),
        ("wrong-root", one("log-not-included", &log.proof(4, &fork.cosigned(&BOTH)))),
        ("wrong-index", one("log-not-included", &replaced("index 4", "index 3"))),
        ("wrong-index-beyond", one("log-not-included", &replaced("index 4", "index 5"))),
        ("wrong-manifest", Vector::new("log-not-included", &log.entries[3], good.clone())),
        ("signed-again-after-logging", Vector::new("log-not-included", &two_signers, good.clone())),
        (
            "wrong-hash",
            one("log-not-included", &replaced(&hash_line, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n")),
        ),
        ("hash-missing", one("log-not-included", &replaced(&hash_line, ""))),
        ("hash-too-many", one("log-not-included", &replaced(&hash_line, &hash_line.repeat(2)))),
        ("empty-log", one("log-not-included", &empty).set("threshold", 0)),
        ("stale-cosignatures", one("log-stale", &good).set("max-age", 3600).set("now", SEEN_AT + 3601)),
        ("stale-expired", one("manifest-expired", &good).set("now", EXPIRES)),
        (
            "stale-although-the-clock-is-behind",
            cosigned("manifest-expired", &[(1, late), (2, late)]).set("now", ISSUED),
        ),
        ("one-witness-moves-no-time", cosigned("ok", &[(1, SEEN_AT), (2, late)])),
        (
            "issued-ahead-of-witnesses",
            cosigned("manifest-not-yet-valid", &[(1, ISSUED - 86_401), (2, ISSUED - 86_401)]),
        ),
        (
            "forked-one-witness",
            Vector::new("log-too-few-witnesses", &fork.entries[4], fork.proof(4, &fork.cosigned(&BOTH[..1]))),
        ),
        ("forked-seen-before", one("log-inconsistent", &good).set("seen-log", seen(&fork))),
        (
            "rewound-and-grown-elsewhere",
            Vector::new("log-inconsistent", &elsewhere.entries[2], elsewhere.proof(2, &elsewhere.cosigned(&BOTH)))
                .set("seen-log", seen(&log).replace(" 4", " 1")),
        ),
        ("too-few-witnesses-none", cosigned("log-too-few-witnesses", &[])),
        ("too-few-witnesses-one", cosigned("log-too-few-witnesses", &[(1, SEEN_AT)])),
        ("too-few-witnesses-one-twice", one("log-too-few-witnesses", &log.proof(4, &twice))),
        ("too-few-witnesses-strangers", cosigned("log-too-few-witnesses", &[(1, SEEN_AT), (9, SEEN_AT), (8, SEEN_AT)])),
        ("wrong-origin", one("log-wrong-origin", &log.proof(4, &other_note))),
        ("wrong-origin-by-option", one("log-wrong-origin", &good).set("origin", "example.org/another")),
        ("wrong-key", one("log-wrong-key", &good).set("log", Key::new("example.org/log", &[3; 32]).unwrap().public())),
        ("wrong-key-by-name", one("log-wrong-key", &log.proof(4, &signed_by_other))),
        (
            "wrong-key-witness-as-log",
            one("log-wrong-key", &log.proof(4, &format!("{text}\n\n{}", cosign_of("— witness-1")))),
        ),
        (
            "bad-signature-of-another-checkpoint",
            one("log-bad-signature", &(log.proof(4, &log.cosigned(&BOTH[..1])) + &of_fork)),
        ),
        (
            "bad-signature-time",
            one("log-bad-signature", &{
                let line = cosign_of("— witness-2");
                let (name, data) = line.trim_end().rsplit_once(' ').unwrap();
                let mut data = Base64::decode_vec(data).unwrap();
                data[11] ^= 1;
                replaced(line.trim_end(), &format!("{name} {}", Base64::encode_string(&data)))
            }),
        ),
        ("syntax-first-line", one("log-syntax", &replaced("@v1", "@v2"))),
        ("syntax-no-index", one("log-syntax", &replaced("index 4\n", ""))),
        ("syntax-index-zeros", one("log-syntax", &replaced("index 4", "index 04"))),
        ("syntax-index-sign", one("log-syntax", &replaced("index 4", "index +4"))),
        ("syntax-size-zeros", one("log-syntax", &replaced("\n5\n", "\n05\n"))),
        ("syntax-short-hash", one("log-syntax", &replaced(&hash_line, "AAAA\n"))),
        ("syntax-bad-extra", one("log-syntax", &replaced("index 4", "extra !\nindex 4"))),
        ("syntax-carriage-returns", one("log-syntax", &good.replace('\n', "\r\n"))),
        ("truncated-in-checkpoint", one("log-syntax", &good[..good.len() - 40])),
        ("truncated-before-checkpoint", one("log-syntax", &good[..good.find("\n\n").unwrap()])),
        ("truncated-empty", one("log-syntax", "")),
        ("too-long", one("log-syntax", &"x".repeat(65_537))),
        ("trust-witness-twice", one("trust-invalid", &good).set("witness", witness(1).public())),
        (
            "trust-log-key-as-witness",
            one("trust-invalid", &good).set("witness", key("log").public()).set("threshold", 1),
        ),
        ("trust-threshold-too-high", one("trust-invalid", &good).set("threshold", 4)),
        ("trust-witness-key-as-log", one("trust-invalid", &good).set("log", witness(1).public())),
    ];
    let told = Manifest {
        withdrawn: Some(3),
        policy: Some("https://example.org/policy?of=list#what".into()),
        appeals: Some("mailto:appeals@example.org".into()),
        jurisdiction: Some("République d’Exemple".into()),
        ..Manifest::read_unverified(&last).unwrap()
    };
    let told = Log { entries: vec![told.sign(&key("alpha")).unwrap().into_bytes()] };
    let told = Vector::new("ok", &told.entries[0], told.proof(0, &told.cosigned(&BOTH)));
    let mut all: Vec<_> =
        all.into_iter().chain([("ok-who-decides", told)]).map(|(name, vector)| (name.to_owned(), vector)).collect();
    let repeated = all.iter_mut().find(|(name, _)| name == "trust-witness-twice").unwrap();
    repeated.1.fields.push(("witness", witness(1).public()));
    all.into_iter().map(|(name, vector)| (format!("{name}.txt"), vector.bytes())).collect()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/log")
}

/// Asserts that the committed vectors are made again byte by byte, because the formats are frozen. `BLESS=1` rewrites
/// them.
#[test]
fn the_committed_vectors_are_reproduced() {
    let made = vectors();
    if std::env::var_os("BLESS").is_some() {
        let _ = std::fs::remove_dir_all(folder());
        std::fs::create_dir_all(folder()).unwrap();
        for (name, bytes) in &made {
            std::fs::write(folder().join(name), bytes).unwrap();
        }
    }
    let there: BTreeMap<_, _> = std::fs::read_dir(folder())
        .unwrap()
        .map(|file| file.unwrap().path())
        .map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), std::fs::read(path).unwrap()))
        .collect();
    assert_eq!(there.keys().collect::<Vec<_>>(), made.keys().collect::<Vec<_>>());
    for (name, bytes) in made {
        assert!(there[&name] == bytes, "{name}: other bytes");
    }
}

/// Verifies the manifest and the proof of a vector as a client does.
fn outcome(fields: &[(&str, &str)], manifest: &[u8], proof: &[u8]) -> Result<(), Refusal> {
    let all =
        |name: &str| fields.iter().filter(|(field, _)| *field == name).map(|(_, value)| *value).collect::<Vec<_>>();
    let one = |name: &str| all(name).first().copied();
    let number = |name: &str| one(name).unwrap().parse::<u64>().unwrap();
    let list = Manifest::verify(manifest, &Trust::new(&all("trust"), 1)?)?;
    let mut trust = LogTrust::new(one("log").unwrap(), one("origin"))?;
    if number("threshold") > 0 {
        trust = trust.witnessed_by(&all("witness"), number("threshold") as usize)?;
    }
    if one("max-age").is_some() {
        trust = trust.no_older_than(number("max-age"));
    }
    let logged = Logged::verify(proof, manifest, &trust)?;
    if let Some(seen) = one("seen-log") {
        let [size, root, index] = seen.split(' ').collect::<Vec<_>>()[..] else { panic!("{seen}") };
        let root = Base64::decode_vec(root).unwrap().try_into().unwrap();
        let checkpoint = Checkpoint { size: size.parse().unwrap(), root, ..logged.checkpoint.clone() };
        Logged { index: index.parse().unwrap(), checkpoint }.check_successor(&logged)?;
    }
    logged.check_freshness(&list, &trust, number("now"), 0)
}

#[test]
fn every_vector_has_the_outcome_that_it_says() {
    let made = vectors();
    assert!(made.len() > 50, "{}", made.len());
    for (name, bytes) in made {
        let at = bytes.windows(4).position(|four| four == b"---\n").unwrap();
        let fields = std::str::from_utf8(&bytes[..at]).unwrap();
        let fields: Vec<_> = fields.lines().map(|line| line.split_once(": ").unwrap()).collect();
        let value = |name: &str| fields.iter().find(|(field, _)| *field == name).unwrap().1;
        let (manifest, proof) = bytes[at + 4..].split_at(value("manifest-bytes").parse().unwrap());
        let got = outcome(&fields, manifest, proof).map_or_else(|refusal| refusal.code.as_str(), |()| "ok");
        assert_eq!(got, value("expect"), "{name}");
    }
}

#[test]
fn every_flipped_bit_and_every_truncation_is_refused() {
    let last = manifest(5, "listed");
    let log = Log::new(last.clone());
    let proof = log.proof(4, &log.cosigned(&BOTH)).into_bytes();
    let trust = LogTrust::new(&key("log").public(), None).unwrap();
    let trust = trust.witnessed_by(&[witness(1).public(), witness(2).public()], 2).unwrap();
    let refused = |proof: &[u8], manifest: &[u8], what: &str| {
        let code = Logged::verify(proof, manifest, &trust).unwrap_err().code.as_str();
        assert!(code.starts_with("log-"), "{what}: {code}");
    };
    assert!(Logged::verify(&proof, &last, &trust).is_ok());
    for bit in 0..proof.len() * 8 {
        let mut flipped = proof.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        refused(&flipped, &last, &format!("bit {bit} of the proof"));
    }
    for length in 0..proof.len() {
        refused(&proof[..length], &last, &format!("{length} bytes of the proof"));
    }
    for bit in (0..last.len() * 8).step_by(3) {
        let mut flipped = last.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        refused(&proof, &flipped, &format!("bit {bit} of the manifest"));
    }
    let note = log.cosigned(&BOTH);
    let checkpoint = Checkpoint::verify(note.as_bytes(), &trust).unwrap();
    assert_eq!((checkpoint.size, checkpoint.witnessed_unix_s, checkpoint.witnesses.len()), (5, SEEN_AT, 2));
}

#[test]
fn a_witness_key_signs_cosignatures_alone_and_stays_secret() {
    let key = witness(1);
    assert_eq!(WitnessKey::parse(&key.private()).unwrap().public(), key.public());
    assert!(Key::parse(&key.private()).is_err(), "a manifest can't be signed with it");
    assert!(WitnessKey::parse(&self::key("log").private()).is_err());
    assert!(Trust::new(&[key.public()], 1).is_err(), "nor does its signature count for one");
    assert!(!format!("{key:?}").contains("PRIVATE"));
    let refusal = WitnessKey::new("a name", &[7; 32]).unwrap_err();
    assert_eq!(refusal.code, RefusalCode::TrustInvalid);
}

#[test]
fn a_manifest_says_who_decides_and_how_to_object() {
    let made = manifest(1, "listed");
    let mut manifest = Manifest::read_unverified(&made).unwrap();
    let plain = manifest.clone();
    manifest.withdrawn = Some(3);
    manifest.policy = Some("https://example.org/policy".into());
    manifest.appeals = Some("mailto:appeals@example.org".into());
    manifest.jurisdiction = Some("France".into());
    let read = Manifest::read_unverified(manifest.sign(&key("alpha")).unwrap().as_bytes()).unwrap();
    assert_eq!(
        (read.withdrawn, read.policy, read.appeals, read.jurisdiction),
        (Some(3), manifest.policy.clone(), manifest.appeals.clone(), manifest.jurisdiction.clone())
    );
    assert!(read.text.starts_with(&plain.text), "the lines come after all others");
    for bad in
        ["javascript:alert(1)", "http://example.org/", "https://", "https://a b", "https://example.org/\"x", "mailto:x"]
    {
        let manifest = Manifest { policy: Some(bad.into()), ..manifest.clone() };
        assert_eq!(manifest.sign(&key("alpha")).unwrap_err().code, RefusalCode::ManifestField, "{bad}");
    }
}
