//! Tests a witness by the rules of C2SP's tlog-witness.

use std::path::Path;

use base64ct::{Base64, Encoding};
use hashgate::release::log::merkle::{Hash, empty_root, leaf};
use hashgate::release::log::sign::{WitnessKey, checkpoint};
use hashgate::release::log::{Checkpoint, LogTrust};
use hashgate::release::sign::Key;
use hashgate_log::tree::Tree;
use hashgate_log::witness::{Answer, Log, SIZE_TYPE, Witness, hash_of};

const NOW: u64 = 1_790_000_000;

fn log_key() -> Key {
    Key::new("example.org/log", &[5; 32]).unwrap()
}

fn tree(size: u32) -> Tree {
    Tree { leaves: (0..size).map(|n| leaf(&n.to_be_bytes())).collect() }
}

fn open(folder: &Path) -> Witness {
    let key = WitnessKey::new("witness.example", &[6; 32]).unwrap();
    Witness::open(key, vec![Log::new(&log_key().public(), None).unwrap()], folder).unwrap()
}

fn note(tree: &Tree) -> String {
    checkpoint(&log_key(), tree.size(), &tree.root(tree.size()).unwrap())
}

fn request(old: u64, path: &[Hash], note: &str) -> String {
    let path: String = path.iter().map(|hash| Base64::encode_string(hash) + "\n").collect();
    format!("old {old}\n{path}\n{note}")
}

fn ask(witness: &Witness, old: u64, tree: &Tree) -> Answer {
    let path = tree.consistency(old, tree.size()).unwrap();
    witness.add_checkpoint(request(old, &path, &note(tree)).as_bytes(), NOW)
}

#[test]
fn each_request_has_the_status_that_the_specification_gives_it() {
    let folder = tempfile::tempdir().unwrap();
    let witness = open(folder.path());
    let (five, nine) = (tree(5), tree(9));
    let status = |body: &str| witness.add_checkpoint(body.as_bytes(), NOW).status;
    assert_eq!(witness.latest(&hash_of("example.org/log")).unwrap(), None);
    let answer = ask(&witness, 0, &five);
    assert_eq!(answer.status, 200);
    let trust = LogTrust::new(&log_key().public(), None).unwrap();
    let key = WitnessKey::new("witness.example", &[6; 32]).unwrap().public();
    let trust = trust.witnessed_by(&[key], 1).unwrap();
    let cosigned = Checkpoint::verify((note(&five) + &answer.body).as_bytes(), &trust).unwrap();
    assert_eq!(cosigned.witnessed_unix_s, NOW);
    // The witness stores and hands out the same checkpoint, with the signatures of the log and of the witness.
    let latest = witness.latest(&hash_of("example.org/log")).unwrap().unwrap();
    assert_eq!(Checkpoint::verify(&latest, &trust).unwrap().size, 5);
    assert_eq!(witness.latest(&hash_of("example.org/another")).unwrap(), None);

    // If the request assumes another size than the witness knows, the answer tells the known size.
    let conflict = ask(&witness, 0, &nine);
    assert_eq!((conflict.status, conflict.content_type, conflict.body.as_str()), (409, SIZE_TYPE, "5\n"));
    assert_eq!(ask(&witness, 5, &nine).status, 200);
    assert_eq!(ask(&witness, 5, &nine).status, 409);
    assert_eq!(ask(&witness, 9, &nine).status, 200, "the same again, for a newer time");

    // The witness refuses: another tree of the same size, a larger tree that doesn't continue the known one, a proof
    // where none is needed, and a tree that is smaller than its "old" size.
    let mut fork = tree(9);
    fork.leaves[8] = [7; 32];
    assert_eq!(status(&request(9, &[], &note(&fork))), 422);
    let mut fork = tree(12);
    fork.leaves[3] = [7; 32];
    assert_eq!(ask(&witness, 9, &fork).status, 422);
    assert_eq!(status(&request(9, &[[0; 32]], &note(&nine))), 422);
    assert_eq!(status(&request(9, &[], &note(&five))), 400);
    assert_eq!(status(&request(5, &[], &note(&five))), 409, "going back");

    // The witness refuses a checkpoint of an unknown log, and invalid signatures.
    let stranger = Key::new("example.org/stranger", &[5; 32]).unwrap();
    assert_eq!(status(&request(9, &[], &checkpoint(&stranger, 9, &nine.root(9).unwrap()))), 404);
    let impostor = Key::new("example.org/log", &[8; 32]).unwrap();
    assert_eq!(status(&request(9, &[], &checkpoint(&impostor, 9, &nine.root(9).unwrap()))), 403);
    let good = note(&nine);
    let other_line = note(&five).lines().last().unwrap().to_owned() + "\n";
    assert_eq!(status(&request(9, &[], &(good.clone() + &other_line))), 403, "a bad line beside a good one");

    // Malformed request bodies.
    for body in ["", "old 9", "old 09\n\n", "old -1\n\n", "old 9\nAAAA\n\n"] {
        assert_eq!(status(&format!("{body}{good}")), 400, "{body:?}");
    }
    assert_eq!(status(&request(9, &[[0; 32]; 64], &good)), 400);
    assert_eq!(status(&request(9, &[], good.trim_end())), 400);
    assert_eq!(ask(&witness, 9, &tree(12)).status, 200, "nothing of this harmed it");
}

#[test]
fn an_empty_log_has_the_root_of_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let witness = open(folder.path());
    let of =
        |root: &Hash| witness.add_checkpoint(request(0, &[], &checkpoint(&log_key(), 0, root)).as_bytes(), NOW).status;
    assert_eq!((of(&[0; 32]), of(&empty_root())), (422, 200));
    assert_eq!(ask(&witness, 0, &tree(3)).status, 200);
}

#[test]
fn what_was_cosigned_outlives_the_process_and_belongs_to_one() {
    let folder = tempfile::tempdir().unwrap();
    let witness = open(folder.path());
    assert_eq!(ask(&witness, 0, &tree(5)).status, 200);
    let key = WitnessKey::new("witness.example", &[6; 32]).unwrap();
    assert!(Witness::open(key, Vec::new(), folder.path()).is_err(), "two witnesses of one memory");
    drop(witness);
    let mut fork = tree(5);
    fork.leaves[4] = [7; 32];
    let witness = open(folder.path());
    assert_eq!(ask(&witness, 0, &fork).status, 409);
    assert_eq!(ask(&witness, 5, &fork).status, 422);
    assert_eq!(ask(&witness, 5, &tree(6)).status, 200);
}

/// The specification describes a race: several requests continue the stored checkpoint at the same time. Exactly one of
/// them may get a cosignature.
#[test]
fn requests_at_once_never_go_back() {
    let folder = tempfile::tempdir().unwrap();
    let witness = open(folder.path());
    assert_eq!(ask(&witness, 0, &tree(2)).status, 200);
    let won = std::thread::scope(|scope| {
        let asked: Vec<_> = (3..19)
            .map(|size| {
                scope.spawn({
                    let witness = &witness;
                    move || (size, ask(witness, 2, &tree(size)).status)
                })
            })
            .collect();
        let answers: Vec<_> = asked.into_iter().map(|thread| thread.join().unwrap()).collect();
        answers.into_iter().filter(|&(_, status)| status == 200).map(|(size, _)| size).collect::<Vec<_>>()
    });
    assert_eq!(won.len(), 1, "{won:?}");
    assert_eq!(ask(&witness, won[0].into(), &tree(won[0])).status, 200);
}
