//! Plans and writes a filter file (feature `build`: never part of the browser's code).
//!
//! [`Plan::new`] derives the geometry from a [`Request`] and the [`Entries`]; [`write()`] writes the file.
//!
//! # Examples
//! ```
//! use hashgate::Filter;
//! use hashgate::filter::build::{Entries, Plan, Request, write};
//!
//! let mut entries = Entries::default();
//! entries.pdq.push("752dc47d3ed2714585ad4e907151a9cf4d1e5a348c83251b533c9d05375ba3fa".parse()?);
//! let request = Request::new("Example list", "drawn pictures");
//! let plan = Plan::new(&request, &entries)?;
//! let file = write(&request, &plan, &entries)?;
//! assert_eq!(file.len() as u64, plan.file_bytes);
//! assert_eq!(Filter::open(file)?.info().pdq_count, 1);
//! # Ok::<(), hashgate::Refusal>(())
//! ```

use sha2::{Digest, Sha256};

use super::bloom::{self, Bloom, Domain, Hasher, MAX_K, MAX_SLICE_BITS};
use super::file::{Filter, budget};
use super::flip_masks::MAX_LOOKUP_BUDGET;
use super::header::{self, CANARIES, CHECKSUM, FilterInfo, RATE_UNIT};
use super::ring_keys::{MAX_RINGS, RING_KEY_BITS, ring_key};
use super::text::{EXPECTED_TEXT, is_plain_text};
use crate::refusal::{Refusal, RefusalCode};
use crate::setters::setters;
use crate::signal::digest::{Md5Digest, Sha256Digest};
use crate::signal::pdq::{Orientation, PdqHash};
use crate::signal::views::{self, Kind};

/// The hashes and digests of a list. Their order doesn't change the file. Each must be there once, because repeated
/// entries are counted twice: [`normalise`](Self::normalise) removes them.
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
    /// Sorts the entries and removes repetitions, so that the same list always gives the same file.
    pub fn normalise(&mut self) {
        self.pdq.sort_unstable();
        self.pdq.dedup();
        self.sha256.sort_unstable();
        self.sha256.dedup();
        self.md5.sort_unstable();
        self.md5.dedup();
    }
}

/// The properties that the owner of a list asks of its filter.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Request {
    /// Name of the list: 1 to 200 bytes of UTF-8 without control or invisible characters.
    pub name: String,
    /// What the list holds: a text by the same rule as `name`.
    pub category: String,
    /// Release number.
    pub release: u64,
    /// Build time in seconds since 1970 UTC; 0 leaves it out.
    pub built_at_unix_s: u64,
    /// Ring keys that are inserted per PDQ hash, 1 to 4.
    pub rings: u32,
    /// Fewest bits of a ring key, 52 to 64. A plan takes more if the list needs more.
    pub ring_key_bits: u32,
    /// Lookups per ring key of a full view, 1 to 65,536. [`FilterInfo::lookup_budget`] has the exceptions.
    pub lookup_budget: u32,
    /// Lookups per ring key of a derived view, at most `lookup_budget`. [`FilterInfo::view_lookup_budget`] has the
    /// exceptions.
    pub view_lookup_budget: u32,
    /// Share of clean pictures that may match by chance, from 1e-12 to below 1.
    pub image_false_positive_rate: f64,
    /// Room for later releases, in per cent of this release's items; 0 leaves none. Later releases that fit keep the
    /// geometry (number and length of slices), and deltas exist only between releases of one geometry.
    pub headroom_percent: u32,
}

impl Request {
    /// A request with the defaults: two rings, an image false-positive rate of 1e-4, and the lookup budgets that
    /// `docs/lab/near-match.md` measures.
    #[must_use]
    pub fn new(name: impl Into<String>, category: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            category: category.into(),
            release: 1,
            built_at_unix_s: 0,
            rings: 2,
            ring_key_bits: *RING_KEY_BITS.start(),
            lookup_budget: 8192,
            view_lookup_budget: 2048,
            image_false_positive_rate: 1e-4,
            headroom_percent: 0,
        }
    }

    /// Returns the same with another [`name`](Self::name).
    #[must_use]
    pub fn with_name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Returns the same with another [`category`](Self::category).
    #[must_use]
    pub fn with_category(mut self, category: impl Into<String>) -> Self {
        self.category = category.into();
        self
    }
}

setters! {
    Request {
        with_release, release: u64;
        with_built_at_unix_s, built_at_unix_s: u64;
        with_rings, rings: u32;
        with_ring_key_bits, ring_key_bits: u32;
        with_lookup_budget, lookup_budget: u32;
        with_view_lookup_budget, view_lookup_budget: u32;
        with_image_false_positive_rate, image_false_positive_rate: f64;
        with_headroom_percent, headroom_percent: u32;
    }
}

impl Filter {
    /// Returns the entries that the filter doesn't hold, sorted. An entry that the filter matches by chance is missing
    /// in the result. The probability of that is the image false-positive rate divided by [`FilterInfo::lookups`].
    #[must_use]
    pub fn missing(&self, entries: &Entries) -> Entries {
        let mut missing = Entries {
            pdq: entries.pdq.iter().filter(|hash| !self.holds_pdq(hash)).copied().collect(),
            sha256: entries.sha256.iter().filter(|digest| !self.holds_sha256(digest)).copied().collect(),
            md5: entries.md5.iter().filter(|digest| !self.holds_md5(digest)).copied().collect(),
        };
        missing.normalise();
        missing
    }
}

/// The geometry (number and length of slices) of a filter file that is yet to be built, and its expected rates.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Number of slices.
    pub k: u32,
    /// Bits of each slice.
    pub slice_bits: u64,
    /// Bits of each ring key; 0 without PDQ hashes.
    pub ring_key_bits: u32,
    /// Number of items to insert, canary items included.
    pub items: u64,
    /// Largest number of lookups of a clean picture.
    pub lookups: u64,
    /// False-positive rate of one lookup that the request allows.
    pub allowed_rate: f64,
    /// Expected false-positive rate of one lookup with `items` items: that the filter errs, or that a clean picture has
    /// a listed ring key by chance.
    pub expected_rate: f64,
    /// Bytes of the file.
    pub file_bytes: u64,
}

impl Plan {
    /// Bits of filter per item.
    #[must_use]
    pub fn bits_per_item(&self) -> f64 {
        (u64::from(self.k) * self.slice_bits) as f64 / self.items as f64
    }

    /// Expected share of clean pictures that match by chance.
    #[must_use]
    pub fn expected_image_false_positive_rate(&self) -> f64 {
        self.expected_rate * self.lookups as f64
    }

    /// Derives the smallest geometry that meets the request.
    ///
    /// # Errors
    /// `build-field` names the part of the request that can't be met.
    pub fn new(request: &Request, entries: &Entries) -> Result<Self, Refusal> {
        check_text("name", &request.name)?;
        check_text("category", &request.category)?;
        check("rings", (1..=MAX_RINGS).contains(&request.rings), "1 to 4", request.rings)?;
        check("ring key bits", RING_KEY_BITS.contains(&request.ring_key_bits), "52 to 64", request.ring_key_bits)?;
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
        let possible =
            request.image_false_positive_rate >= 1.0 / RATE_UNIT as f64 && request.image_false_positive_rate < 1.0;
        check("image false-positive rate", possible, "from 1e-12 to below 1", request.image_false_positive_rate)?;
        let items = count_items(request.rings, entries);
        check("entries", items > CANARIES as u64, "at least one PDQ hash, SHA-256 or MD5", 0)?;

        let lookups = lookups(request, entries);
        let allowed_rate = request.image_false_positive_rate / lookups as f64;
        let with_room = |count: u64| count + count * u64::from(request.headroom_percent) / 100;
        let hashes = with_room(entries.pdq.len() as u64);
        let (fewest, most) = (request.ring_key_bits, *RING_KEY_BITS.end());
        let few_enough = |&bits: &u32| equal_keys_rate(hashes, bits) <= allowed_rate * EQUAL_KEYS_SHARE;
        let ring_key_bits = if hashes == 0 { 0 } else { (fewest..most).find(few_enough).unwrap_or(most) };
        // What is left of the allowed rate for the filter's own errors.
        let filter_rate = allowed_rate - equal_keys_rate(hashes, ring_key_bits);
        let mut k = 1;
        while power(0.5, k) > filter_rate && k <= MAX_K {
            k += 1;
        }
        check(
            "image false-positive rate",
            k <= MAX_K,
            &format!(
                "at least {:e} with {lookups} lookups a picture (k = {MAX_K})",
                power(0.5, MAX_K) * lookups as f64
            ),
            request.image_false_positive_rate,
        )?;
        let capacity = with_room(items);
        // Finds the smallest slice, in words of 64 bits, that keeps the rate. Uses only the four basic operations, so
        // that every platform finds the same one.
        let (mut too_small, mut enough) = (0, MAX_SLICE_BITS / 64);
        check(
            "entries",
            false_positive_rate(capacity, k, enough * 64) <= filter_rate,
            "fewer items: the largest slice is 2^32 bits",
            capacity,
        )?;
        while enough - too_small > 1 {
            let middle = too_small + (enough - too_small) / 2;
            if false_positive_rate(capacity, k, middle * 64) <= filter_rate {
                enough = middle;
            } else {
                too_small = middle;
            }
        }
        Ok(Self::of_geometry(request, entries, [k, ring_key_bits], enough * 64, lookups, allowed_rate))
    }

    /// Plans a release with as many slices, of the same length, as an earlier release. Deltas need this.
    ///
    /// # Errors
    /// `build-capacity` if the false-positive rate would exceed the request's, because the list has too many items;
    /// `build-field` if the request has another rate, budget or number of rings than the earlier release.
    pub fn in_geometry_of(earlier: &FilterInfo, request: &Request, entries: &Entries) -> Result<Self, Refusal> {
        let lookups = lookups(request, entries);
        let rings = if entries.pdq.is_empty() { 0 } else { request.rings };
        check("rings", rings == earlier.rings, "as in the earlier release", rings)?;
        check(
            "ring key bits",
            rings == 0 || request.ring_key_bits <= earlier.ring_key_bits,
            "at most as many as in the earlier release",
            request.ring_key_bits,
        )?;
        check("lookups", lookups == earlier.lookups, "as in the earlier release", lookups)?;
        let parts = false_positive_parts(request.image_false_positive_rate);
        check(
            "image false-positive rate",
            parts == earlier.false_positive_parts,
            "as in the earlier release",
            request.image_false_positive_rate,
        )?;
        let allowed_rate = request.image_false_positive_rate / lookups as f64;
        let numbers = [earlier.k, earlier.ring_key_bits];
        let plan = Self::of_geometry(request, entries, numbers, earlier.slice_bits, lookups, allowed_rate);
        if plan.expected_rate > allowed_rate {
            let filter_rate = allowed_rate - equal_keys_rate(entries.pdq.len() as u64, plan.ring_key_bits);
            let (mut fits, mut over) = (0, plan.items);
            while over - fits > 1 {
                let middle = fits + (over - fits) / 2;
                if false_positive_rate(middle, plan.k, plan.slice_bits) <= filter_rate {
                    fits = middle;
                } else {
                    over = middle;
                }
            }
            return Err(RefusalCode::BuildCapacity.because(
                "capacity",
                &format!("at most {fits} items in the geometry of the earlier release"),
                &plan.items,
            ));
        }
        Ok(plan)
    }

    fn of_geometry(
        request: &Request,
        entries: &Entries,
        [k, ring_key_bits]: [u32; 2],
        slice_bits: u64,
        lookups: u64,
        allowed_rate: f64,
    ) -> Self {
        let items = count_items(request.rings, entries);
        Self {
            k,
            slice_bits,
            ring_key_bits,
            items,
            lookups,
            allowed_rate,
            expected_rate: false_positive_rate(items, k, slice_bits)
                + equal_keys_rate(entries.pdq.len() as u64, ring_key_bits),
            file_bytes: header::length(&request.name, &request.category) as u64
                + u64::from(k) * (slice_bits / 8)
                + CHECKSUM as u64,
        }
    }
}

/// Writes the file. The same request and normalised entries give the same bytes.
///
/// # Errors
/// `build-field` if `plan` has no room for `entries`. That can't happen if `plan` was made from the same request and
/// entries.
pub fn write(request: &Request, plan: &Plan, entries: &Entries) -> Result<Vec<u8>, Refusal> {
    let rings = if entries.pdq.is_empty() { 0 } else { request.rings };
    // The salt depends on the name and the category alone. So all releases of a list hash an item to the same bits, and
    // deltas between releases stay small.
    let mut seed = Sha256::new();
    seed.update(b"hashgate filter salt v1\0");
    seed.update(request.name.as_bytes());
    seed.update(b"\0");
    seed.update(request.category.as_bytes());
    let salt = Sha256Digest(seed.finalize().into()).item();

    let mut bits = vec![0; (u64::from(plan.k) * (plan.slice_bits / 8)) as usize];
    let mut insert_all = |domain, items: &mut dyn Iterator<Item = u64>| {
        let hasher = Hasher::new(salt, domain, plan.k);
        items.for_each(|item| bloom::insert(&mut bits, plan.slice_bits, &hasher, item));
    };
    for ring in 0..rings {
        insert_all(Domain::Ring(ring), &mut entries.pdq.iter().map(|hash| ring_key(hash, ring, plan.ring_key_bits)));
    }
    insert_all(Domain::Sha256, &mut entries.sha256.iter().map(Sha256Digest::item));
    insert_all(Domain::Md5, &mut entries.md5.iter().map(Md5Digest::item));
    let must_hit: [u64; CANARIES] = std::array::from_fn(|index| index as u64);
    insert_all(Domain::Canary, &mut must_hit.iter().copied());

    let canaries = Hasher::new(salt, Domain::Canary, plan.k);
    let bloom = Bloom { bits: &bits, slice_bits: plan.slice_bits };
    let mut misses = (CANARIES as u64..1 << 20).filter(|&key| !bloom.holds(&canaries, key));
    let mut must_miss = [0; CANARIES];
    for canary in &mut must_miss {
        *canary = misses.next().ok_or_else(|| {
            let got = format!("k = {}, slices of {} bits for {} items", plan.k, plan.slice_bits, plan.items);
            RefusalCode::BuildField.because("plan", "a geometry with room for the entries", &got)
        })?;
    }

    let info = FilterInfo {
        name: request.name.clone(),
        category: request.category.clone(),
        release: request.release,
        built_at_unix_s: request.built_at_unix_s,
        pdq_count: entries.pdq.len() as u64,
        sha256_count: entries.sha256.len() as u64,
        md5_count: entries.md5.len() as u64,
        rings,
        ring_key_bits: plan.ring_key_bits,
        lookup_budget: request.lookup_budget,
        view_lookup_budget: request.view_lookup_budget,
        lookups: plan.lookups,
        false_positive_parts: false_positive_parts(request.image_false_positive_rate),
        k: plan.k,
        slice_bits: plan.slice_bits,
        salt,
        must_hit,
        must_miss,
        bytes: plan.file_bytes,
        checksum: Sha256Digest([0; CHECKSUM]),
    };
    let mut file = header::write(&info);
    file.reserve_exact(bits.len() + CHECKSUM);
    file.extend_from_slice(&bits);
    let checksum = Sha256Digest::of(&file);
    file.extend_from_slice(&checksum.0);
    Ok(file)
}

fn check(field: &str, holds: bool, expected: &str, got: impl std::fmt::Display) -> Result<(), Refusal> {
    if holds { Ok(()) } else { Err(RefusalCode::BuildField.because(field, expected, &got)) }
}

fn check_text(field: &str, text: &str) -> Result<(), Refusal> {
    check(field, is_plain_text(text), EXPECTED_TEXT, format_args!("{text:?}"))
}

fn count_items(rings: u32, entries: &Entries) -> u64 {
    entries.pdq.len() as u64 * u64::from(rings) + (entries.sha256.len() + entries.md5.len() + CANARIES) as u64
}

/// Returns the largest number of lookups of a clean, opaque picture of one frame.
fn lookups(request: &Request, entries: &Entries) -> u64 {
    let digests = u64::from(!entries.sha256.is_empty()) + u64::from(!entries.md5.is_empty());
    if entries.pdq.is_empty() {
        return digests.max(1);
    }
    let budgets = [request.lookup_budget, request.view_lookup_budget];
    let views =
        [(Kind::Plain, 1), (Kind::BorderCut, 1), (Kind::Window, views::WINDOWS), (Kind::Painted, views::PAINTED)];
    let of_ring = |orientation: Orientation, ring: u32| -> u64 {
        let of_kind = |&(kind, count)| count as u64 * u64::from(budget(budgets, kind, orientation, ring));
        views.iter().map(of_kind).sum()
    };
    let of_orientation = |orientation| (0..request.rings).map(move |ring| of_ring(orientation, ring)).sum::<u64>();
    Orientation::ALL.into_iter().map(of_orientation).sum::<u64>() + digests
}

fn false_positive_parts(rate: f64) -> u64 {
    (rate * RATE_UNIT as f64).round() as u64
}

/// Returns the expected false-positive rate of one lookup with `items` items in `k` slices: the share of ones in a
/// slice, to the power of `k`, because all `k` bits must be ones.
#[must_use]
pub fn false_positive_rate(items: u64, k: u32, slice_bits: u64) -> f64 {
    let empty = power(1.0 - 1.0 / slice_bits as f64, items);
    power(1.0 - empty, k)
}

/// The largest share of the allowed false-positive rate that clean pictures with a listed ring key may take.
const EQUAL_KEYS_SHARE: f64 = 1.0 / 16.0;

/// Returns the expected share of lookups whose ring key is one of `hashes` listed ones by chance. The bits of the hashes
/// of unlike pictures are as good as independent (`docs/lab/near-match.md`).
fn equal_keys_rate(hashes: u64, ring_key_bits: u32) -> f64 {
    hashes as f64 * power(0.5, ring_key_bits)
}

/// Returns `base` to the power of `exponent`, by squaring. `f64::powi` isn't used, because its rounding may differ
/// between platforms, and every platform must plan the same file.
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
