//! Merkle trees of RFC 6962: the hashes of leaves and nodes, and the verification of proofs.

use sha2::{Digest, Sha256};

/// A SHA-256 of the tree: of a leaf, of a node, or of the root.
pub type Hash = [u8; 32];

/// Largest number of hashes in a proof. A tree with fewer than 2^63 entries is at most this high.
pub const MAX_PATH: usize = 63;

/// Returns the hash of an entry.
#[must_use]
pub fn leaf(entry: &[u8]) -> Hash {
    hash(0, entry, &[])
}

/// Returns the hash of the node above two others.
#[must_use]
pub fn node(left: &Hash, right: &Hash) -> Hash {
    hash(1, left, right)
}

/// Returns SHA-256 of the prefix and the parts. It isn't inlined, because each copy would add a kilobyte to the
/// browser's code.
#[inline(never)]
fn hash(prefix: u8, left: &[u8], right: &[u8]) -> Hash {
    Sha256::new().chain_update([prefix]).chain_update(left).chain_update(right).finalize().into()
}

/// Returns the root of the tree without entries.
#[must_use]
pub fn empty_root() -> Hash {
    Sha256::digest([]).into()
}

/// Returns the root to which an inclusion proof leads (RFC 9162, section 2.1.3.2). Returns `None` if the proof is too
/// long or too short for this index and size.
#[must_use]
pub fn root_by_inclusion(leaf: Hash, index: u64, size: u64, path: &[Hash]) -> Option<Hash> {
    let (mut at, mut last) = (index, size.checked_sub(1).filter(|&last| index <= last)?);
    let mut root = leaf;
    for sibling in path {
        if last == 0 {
            return None;
        }
        if at & 1 == 1 || at == last {
            root = node(sibling, &root);
            (at, last) = up_to_a_right_child(at, last);
        } else {
            root = node(&root, sibling);
        }
        (at, last) = (at >> 1, last >> 1);
    }
    (last == 0).then_some(root)
}

/// Returns whether the tree of `new_size` entries begins with the entries of the tree of `old_size` (RFC 9162, section
/// 2.1.4.2). Every tree begins with the empty tree; the proof of that is empty.
#[must_use]
pub fn is_consistent(old_size: u64, old_root: &Hash, new_size: u64, new_root: &Hash, path: &[Hash]) -> bool {
    if old_size == 0 {
        return path.is_empty() && *old_root == empty_root() && (new_size > 0 || new_root == old_root);
    }
    if old_size == new_size {
        return path.is_empty() && old_root == new_root;
    }
    let (true, Some((first, rest))) = (old_size < new_size, path.split_first()) else { return false };
    let (mut at, mut last) = (old_size - 1, new_size - 1);
    let whole = at.trailing_ones();
    (at, last) = (at >> whole, last >> whole);
    // If the old size is a power of two, the old tree is one subtree of the new tree. The proof would begin with its
    // root, which is known, so the proof leaves it out.
    let (start, rest) = if old_size.is_power_of_two() { (old_root, path) } else { (first, rest) };
    let (mut old, mut new) = (*start, *start);
    for hash in rest {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            old = node(hash, &old);
            new = node(hash, &new);
            (at, last) = up_to_a_right_child(at, last);
        } else {
            new = node(&new, hash);
        }
        (at, last) = (at >> 1, last >> 1);
    }
    last == 0 && old == *old_root && new == *new_root
}

/// From a leaf or node, goes up until it is a right child. Skips levels at which it is a left child without a sibling.
fn up_to_a_right_child(at: u64, last: u64) -> (u64, u64) {
    let levels = if at == 0 { 0 } else { at.trailing_zeros() };
    (at >> levels, last >> levels)
}
