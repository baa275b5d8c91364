//! Reads the output of this crate by other implementations (Cloudflare's `tlog_tiles` and `signed_note`).

use hashgate::release::log::merkle::{Hash, leaf};
use hashgate::release::log::sign::{WitnessKey, checkpoint};
use hashgate::release::log::{Checkpoint, LogTrust};
use hashgate::release::sign::Key;
use hashgate_log::tiles::{self, Tile};
use hashgate_log::tree::Tree;
use signed_note::{Note, StandardVerifier, Verifier};

fn tree(size: u32) -> Tree {
    Tree { leaves: (0..size).map(|n| leaf(&n.to_be_bytes())).collect() }
}

fn theirs(hash: Hash) -> tlog_tiles::Hash {
    tlog_tiles::Hash(hash)
}

#[test]
fn another_reader_takes_every_proof() {
    assert_eq!(tlog_tiles::record_hash(b"entry").0, leaf(b"entry"));
    let tree = tree(70);
    for size in 1..=70 {
        let root = theirs(tree.root(size).unwrap());
        for index in 0..size {
            let proof = tree.inclusion(index, size).unwrap().into_iter().map(theirs).collect();
            tlog_tiles::check_record(&proof, size, root, index, theirs(tree.leaves[index as usize])).unwrap();
        }
        for old in 1..=size {
            let proof = tree.consistency(old, size).unwrap().into_iter().map(theirs).collect();
            tlog_tiles::check_tree(&proof, size, root, old, theirs(tree.root(old).unwrap())).unwrap();
        }
    }
}

#[test]
fn another_writer_names_the_same_tiles() {
    for (old, size) in [(0, 1), (0, 255), (255, 256), (256, 257), (0, 70_000), (65_535, 65_536), (69_999, 70_000)] {
        let leaves = vec![[1; 32]; size as usize];
        let mut ours: Vec<_> = tiles::hashes(&leaves, old).iter().map(|(tile, _)| tile.path()).collect();
        // The paths of `tlog_tiles` also contain the height of the tiles (8), as the paths of Go's checksum database
        // do.
        let mut theirs: Vec<_> = tlog_tiles::Tile::new_tiles(8, old, size)
            .iter()
            .map(|tile| tile.path().replacen("tile/8/", "tile/", 1))
            .collect();
        ours.sort_unstable();
        theirs.sort_unstable();
        assert_eq!(ours, theirs, "{old} to {size}");
    }
    for index in [0, 999, 1000, 1_234_067] {
        let their = tlog_tiles::Tile::new(8, 1, index, 256, false).path();
        assert_eq!(Tile { level: Some(1), index, width: 256 }.path(), their.replacen("tile/8/", "tile/", 1));
    }
}

#[test]
fn another_reader_takes_checkpoints_and_their_signatures() {
    let key = Key::new("example.org/log", &[5; 32]).unwrap();
    let tree = tree(5);
    let note = checkpoint(&key, 5, &tree.root(5).unwrap());
    let read = Note::from_bytes(note.as_bytes()).unwrap();
    let theirs = tlog_tiles::Checkpoint::from_bytes(read.text()).unwrap();
    assert_eq!((theirs.origin(), theirs.size(), theirs.hash().0), ("example.org/log", 5, tree.root(5).unwrap()));
    let verifier = StandardVerifier::new(&key.public()).unwrap();
    let line = note.lines().last().unwrap();
    let signature = signed_note::Signature::from_bytes(line.as_bytes()).unwrap();
    assert_eq!((verifier.name(), verifier.key_id()), (signature.name(), signature.id()));
    assert!(verifier.verify(read.text(), signature.signature()));
    // Other implementations also read a cosigned checkpoint as a note. The cosignature begins with its timestamp, in 8
    // bytes.
    let witness = WitnessKey::new("witness.example", &[6; 32]).unwrap();
    let cosigned = note.clone() + &witness.cosign(note.as_bytes(), 1_679_315_147).unwrap();
    let last = cosigned.lines().last().unwrap();
    let signature = signed_note::Signature::from_bytes(last.as_bytes()).unwrap();
    assert_eq!(signature.signature().len(), 8 + 64);
    assert_eq!(signature.signature()[..8], 1_679_315_147_u64.to_be_bytes());
    let trust = LogTrust::new(&key.public(), None).unwrap().witnessed_by(&[witness.public()], 1).unwrap();
    assert_eq!(Checkpoint::verify(cosigned.as_bytes(), &trust).unwrap().witnessed_unix_s, 1_679_315_147);
}
