//! Tests which cheating curators are caught, and by whom. The test also prints the table in `docs/lab/log.md`:
//! `cargo test -p hashgate-log --test cheating -- --nocapture`

use base64ct::{Base64, Encoding};
use hashgate::digest::Sha256Digest;
use hashgate::filter::build::{Entries, Plan, Request, write};
use hashgate::release::log::merkle::leaf;
use hashgate::release::log::sign::{WitnessKey, checkpoint};
use hashgate::release::log::{Checkpoint, LogTrust, Logged, write_proof};
use hashgate::release::sign::Key;
use hashgate::release::{FullFile, Manifest};
use hashgate::{Filter, RefusalCode};
use hashgate_log::tree::Tree;
use hashgate_log::witness::{Log, Witness, hash_of};
use tempfile::TempDir;

const NOW: u64 = 1_790_000_000;
const WITNESSES: usize = 3;
const THRESHOLD: usize = 2;

fn log_key() -> Key {
    Key::new("example.org/log", &[5; 32]).unwrap()
}

fn witness_key(number: usize) -> WitnessKey {
    WitnessKey::new(&format!("witness-{number}.example"), &[10 + number as u8; 32]).unwrap()
}

fn release(number: u64, listed: &str) -> Vec<u8> {
    let entries = Entries { sha256: vec![Sha256Digest::of(listed.as_bytes())], ..Entries::default() };
    let mut request = Request::new("Demo", "drawn");
    (request.release, request.built_at_unix_s) = (number, NOW);
    let file = write(&request, &Plan::new(&request, &entries).unwrap(), &entries).unwrap();
    let full = FullFile { path: "full.hgf".into(), bytes: file.len() as u64, sha256: Sha256Digest::of(&file) };
    let made = Manifest::of(Filter::open(file).unwrap().info(), full, NOW, NOW + 86_400);
    made.sign(&Key::new("example.org/list", &[4; 32]).unwrap()).unwrap().into_bytes()
}

/// The entries of a log that the curator shows to one audience.
#[derive(Clone, Default)]
struct View {
    entries: Vec<Vec<u8>>,
}

impl View {
    fn of(entries: &[Vec<u8>]) -> Self {
        Self { entries: entries.to_vec() }
    }

    fn tree(&self) -> Tree {
        Tree { leaves: self.entries.iter().map(|entry| leaf(entry)).collect() }
    }

    fn note(&self) -> String {
        let tree = self.tree();
        checkpoint(&log_key(), tree.size(), &tree.root(tree.size()).unwrap())
    }

    fn proof(&self, index: u64, note: &str) -> String {
        write_proof(index, &self.tree().inclusion(index, self.tree().size()).unwrap(), note)
    }
}

/// Three witnesses. The first `colluding` of them sign every checkpoint that they are shown.
struct World {
    colluding: usize,
    honest: Vec<(Witness, TempDir)>,
}

impl World {
    fn new(colluding: usize) -> Self {
        let honest = (colluding..WITNESSES).map(|number| {
            let folder = tempfile::tempdir().unwrap();
            let log = Log::new(&log_key().public(), None).unwrap();
            (Witness::open(witness_key(number), vec![log], folder.path()).unwrap(), folder)
        });
        Self { colluding, honest: honest.collect() }
    }

    /// Asks every witness for a cosignature of a view. Each gets a proof from the size that it knows, as a clever
    /// curator would send it. Returns the note with all cosignatures.
    fn cosign(&self, view: &View) -> String {
        let note = view.note();
        let mut lines: String =
            (0..self.colluding).map(|number| witness_key(number).cosign(note.as_bytes(), NOW).unwrap()).collect();
        for (witness, _) in &self.honest {
            let latest = witness.latest(&hash_of("example.org/log")).unwrap();
            let known = latest.map_or(0, |note| hashgate::release::log::read_unverified(&note).unwrap().1);
            let path = view.tree().consistency(known, view.tree().size()).unwrap_or_default();
            let path: String = path.iter().map(|hash| Base64::encode_string(hash) + "\n").collect();
            let answer = witness.add_checkpoint(format!("old {known}\n{path}\n{note}").as_bytes(), NOW);
            if answer.status == 200 {
                lines += &answer.body;
            }
        }
        note + &lines
    }

    fn trust(&self) -> LogTrust {
        let keys: Vec<_> = (0..WITNESSES).map(|number| witness_key(number).public()).collect();
        LogTrust::new(&log_key().public(), None).unwrap().witnessed_by(&keys, THRESHOLD).unwrap()
    }
}

/// Who noticed.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
enum Caught {
    /// The client refuses the release, and doesn't use it.
    ByClient(RefusalCode),
    /// The client accepts the release. But anybody who compares the client's checkpoint with another person's has a
    /// proof that the log was split.
    ByComparison,
}

/// Returns whether the checkpoints of two views contradict each other, so that they can't be of one log that only
/// grows.
fn contradict(a: &View, b: &View) -> bool {
    let (small, large) = if a.entries.len() <= b.entries.len() { (a, b) } else { (b, a) };
    let size = small.tree().size();
    large.tree().root(size) != small.tree().root(size)
}

/// Shows a release with its proof to the victim. `seen` is the checkpoint that the victim accepted before, and `public`
/// is the view that everybody else is shown.
fn show(world: &World, seen: Option<&Logged>, view: &View, index: u64, entry: &[u8], public: &View) -> Caught {
    let note = world.cosign(view);
    let proof = view.proof(index, &note);
    match Logged::verify(proof.as_bytes(), entry, &world.trust()) {
        Err(refusal) => Caught::ByClient(refusal.code),
        Ok(logged) => match seen.map(|seen| seen.check_successor(&logged)) {
            Some(Err(refusal)) => Caught::ByClient(refusal.code),
            _ => {
                assert!(contradict(view, public), "what nobody can notice must not be taken");
                Caught::ByComparison
            }
        },
    }
}

fn accepted(world: &World, view: &View, index: u64) -> Logged {
    let proof = view.proof(index, &world.cosign(view));
    Logged::verify(proof.as_bytes(), &view.entries[index as usize], &world.trust()).unwrap()
}

/// Shows one person another list: the log differs from the public one only in the last release.
fn two_views(world: &World) -> Caught {
    let public = View::of(&[release(1, "a"), release(2, "b")]);
    accepted(world, &public, 1);
    let secret = View::of(&[release(1, "a"), release(2, "b and one more")]);
    show(world, None, &secret, 1, &secret.entries[1], &public)
}

/// Goes back to an earlier state of the log, adds other releases, and shows that log to a victim who has seen the
/// public one.
fn rewind(world: &World) -> Caught {
    let public = View::of(&[release(1, "a"), release(2, "b"), release(3, "c")]);
    let seen = accepted(world, &public, 2);
    let secret = View::of(&[release(1, "a"), release(2, "b and one more"), release(3, "c")]);
    show(world, Some(&seen), &secret, 2, &secret.entries[2], &public)
}

/// Shows a release that isn't in the log, with the proof of another release.
fn hidden_release(world: &World) -> Caught {
    let public = View::of(&[release(1, "a"), release(2, "b")]);
    accepted(world, &public, 1);
    show(world, None, &public, 1, &release(2, "b and one more"), &public)
}

/// Signs two different releases at the same place of the log. The witnesses see the public one first, and then the
/// victim's.
fn equivocation(world: &World) -> Caught {
    let public = View::of(&[release(1, "a")]);
    accepted(world, &public, 0);
    let secret = View::of(&[release(1, "another")]);
    show(world, None, &secret, 0, &secret.entries[0], &public)
}

/// Lets the fork grow further than the public log, so that their sizes differ and the roots can't simply be compared.
fn fork_that_grows(world: &World) -> Caught {
    let public = View::of(&[release(1, "a"), release(2, "b")]);
    accepted(world, &public, 1);
    let secret = View::of(&[release(1, "a"), release(2, "b and one more"), release(3, "c"), release(4, "d")]);
    show(world, None, &secret, 3, &secret.entries[3], &public)
}

#[test]
fn nothing_that_should_be_caught_passes() {
    use Caught::{ByClient, ByComparison};
    use RefusalCode::{LogInconsistent, LogNotIncluded, LogTooFewWitnesses};
    type Attack = fn(&World) -> Caught;
    // Two of three witnesses must cosign. As long as fewer than two collude, clients refuse a fork at once. If two
    // collude, clients accept a fork, and two checkpoints prove that there is one. (A rewound log is refused by a
    // client that has seen the public one.)
    let attacks: [(&str, Attack, [Caught; 3]); 5] = [
        ("two views", two_views, [ByClient(LogTooFewWitnesses), ByClient(LogTooFewWitnesses), ByComparison]),
        ("rewind", rewind, [ByClient(LogTooFewWitnesses), ByClient(LogTooFewWitnesses), ByClient(LogInconsistent)]),
        ("hidden release", hidden_release, [ByClient(LogNotIncluded); 3]),
        (
            "equivocation at one index",
            equivocation,
            [ByClient(LogTooFewWitnesses), ByClient(LogTooFewWitnesses), ByComparison],
        ),
        (
            "fork that grows",
            fork_that_grows,
            [ByClient(LogTooFewWitnesses), ByClient(LogTooFewWitnesses), ByComparison],
        ),
    ];
    println!("| attack | 0 of 3 witnesses collude | 1 of 3 | 2 of 3 |\n|---|---|---|---|");
    for (name, attack, expected) in attacks {
        let got: Vec<_> = (0..3).map(|colluding| attack(&World::new(colluding))).collect();
        let cell = |caught: &Caught| match caught {
            ByClient(code) => format!("client refuses it: `{}`", code.as_str()),
            ByComparison => "client takes it; two checkpoints prove it".to_owned(),
        };
        println!("| {name} | {} |", got.iter().map(cell).collect::<Vec<_>>().join(" | "));
        assert_eq!(got, expected, "{name}");
    }
}

/// An honest witness that was shown the fork first doesn't cosign the public log any more. So to cheat one victim, the
/// curator loses the witness for everybody else.
#[test]
fn the_first_view_that_a_witness_sees_is_the_only_one() {
    let world = World::new(0);
    let secret = View::of(&[release(1, "a"), release(2, "b and one more")]);
    let public = View::of(&[release(1, "a"), release(2, "b")]);
    accepted(&world, &secret, 1);
    let note = world.cosign(&public);
    let refusal = Checkpoint::verify(note.as_bytes(), &world.trust()).unwrap_err();
    assert_eq!(refusal.code, RefusalCode::LogTooFewWitnesses);
}
