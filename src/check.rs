//! From a file to a verdict.

pub mod verdict;
