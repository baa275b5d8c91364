//! hashgate checks a picture against lists of known pictures before it is uploaded, on the device of its owner.
//!
//! A list is a signed Bloom filter. It holds hashes of pictures, but the hashes can't be read out of it. A check has
//! one of three results. `Clear`: the picture is on none of the lists. `PossibleMatch`: the picture may be on a list,
//! or match by chance; the list's owner can tell. `Unchecked`: the picture could not be read, so nothing is known.
//!
//! # Check a file
//!
//! ```
//! use hashgate::{Filter, Limits, Orientations, Outcome, ViewSet, check};
//!
//! # let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors");
//! let list = Filter::open(std::fs::read(format!("{folder}/filter-v2.hgf"))?)?;
//! let picture = std::fs::read(format!("{folder}/png-rgb-8.png"))?;
//!
//! let verdict = check(&picture, &[list], &Limits::default(), ViewSet::All, Orientations::All);
//! match &verdict.outcome {
//!     Outcome::Clear => println!("on none of the lists (caveat: {:?})", verdict.caveat),
//!     Outcome::PossibleMatch { matches } => println!("perhaps on the list {}", matches[0].list),
//!     Outcome::Unchecked { reason, detail } => println!("not checked: {reason:?}, {detail}"),
//! }
//! # assert_eq!(verdict.outcome, Outcome::Clear);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Check in two stages
//!
//! The first stage reads the bytes of a file, which may be hostile, and has no lists. It makes a [`Fingerprint`]. The
//! second stage, a [`Lookup`], has the lists and sees only the fingerprint. In the browser, the stages run in different
//! workers. If a list's owner says that a possible match is not listed, the lookup searches for the next match:
//!
//! ```
//! use hashgate::{Dismissed, Filter, Fingerprint, Limits, Lookup, Orientations, Outcome, ViewSet, fingerprint};
//!
//! # let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors");
//! # let ask_the_owner = |_: &hashgate::Match| "not-listed";
//! let list = Filter::open(std::fs::read(format!("{folder}/filter-v2.hgf"))?)?;
//! let mut lookup = Lookup::new(vec![list], Orientations::All);
//!
//! // The first stage.
//! let bytes = std::fs::read(format!("{folder}/jpeg-420.jpg"))?;
//! let message = fingerprint(&bytes, &Limits::default(), &lookup.wanted(ViewSet::All)).to_bytes();
//!
//! // The second stage.
//! let fingerprint = Fingerprint::from_bytes(&message)?;
//! let mut verdict = lookup.look_up(&fingerprint);
//! let mut dismissed = Vec::new();
//! while let Outcome::PossibleMatch { matches } = &verdict.outcome {
//!     if matches.iter().any(|found| ask_the_owner(found) == "listed") {
//!         break;
//!     }
//!     dismissed.extend(matches.iter().map(Dismissed::from));
//!     verdict = lookup.look_up_past(&fingerprint, &dismissed);
//! }
//! # assert_eq!(verdict.outcome, Outcome::Clear);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Publish a list, and follow it
//!
//! With the feature `build`, [`filter`] makes filters and [`release`] signs them. Readers verify a release before they
//! open its filter:
//!
//! ```
//! # #[cfg(feature = "build")]
//! # {
//! use hashgate::Filter;
//! use hashgate::digest::Sha256Digest;
//! use hashgate::filter::build::{Entries, Plan, Request, write};
//! use hashgate::release::sign::Key;
//! use hashgate::release::{FullFile, Manifest, Trust};
//!
//! // The owner of the list.
//! let entries = Entries { sha256: vec![Sha256Digest::of(b"a listed file")], ..Entries::default() };
//! let request = Request::new("Example list", "examples");
//! let file = write(&request, &Plan::new(&request, &entries)?, &entries)?;
//! let full = FullFile { path: "1.hgf".into(), bytes: file.len() as u64, sha256: Sha256Digest::of(&file) };
//! let key = Key::new("example.org/lists", &[7; 32])?; // in earnest, 32 random bytes
//! let (issued, expires) = (1_790_000_000, 1_790_086_400);
//! let manifest = Manifest::of(Filter::open(file.clone())?.info(), full, issued, expires).sign(&key)?;
//!
//! // A reader, who knows the public key and the name of the list.
//! let trust = Trust::new(&[key.public()], 1)?.for_list("Example list", None);
//! let manifest = Manifest::verify(manifest.as_bytes(), &trust)?;
//! manifest.check_freshness(1_790_000_060, 0)?;
//! manifest.verify_full(&file)?;
//! let filter = Filter::open(file)?;
//! assert_eq!(filter.info().sha256_count, 1);
//! # }
//! # Ok::<(), hashgate::Refusal>(())
//! ```
//!
//! # Rooms
//!
//! Data goes one way through the crate:
//!
//! | room | from | to |
//! |---|---|---|
//! | [`image`] | the bytes of a file | luma of its frames, within [`Limits`] |
//! | [`signal`] | luma, and the bytes | PDQ hashes of views ([`pdq`], [`views`]), and digests ([`digest`]) |
//! | [`filter`] | the bytes of a filter file | a [`Filter`] that can be asked |
//! | [`check`](mod@check) | signals and filters | a [`Verdict`] |
//! | [`release`] | the bytes of a manifest and its files | a filter file that its owner has signed |
//!
//! The crate is pure: bytes in, values out. It uses no clock, file, network or randomness, it prints nothing, and its
//! results are the same on every platform. Every error is a [`Refusal`] with a stable [`RefusalCode`].
//!
//! # Features
//!
//! - `build` adds the writer ([`filter`]), the signer ([`release`]) and the index of a raw list (`confirm`). The browser
//!   build never has it.
//! - `tiff` reads TIFF, which would make the wasm much larger.

#![forbid(unsafe_code)]
#![deny(missing_docs)]

pub mod check;
#[cfg(feature = "build")]
pub mod confirm;
pub mod filter;
#[cfg(test)]
mod generated;
pub mod image;
mod refusal;
pub mod release;
mod setters;
pub mod signal;

pub use check::{
    Dismissed, Failure, Fingerprint, FrameHashes, ImageHashes, Lookup, MAX_DISMISSED, Match, MatchedSignal,
    Orientations, Outcome, PdqMatch, Reading, StreamingFingerprint, Strength, UncheckedReason, Verdict, check,
    fingerprint, look_up, wanted,
};
pub use filter::{Filter, FilterInfo};
pub use image::{Caveat, DecodedBy, Format, Limits};
pub use refusal::{Refusal, RefusalCode};
#[cfg(feature = "build")]
pub use signal::variants;
pub use signal::{View, ViewSet, Wanted, digest, pdq, views};
