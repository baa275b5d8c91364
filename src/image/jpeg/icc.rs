//! Collects the ICC profile of a JPEG, which may be split over several APP2 segments (ICC.1, annex B.4).

use crate::image::profile::{MAX_LENGTH, Profile};

/// Collects the parts of a profile.
#[derive(Default)]
pub(super) struct ProfileParts {
    /// Each part's number, the number of parts that it declares, and its content.
    parts: Vec<(u8, u8, Vec<u8>)>,
    length: usize,
}

impl ProfileParts {
    /// Takes the content of an APP2 segment. Ignores it if it isn't a part of a profile.
    pub(super) fn push(&mut self, segment: &[u8]) {
        if let Some([number, count, part @ ..]) = segment.strip_prefix(b"ICC_PROFILE\0")
            && self.length <= MAX_LENGTH
        {
            self.length += part.len();
            self.parts.push((*number, *count, part.to_vec()));
        }
    }

    /// Joins the parts to the profile. If a part is missing or comes twice, decoders disagree: libjpeg-turbo ignores
    /// such a profile (`jdicc.c`), and Chromium applies the first of two.
    pub(super) fn profile(mut self) -> Profile {
        self.parts.sort_by_key(|part| part.0);
        let count = self.parts.len();
        let is_whole = |((number, of, _), expected): (&(u8, u8, Vec<u8>), usize)| {
            usize::from(*number) == expected && usize::from(*of) == count
        };
        if count == 0 {
            return Profile::Usual;
        }
        if !self.parts.iter().zip(1..).all(is_whole) {
            return Profile::Unknown;
        }
        Profile::of(&self.parts.into_iter().flat_map(|part| part.2).collect::<Vec<_>>())
    }
}
