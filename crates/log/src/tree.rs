//! The Merkle tree of a log. Keeps the hash of every leaf in memory, because there are few: a log with one release per
//! day has 3,650 leaves after ten years.

use hashgate::release::log::merkle::{Hash, empty_root, node};

/// The hashes of the leaves of a log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tree {
    /// Hashes of the entries, in order.
    pub leaves: Vec<Hash>,
}

impl Tree {
    /// Returns the number of entries.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.leaves.len() as u64
    }

    /// Returns the root of the first `size` entries. Returns `None` if there are fewer.
    #[must_use]
    pub fn root(&self, size: u64) -> Option<Hash> {
        Some(root(self.first(size)?))
    }

    /// Returns the proof that the entry at `index` is among the first `size` (RFC 6962, section 2.1.1).
    #[must_use]
    pub fn inclusion(&self, index: u64, size: u64) -> Option<Vec<Hash>> {
        let leaves = self.first(size)?;
        let index = usize::try_from(index).ok().filter(|&index| index < leaves.len())?;
        Some(path(index, leaves))
    }

    /// Returns the proof that the log of `new` entries begins with the log of `old` entries (RFC 6962, section 2.1.2).
    #[must_use]
    pub fn consistency(&self, old: u64, new: u64) -> Option<Vec<Hash>> {
        let leaves = self.first(new)?;
        let old = usize::try_from(old).ok().filter(|&old| old <= leaves.len())?;
        Some(if old == 0 { Vec::new() } else { subproof(old, leaves, true) })
    }

    fn first(&self, size: u64) -> Option<&[Hash]> {
        self.leaves.get(..usize::try_from(size).ok()?)
    }
}

/// Returns the root of a tree.
#[must_use]
pub fn root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => empty_root(),
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(split(leaves.len()));
            node(&root(left), &root(right))
        }
    }
}

/// The largest power of two below a number of at least 2.
fn split(size: usize) -> usize {
    size.next_power_of_two() / 2
}

fn path(index: usize, leaves: &[Hash]) -> Vec<Hash> {
    if leaves.len() == 1 {
        return Vec::new();
    }
    let (left, right) = leaves.split_at(split(leaves.len()));
    let (mut proof, sibling) =
        if index < left.len() { (path(index, left), right) } else { (path(index - left.len(), right), left) };
    proof.push(root(sibling));
    proof
}

fn subproof(old: usize, leaves: &[Hash], is_whole: bool) -> Vec<Hash> {
    if old == leaves.len() {
        return if is_whole { Vec::new() } else { vec![root(leaves)] };
    }
    let (left, right) = leaves.split_at(split(leaves.len()));
    let (mut proof, other) = if old <= left.len() {
        (subproof(old, left, is_whole), right)
    } else {
        (subproof(old - left.len(), right, false), left)
    };
    proof.push(root(other));
    proof
}
