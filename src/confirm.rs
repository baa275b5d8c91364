//! Confirmation of possible matches against the raw list (feature `build`: the list never goes to a browser).

mod index;

pub use index::{Found, HAMMING_THRESHOLD, Index, REST};
