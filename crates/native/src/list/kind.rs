//! The kinds of hashes: those that filters hold, and those that are counted and left out.

use clap::ValueEnum;

/// The kind of a hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// PDQ, 64 hexadecimal digits.
    Pdq,
    /// SHA-256 of the file's bytes, 64 hexadecimal digits.
    Sha256,
    /// MD5 of the file's bytes, 32 hexadecimal digits.
    Md5,
}

impl Kind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Pdq => "pdq",
            Self::Sha256 => "sha256",
            Self::Md5 => "md5",
        }
    }
}

/// The meaning of the name of a hash type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Named {
    /// A kind that filters hold.
    Used(Kind),
    /// vPDQ: the PDQ hashes of a film's frames, in one text.
    Frames,
    /// A kind that is known, and that no filter holds.
    Other,
    /// No type of hash that is known here.
    Unknown,
}

/// Finds the kind that a name means. Capitals, spaces, `-` and `_` don't count: `SHA-256` and `sha256` are one.
pub(super) fn named(name: &str) -> Named {
    let plain: String = name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    match plain.as_str() {
        // `HASH_…` in the ThreatExchange API, `ImagePDQ` in StopNCII's, `photo_md5` in threatexchange 1.2.17.
        "pdq" | "hashpdq" | "imagepdq" | "pdqhash" => Named::Used(Kind::Pdq),
        // The digest of a film is the digest of a file's bytes, like any other.
        "sha256" | "hashsha256" | "imagesha256" | "videosha256" | "hashvideosha256" => Named::Used(Kind::Sha256),
        "md5" | "hashmd5" | "photomd5" | "imagemd5" | "videomd5" | "hashvideomd5" | "videomd5sum" => {
            Named::Used(Kind::Md5)
        }
        "vpdq" | "hashvpdq" | "videovpdq" => Named::Frames,
        other if OTHER.contains(&other) => Named::Other,
        _ => Named::Unknown,
    }
}

/// Returns whether a hash type of this name is one of the digests that filters hold: the SHA-256 or the MD5 of a file's
/// bytes, be the file a picture or a film.
pub(super) fn is_digest(name: &str) -> bool {
    matches!(named(name), Named::Used(Kind::Sha256 | Kind::Md5))
}

/// Types that owners of lists exchange and that aren't used here: hashes of whole films and of texts, hashes without a
/// public algorithm, and digests that filters don't hold.
const OTHER: [&str; 49] = [
    "ahash",
    "blake2b",
    "blake3",
    "crc32",
    "dhash",
    "domain",
    "f1",
    "hashpdqocr",
    "hashphotodna",
    "hashsha1",
    "hashtmk",
    "htmlshingle",
    "imphash",
    "netclean",
    "netcleanpdna",
    "pdna",
    "pdqocr",
    "phash",
    "photodna",
    "rawtext",
    "rawuri",
    "sha1",
    "sha224",
    "sha3256",
    "sha3512",
    "sha384",
    "sha512",
    "sscd",
    "ssdeep",
    "ssvhpdna",
    "ssvhsaferhash",
    "text",
    "textstring",
    "texttlsh",
    "tlsh",
    "tmk",
    "tmkpdqf",
    "trendquery",
    "uri",
    "url",
    "urlmd5",
    "videntifier",
    "videopdq",
    "videosha1",
    "videotmk",
    "whash",
    "clip",
    "audiomd5",
    "unknown",
];
