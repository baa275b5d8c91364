//! The real binary on real files: drawn pictures, lists of every kind, and the hostile files.

mod check;
mod eval;
mod forms;
mod lists;
mod publishing;
mod strange_files;
mod support;
