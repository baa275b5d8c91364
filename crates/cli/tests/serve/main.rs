//! The real server on real sockets: what it answers, what it refuses, and what it lives through.

mod check;
mod clamd;
mod clients;
mod confirm;
mod files;
mod lifetime;
mod simulate;
mod support;
mod upstream;
