//! Runs the real server on sockets: its answers, its refusals, and what it must survive.

mod check;
mod clamd;
mod clients;
mod confirm;
mod exact;
mod files;
mod lifetime;
mod simulate;
mod support;
mod upstream;
