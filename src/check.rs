//! From a file to a verdict, in two stages.
//!
//! [`fingerprint`](fingerprint::fingerprint) reads hostile bytes and knows no filter. [`look_up`](lookup::look_up) knows
//! the filters and never sees the bytes. In the browser they run in different workers. [`check`](lookup::check) does both.

pub mod fingerprint;
pub mod lookup;
pub mod reason;
pub mod verdict;
