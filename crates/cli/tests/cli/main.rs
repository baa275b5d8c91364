//! Runs the real binary on files: drawn pictures, lists of every kind, and hostile files.

mod check;
mod eval;
mod films;
mod forms;
mod lists;
mod publishing;
mod strange_files;
mod support;
