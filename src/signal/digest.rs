//! SHA-256 and MD5 of a file's bytes: the exact signals.

use md5::Md5;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::hex;
use crate::refusal::Refusal;

/// Number of bytes that are hashed per call of the hash function. A wasm engine begins with slow code, and switches to
/// optimised code only when a function is called again. So a single call for a whole filter file would run slowly to
/// its end.
const CHUNK: usize = 1 << 16;

macro_rules! digest {
    ($name:ident, $bytes:literal, $algorithm:ty, $what:literal) => {
        #[doc = concat!("The ", $what, " digest of a file's bytes, in the order in which it is printed.")]
        ///
        /// # Examples
        /// ```
        #[doc = concat!("use hashgate::digest::", stringify!($name), ";")]
        ///
        #[doc = concat!("let digest = ", stringify!($name), "::of(b\"abc\");")]
        /// assert_eq!(digest.to_string().parse(), Ok(digest));
        /// ```
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name(pub [u8; $bytes]);

        impl $name {
            #[doc = concat!("Computes the ", $what, " of `bytes`.")]
            #[must_use]
            pub fn of(bytes: &[u8]) -> Self {
                let mut hash = <$algorithm>::new();
                bytes.chunks(CHUNK).for_each(|chunk| hash.update(chunk));
                Self(hash.finalize().into())
            }

            /// Returns the digest as the 64-bit item that a filter stores: the first eight bytes, little-endian.
            #[must_use]
            pub fn item(&self) -> u64 {
                let mut first = [0; 8];
                first.copy_from_slice(&self.0[..8]);
                u64::from_le_bytes(first)
            }
        }

        impl std::str::FromStr for $name {
            type Err = Refusal;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                hex::parse($what, text).map(Self)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                hex::write(&self.0, f)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }
    };
}

digest!(Sha256Digest, 32, Sha256, "SHA-256");
digest!(Md5Digest, 16, Md5, "MD5");

/// Computes the wanted digests of a file that arrives in pieces.
pub(crate) struct Digests {
    sha256: Option<Sha256>,
    md5: Option<Md5>,
}

impl Digests {
    pub(crate) fn new(sha256: bool, md5: bool) -> Self {
        Self { sha256: sha256.then(Sha256::new), md5: md5.then(Md5::new) }
    }

    /// Takes the next piece, of any length.
    pub(crate) fn update(&mut self, piece: &[u8]) {
        for chunk in piece.chunks(CHUNK) {
            self.sha256.iter_mut().for_each(|hash| hash.update(chunk));
            self.md5.iter_mut().for_each(|hash| hash.update(chunk));
        }
    }

    pub(crate) fn finish(self) -> (Option<Sha256Digest>, Option<Md5Digest>) {
        let sha256 = self.sha256.map(|hash| Sha256Digest(hash.finalize().into()));
        (sha256, self.md5.map(|hash| Md5Digest(hash.finalize().into())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_match_published_vectors() {
        // FIPS 180-4 example and RFC 1321, A.5.
        assert_eq!(
            Sha256Digest::of(b"abc").to_string(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert_eq!(Md5Digest::of(b"abc").to_string(), "900150983cd24fb0d6963f7d28e17f72");
    }

    #[test]
    fn a_digest_of_the_wrong_length_is_refused() {
        let error = "abcd".parse::<Md5Digest>().unwrap_err();
        assert_eq!(error.code, crate::refusal::RefusalCode::HexLength);
        assert_eq!((error.expected.as_str(), error.got.as_str()), ("32 hexadecimal digits", "4 characters"));
    }
}
