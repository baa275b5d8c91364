//! The options of `hashgate serve` that are about checking files.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use axum::http::StatusCode;
use hashgate::{Caveat, Limits};

use super::clamd;
use super::filters::Sources;
use super::judge::{Hasher, Settings};
use super::policy::{self, Policy, Word};
use super::spool::Spool;

/// Options about checking files.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Checking files")]
// clap names an argument group after its struct. Without `skip`, this group would have the same name as that of another
// struct `Args`.
#[group(skip)]
pub struct Args {
    /// Filter file that files are checked against. May be given several times. A match of it is a possible match,
    /// unless --list gives the full list of the same name, by which it is confirmed.
    #[arg(long = "filter", value_name = "FILE", num_args = 1..)]
    pub filters: Vec<PathBuf>,
    /// What is done with files that could not be checked: block or allow for all reasons, or REASON=block or
    /// REASON=allow for one. May be given several times. Default: not-a-picture=allow, block for all other reasons.
    #[arg(long, value_name = "[REASON=]block|allow")]
    unchecked: Vec<Word>,
    /// Hold a clear file that has this caveat, such as low-detail. May be given several times.
    #[arg(long, value_name = "CAVEAT", value_parser = policy::caveat)]
    hold_caveat: Vec<Caveat>,
    /// Status of an answer about a file that matched.
    #[arg(long, default_value = "451", value_name = "STATUS", value_parser = policy::status)]
    match_status: StatusCode,
    /// Status of an answer about a file that is held because it could not be checked.
    #[arg(long, default_value = "422", value_name = "STATUS", value_parser = policy::status)]
    unchecked_status: StatusCode,
    /// Longest file in bytes that is taken. Default: 256 MiB, as in the browser.
    #[arg(long, default_value_t = 256 << 20, value_name = "BYTES", hide_default_value = true)]
    max_file_bytes: u64,
    /// Bytes of pixels that a decoder may hold for one file. A picture that needs more is unchecked (too-large).
    /// Default: 256 MiB.
    #[arg(long, default_value_t = 256 << 20, value_name = "BYTES", hide_default_value = true)]
    max_decode_bytes: u64,
    /// Files that are hashed at once. Default: one per processor.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=48))]
    check_threads: Option<u16>,
    /// Files that may arrive, wait or be hashed at once. Further ones are refused with status 503.
    #[arg(long, default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    check_queue: u32,
    /// Folder in which files of more than 128 KiB lie while they are checked, without names. Default: the folder of the
    /// system for temporary files.
    #[arg(long, value_name = "DIR")]
    spool: Option<PathBuf>,
    /// Bytes that all files together may take while they are checked. Default: 2 GiB.
    #[arg(long, default_value_t = 2 << 30, value_name = "BYTES", hide_default_value = true)]
    spool_bytes: u64,
    /// Also speak clamd's protocol at this address and port, or at a socket if it is a path, for programs that scan
    /// uploads by ClamAV. It has no tokens: let only those programs reach it.
    #[arg(long, value_name = "ADDR|PATH")]
    pub clamd: Option<clamd::Address>,
}

impl Args {
    /// Where filters come from.
    pub fn sources(&self, published: Option<&Path>) -> Sources {
        Sources { files: self.filters.clone(), published: published.map(Path::to_owned) }
    }

    /// Returns the settings for checking files.
    ///
    /// # Errors
    /// The folder for files can't be written to.
    pub fn settings(&self, hasher: Hasher) -> Result<Settings> {
        let folder = self.spool.clone().unwrap_or_else(std::env::temp_dir);
        let spool = Spool::new(folder.clone(), self.max_file_bytes, self.spool_bytes);
        if let Err(error) = spool.try_out() {
            let name = folder.display();
            if self.spool.is_some() {
                bail!("--spool {name}: expected a folder that this user can write to, got: {error}");
            }
            return Err(error).with_context(|| format!("{name}: give a folder for arriving files with --spool"));
        }
        let processors = std::thread::available_parallelism().map_or(1, usize::from).min(48);
        Ok(Settings {
            hasher,
            limits: Limits::default().with_max_alloc(self.max_decode_bytes),
            threads: self.check_threads.map_or(processors, usize::from),
            queue: self.check_queue as usize,
            spool,
            policy: Policy {
                unchecked: self.unchecked.clone(),
                caveats: self.hold_caveat.clone(),
                match_status: self.match_status,
                unchecked_status: self.unchecked_status,
            },
        })
    }
}
