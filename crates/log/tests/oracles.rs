//! Reads the output of this crate by other implementations (Cloudflare's `tlog_tiles` and `signed_note`, and `sigsum`).

use base64ct::Encoding;
use ed25519_dalek::{Signer, SigningKey};
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

/// Reads the last line of a signed note: the bytes after the key's ID.
fn signed(note: &str) -> Vec<u8> {
    let encoded = note.lines().last().unwrap().rsplit(' ').next().unwrap();
    base64ct::Base64::decode_vec(encoded).unwrap()[4..].to_vec()
}

/// Sigsum's own library takes proofs that are made of our tree, our checkpoints and our witnesses. Its logs differ from
/// ours in the entries and in the log's name alone.
#[test]
fn the_library_of_sigsum_takes_proofs() {
    let hex = |bytes: &[u8]| bytes.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
    let public = |seed: u8| SigningKey::from_bytes(&[seed; 32]).verifying_key().to_bytes();
    let message = sigsum::Hash::new("a release");
    let checksum = sigsum::Hash::new(&message);
    let statement = [b"sigsum.org/v1/tree-leaf\0".as_slice(), checksum.as_ref()].concat();
    let signature = SigningKey::from_bytes(&[4; 32]).sign(&statement).to_bytes();
    let entry = [checksum.as_ref(), &signature, sigsum::Hash::new(public(4)).as_ref()].concat();

    let (size, index) = (70, 33);
    let mut tree = tree(70);
    tree.leaves[33] = leaf(&entry);
    let root = tree.root(size).unwrap();
    let log = sigsum::Hash::new(public(5));
    let note = checkpoint(&Key::new(&format!("sigsum.org/v1/tree/{log:x}"), &[5; 32]).unwrap(), size, &root);
    let cosignature = |seed: u8| {
        let line = WitnessKey::new("witness.example", &[seed; 32]).unwrap().cosign(note.as_bytes(), 1_790_000_000);
        let signature = hex(&signed(&line.unwrap())[8..]);
        format!("cosignature={:x} 1790000000 {signature}\n", sigsum::Hash::new(public(seed)))
    };
    let proof = |witnesses: &[u8], nodes: &[Hash]| {
        format!(
            "version=2\nlog={log:x}\nleaf={:x} {}\n\nsize={size}\nroot_hash={}\nsignature={}\n{}\nleaf_index={index}\n{}",
            sigsum::Hash::new(public(4)),
            hex(&signature),
            hex(&root),
            hex(&signed(&note)),
            witnesses.iter().map(|seed| cosignature(*seed)).collect::<String>(),
            nodes.iter().map(|node| format!("node_hash={}\n", hex(node))).collect::<String>(),
        )
    };
    let policy = sigsum::Policy::parse(&format!(
        "log {} https://log.example\nwitness a {}\nwitness b {}\nwitness c {}\ngroup two 2 a b c\nquorum two\n",
        hex(&public(5)),
        hex(&public(6)),
        hex(&public(7)),
        hex(&public(8)),
    ))
    .unwrap();
    let verdict = |proof: &str| {
        let signature = sigsum::SigsumSignature::from_ascii(proof).unwrap();
        sigsum::verify(&message, &signature, &[public(4).into()], &policy).map_err(|error| error.to_string())
    };
    let mut nodes = tree.inclusion(index, size).unwrap();
    verdict(&proof(&[6, 8], &nodes)).unwrap();
    verdict(&proof(&[6, 7, 8], &nodes)).unwrap();
    // The library does check: it refuses one witness of two, and a proof with one wrong hash.
    assert!(verdict(&proof(&[6], &nodes)).unwrap_err().contains("not enough"));
    nodes[2][0] ^= 1;
    assert!(verdict(&proof(&[6, 8], &nodes)).unwrap_err().contains("inclusion"));
}
