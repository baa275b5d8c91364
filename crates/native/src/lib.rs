//! Code that the native commands share: reading lists and files, and writing to terminals and folders.

pub mod atomic;
pub mod batch;
pub mod clock;
pub mod contain;
pub mod dcso;
pub mod exact;
pub mod film;
pub mod list;
pub mod lock;
pub mod open_file;
pub mod permissions;
pub mod secret;
pub mod terminal;
pub mod text;
