//! Planning and writing a filter file (feature `build`: never part of the browser's code).

use sha2::{Digest, Sha256};

use super::{CANARIES, ESCALATION_UNIT, FIXED_HEADER, FilterInfo, MAGIC, MAX_TEXT, VERSION, quartered, quarterings};
use crate::bloom::{self, Bloom, Domain, Hasher, MAX_K, MAX_SLICE_BITS};
use crate::digest::{Md5Digest, Sha256Digest};
use crate::keys::{self, MAX_LOOKUP_BUDGET, MAX_RINGS};
use crate::pdq::{Orientation, PdqHash};
use crate::views;

/// What a list holds. The order and repetitions don't matter: the writer sorts and dedups.
#[derive(Debug, Clone, Default)]
pub struct Entries {
    /// PDQ hashes.
    pub pdq: Vec<PdqHash>,
    /// SHA-256 digests.
    pub sha256: Vec<Sha256Digest>,
    /// MD5 digests.
    pub md5: Vec<Md5Digest>,
}

impl Entries {
    /// Sorts and removes repetitions, so that the same list gives the same file.
    pub fn normalise(&mut self) {
        self.pdq.sort_unstable();
        self.pdq.dedup();
        self.sha256.sort_unstable();
        self.sha256.dedup();
        self.md5.sort_unstable();
        self.md5.dedup();
    }
}

/// What the owner of a list asks for.
#[derive(Debug, Clone)]
pub struct Request {
    /// Name of the list, 1 to 200 bytes of UTF-8 without control characters.
    pub name: String,
    /// What the list holds, under the same rules.
    pub category: String,
    /// Release number.
    pub release: u64,
    /// Build time in seconds since 1970 UTC, 0 if it isn't to be recorded.
    pub built_at_unix_s: u64,
    /// Ring keys of each PDQ hash, 1 to 4.
    pub rings: u32,
    /// FlipMasks a ring key of a whole-picture view, 1 to 65,536.
    pub lookup_budget: u32,
    /// FlipMasks a ring key of each further view, at most `lookup_budget`; [`FilterInfo::view_lookup_budget`] has the exceptions.
    pub view_lookup_budget: u32,
    /// Share of clean pictures that may hit, above 0 and below 1.
    pub escalation: f64,
    /// Room, in per cent of today's keys, for later releases of the same geometry, whose deltas
    /// are small. 0 sizes the filter for today's keys.
    pub headroom_percent: u32,
}

impl Request {
    /// The defaults, for a list of this name and category: two rings, an escalation rate of
    /// 1e-4, and the probe budgets that `docs/near-match.md` measures.
    #[must_use]
    pub fn new(name: impl Into<String>, category: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            category: category.into(),
            release: 1,
            built_at_unix_s: 0,
            rings: 2,
            lookup_budget: 8192,
            view_lookup_budget: 2048,
            escalation: 1e-4,
            headroom_percent: 0,
        }
    }
}

/// Why a filter can't be built.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum BuildError {
    /// A request or a list that no filter can meet.
    #[error("{field}: expected {expected}, got {got}")]
    Field {
        /// Which part of the request.
        field: &'static str,
        /// What was expected.
        expected: String,
        /// What was got.
        got: String,
    },
    /// A later release has more keys than its geometry was made for.
    #[error("capacity: the geometry holds {capacity} keys at its escalation rate, the list has {keys}")]
    Capacity {
        /// Keys that fit.
        capacity: u64,
        /// Keys there are.
        keys: u64,
    },
}

/// What a request leads to: the sizes and rates of the file, before it is built.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Slices.
    pub k: u32,
    /// Bits of each slice.
    pub slice_bits: u64,
    /// Keys to insert.
    pub keys: u64,
    /// Lookups of a clean picture, at most.
    pub lookups: u64,
    /// False-positive rate of one lookup that the escalation rate allows.
    pub allowed_rate: f64,
    /// False-positive rate of one lookup that is expected with `keys` keys.
    pub expected_rate: f64,
    /// Bytes of the file.
    pub file_bytes: u64,
}

impl Plan {
    /// Bits of filter for each key.
    #[must_use]
    pub fn bits_per_key(&self) -> f64 {
        (u64::from(self.k) * self.slice_bits) as f64 / self.keys as f64
    }

    /// Expected share of clean pictures that hit.
    #[must_use]
    pub fn expected_escalation(&self) -> f64 {
        self.expected_rate * self.lookups as f64
    }

    /// Derives the geometry from what is asked and what there is.
    ///
    /// # Errors
    /// [`BuildError::Field`] names the part of the request that can't be met, and why.
    pub fn new(request: &Request, entries: &Entries) -> Result<Self, BuildError> {
        check_text("name", &request.name)?;
        check_text("category", &request.category)?;
        check("rings", (1..=MAX_RINGS).contains(&request.rings), "1 to 4", request.rings)?;
        check(
            "lookup budget",
            (1..=MAX_LOOKUP_BUDGET).contains(&request.lookup_budget),
            "1 to 65536",
            request.lookup_budget,
        )?;
        check(
            "view lookup budget",
            request.view_lookup_budget <= request.lookup_budget,
            "at most the lookup budget",
            request.view_lookup_budget,
        )?;
        let possible = request.escalation >= 1.0 / ESCALATION_UNIT as f64 && request.escalation < 1.0;
        check("escalation rate", possible, "from 1e-12 to below 1", request.escalation)?;
        let keys = count_keys(request.rings, entries);
        check("entries", keys > CANARIES as u64, "at least one PDQ hash, SHA-256 or MD5", 0)?;

        let lookups = lookups(request, entries);
        let allowed_rate = request.escalation / lookups as f64;
        let mut k = 1;
        while power(0.5, k) > allowed_rate {
            k += 1;
        }
        check(
            "escalation rate",
            k <= MAX_K,
            &format!(
                "at least {:e} with {lookups} lookups a picture (k = {MAX_K})",
                power(0.5, MAX_K) * lookups as f64
            ),
            request.escalation,
        )?;
        let capacity = keys + keys * u64::from(request.headroom_percent) / 100;
        // The smallest slice, in words of 64 bits, that keeps the rate. Only the four basic
        // operations, so that every platform finds the same one.
        let (mut too_small, mut enough) = (0, MAX_SLICE_BITS / 64);
        check(
            "entries",
            false_positive_rate(capacity, k, enough * 64) <= allowed_rate,
            "fewer keys: the largest slice is 2^32 bits",
            capacity,
        )?;
        while enough - too_small > 1 {
            let middle = too_small + (enough - too_small) / 2;
            if false_positive_rate(capacity, k, middle * 64) <= allowed_rate {
                enough = middle;
            } else {
                too_small = middle;
            }
        }
        Ok(Self::of_geometry(request, entries, k, enough * 64, lookups, allowed_rate))
    }

    /// The plan for another release of a list in the geometry of an earlier one.
    ///
    /// # Errors
    /// [`BuildError::Capacity`] if the list has outgrown it; [`BuildError::Field`] if another
    /// rate, budget or number of rings is asked for.
    pub fn in_geometry_of(earlier: &FilterInfo, request: &Request, entries: &Entries) -> Result<Self, BuildError> {
        let lookups = lookups(request, entries);
        let rings = if entries.pdq.is_empty() { 0 } else { request.rings };
        check("rings", rings == earlier.rings, "as in the earlier release", rings)?;
        check("lookups", lookups == earlier.lookups, "as in the earlier release", lookups)?;
        let parts = escalation_parts(request.escalation);
        check("escalation rate", parts == earlier.escalation_parts, "as in the earlier release", request.escalation)?;
        let allowed_rate = request.escalation / lookups as f64;
        let plan = Self::of_geometry(request, entries, earlier.k, earlier.slice_bits, lookups, allowed_rate);
        if plan.expected_rate > allowed_rate {
            let (mut fits, mut over) = (0, plan.keys);
            while over - fits > 1 {
                let middle = fits + (over - fits) / 2;
                if false_positive_rate(middle, plan.k, plan.slice_bits) <= allowed_rate {
                    fits = middle;
                } else {
                    over = middle;
                }
            }
            return Err(BuildError::Capacity { capacity: fits, keys: plan.keys });
        }
        Ok(plan)
    }

    fn of_geometry(
        request: &Request,
        entries: &Entries,
        k: u32,
        slice_bits: u64,
        lookups: u64,
        allowed_rate: f64,
    ) -> Self {
        let keys = count_keys(request.rings, entries);
        let header = (FIXED_HEADER + request.name.len() + request.category.len()).next_multiple_of(8);
        Self {
            k,
            slice_bits,
            keys,
            lookups,
            allowed_rate,
            expected_rate: false_positive_rate(keys, k, slice_bits),
            file_bytes: header as u64 + u64::from(k) * (slice_bits / 8) + super::CHECKSUM as u64,
        }
    }
}

/// Writes the file. The same request and entries give the same bytes.
///
/// # Errors
/// Never with a [`Plan`] of the same request and entries; a plan of others can lack room.
pub fn write(request: &Request, plan: &Plan, entries: &Entries) -> Result<Vec<u8>, BuildError> {
    let rings = if entries.pdq.is_empty() { 0 } else { request.rings };
    // Releases of one list share the salt: only then are their differences small.
    let mut seed = Sha256::new();
    seed.update(b"hashgate filter salt v1\0");
    seed.update(request.name.as_bytes());
    seed.update(b"\0");
    seed.update(request.category.as_bytes());
    let salt = Sha256Digest(seed.finalize().into()).key();

    let mut bits = vec![0; (u64::from(plan.k) * (plan.slice_bits / 8)) as usize];
    let mut insert_all = |domain, keys: &mut dyn Iterator<Item = u64>| {
        let hasher = Hasher::new(salt, domain, plan.k);
        keys.for_each(|key| bloom::insert(&mut bits, plan.slice_bits, &hasher, key));
    };
    for ring in 0..rings {
        insert_all(Domain::Ring(ring), &mut entries.pdq.iter().map(|hash| keys::ring_key(hash, ring)));
    }
    insert_all(Domain::Sha256, &mut entries.sha256.iter().map(Sha256Digest::key));
    insert_all(Domain::Md5, &mut entries.md5.iter().map(Md5Digest::key));
    let must_hit: [u64; CANARIES] = std::array::from_fn(|index| index as u64);
    insert_all(Domain::Canary, &mut must_hit.iter().copied());

    let canaries = Hasher::new(salt, Domain::Canary, plan.k);
    let bloom = Bloom { bits: &bits, slice_bits: plan.slice_bits };
    let mut misses = (CANARIES as u64..1 << 20).filter(|&key| !bloom.holds(&canaries, key));
    let mut must_miss = [0; CANARIES];
    for canary in &mut must_miss {
        *canary = misses.next().ok_or_else(|| BuildError::Field {
            field: "plan",
            expected: "a geometry with room for the entries".into(),
            got: format!("k = {}, slices of {} bits for {} keys", plan.k, plan.slice_bits, plan.keys),
        })?;
    }

    let mut file = Vec::with_capacity(plan.file_bytes as usize);
    let mut put = |bytes: &[u8]| file.extend_from_slice(bytes);
    put(&MAGIC);
    put(&VERSION.to_le_bytes());
    put(&0u32.to_le_bytes());
    for long in [
        plan.file_bytes,
        request.release,
        request.built_at_unix_s,
        salt,
        entries.pdq.len() as u64,
        entries.sha256.len() as u64,
        entries.md5.len() as u64,
    ] {
        put(&long.to_le_bytes());
    }
    for word in [rings, request.lookup_budget, request.view_lookup_budget, plan.k] {
        put(&word.to_le_bytes());
    }
    for long in [plan.slice_bits, plan.lookups, escalation_parts(request.escalation)] {
        put(&long.to_le_bytes());
    }
    must_hit.iter().chain(&must_miss).for_each(|key| put(&key.to_le_bytes()));
    put(&(request.name.len() as u32).to_le_bytes());
    put(&(request.category.len() as u32).to_le_bytes());
    put(request.name.as_bytes());
    put(request.category.as_bytes());
    file.resize(file.len().next_multiple_of(8), 0);
    file.extend_from_slice(&bits);
    let checksum = Sha256Digest::of(&file);
    file.extend_from_slice(&checksum.0);
    Ok(file)
}

fn check(field: &'static str, holds: bool, expected: &str, got: impl std::fmt::Display) -> Result<(), BuildError> {
    if holds { Ok(()) } else { Err(BuildError::Field { field, expected: expected.into(), got: got.to_string() }) }
}

fn check_text(field: &'static str, text: &str) -> Result<(), BuildError> {
    let sound = (1..=MAX_TEXT).contains(&text.len()) && !text.chars().any(char::is_control);
    check(field, sound, "1 to 200 bytes without control characters", format_args!("{text:?}"))
}

fn count_keys(rings: u32, entries: &Entries) -> u64 {
    entries.pdq.len() as u64 * u64::from(rings) + (entries.sha256.len() + entries.md5.len() + CANARIES) as u64
}

/// Lookups that a clean, opaque, still picture costs at most.
fn lookups(request: &Request, entries: &Entries) -> u64 {
    let digests = u64::from(!entries.sha256.is_empty()) + u64::from(!entries.md5.is_empty());
    if entries.pdq.is_empty() {
        return digests.max(1);
    }
    let of_ring = |orientation: Orientation, ring: u32| {
        let further = quartered(request.view_lookup_budget, quarterings(orientation, ring));
        views::WHOLE_VIEWS as u64 * u64::from(request.lookup_budget) + views::PARTIAL_VIEWS as u64 * u64::from(further)
    };
    let of_orientation = |orientation| (0..request.rings).map(move |ring| of_ring(orientation, ring)).sum::<u64>();
    Orientation::ALL.into_iter().map(of_orientation).sum::<u64>() + digests
}

fn escalation_parts(rate: f64) -> u64 {
    (rate * ESCALATION_UNIT as f64).round() as u64
}

/// The false-positive rate of one lookup with `keys` keys in `k` slices: the fill of a slice, to
/// the power of `k`.
#[must_use]
pub fn false_positive_rate(keys: u64, k: u32, slice_bits: u64) -> f64 {
    let empty = power(1.0 - 1.0 / slice_bits as f64, keys);
    power(1.0 - empty, k)
}

/// `base ^ exponent` by squaring. `powi` may round differently from one platform to the next.
fn power(base: f64, exponent: impl Into<u64>) -> f64 {
    let (mut square, mut exponent, mut result) = (base, exponent.into(), 1.0);
    while exponent > 0 {
        if exponent & 1 == 1 {
            result *= square;
        }
        square *= square;
        exponent >>= 1;
    }
    result
}
