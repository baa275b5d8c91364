//! Files given by name or by folder, worked on in parallel, answered in order.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use indicatif::{ProgressBar, ProgressStyle};
use rayon::prelude::*;

/// Which files, and by how many threads.
#[derive(clap::Args)]
pub struct Files {
    /// Files, and folders with all that is in them.
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// Threads. Default: one for each processor.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
}

/// Reads every file and gives its bytes, or why they can't be had, to `work` on many threads, and the results to `answer` in
/// the order of the paths; a folder's files come sorted by name.
///
/// # Errors
/// No threads, or an answer that can't be written. A file that can't be read is `work`'s to answer for.
pub fn each<T: Send>(
    args: &Files,
    work: impl Fn(&Path, Result<Vec<u8>>) -> T + Sync,
    mut answer: impl FnMut(&Path, T) -> Result<()>,
) -> Result<()> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(args.threads.unwrap_or(0).into()).build()?;
    let files: Vec<_> = args.paths.iter().flat_map(|path| expand(path)).collect();
    let bar = progress(files.len() as u64);
    // Large enough to keep all threads busy, small enough that answers come while the rest is worked on.
    for some in files.chunks(pool.current_num_threads() * 16) {
        let done: Vec<_> = pool.install(|| {
            some.par_iter()
                .map(|file| {
                    let result = match file {
                        Ok(path) => work(path, read(path)),
                        Err((path, error)) => work(path, Err(anyhow::anyhow!("{error}"))),
                    };
                    bar.inc(1);
                    result
                })
                .collect()
        });
        for (file, result) in some.iter().zip(done) {
            let (Ok(path) | Err((path, _))) = file;
            bar.suspend(|| answer(path, result))?;
        }
    }
    bar.finish_and_clear();
    Ok(())
}

/// The files in a folder and below, sorted by name.
pub fn in_folder(folder: &Path) -> Vec<PathBuf> {
    expand(folder).into_iter().flatten().collect()
}

/// A bar on a terminal; nothing where stderr isn't one.
pub fn progress(length: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {eta}").expect("a sound template");
    ProgressBar::new(length).with_style(style)
}

/// Writes a line. A reader that has gone, as `head` does, ends the program quietly.
pub fn say(line: &str) -> Result<()> {
    match writeln!(io::stdout(), "{line}") {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => std::process::exit(0),
        other => Ok(other?),
    }
}

/// Writes a line about work that goes on whether someone reads it or not.
pub fn remark(line: &str) {
    let _ = writeln!(io::stdout(), "{line}");
}

/// A file that was found, or a path that can't be gone through.
type Found = Result<PathBuf, (PathBuf, walkdir::Error)>;

fn expand(path: &Path) -> Vec<Found> {
    let walk = walkdir::WalkDir::new(path).sort_by_file_name();
    let found = walk.into_iter().filter_map(|entry| match entry {
        Ok(entry) if entry.file_type().is_dir() => None,
        Ok(entry) => Some(Ok(entry.into_path())),
        Err(error) => Some(Err((error.path().unwrap_or(path).to_owned(), error))),
    });
    found.collect()
}

fn read(path: &Path) -> Result<Vec<u8>> {
    let kind = std::fs::metadata(path).context("can't be read")?.file_type();
    if !kind.is_file() {
        bail!("expected a file, got something else");
    }
    std::fs::read(path).context("can't be read")
}
