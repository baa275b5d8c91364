//! Reads the files that arguments name, one by one or by folder, in parallel, and gives the results in order.

use std::path::{Path, PathBuf};

use anyhow::Result;
use rayon::prelude::*;

use crate::contain::contained;
use crate::open_file::OpenFile;
use crate::terminal::progress;

/// The files to read, and how.
#[derive(clap::Args)]
pub struct Files {
    /// Files, and folders with everything in them.
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// Number of threads. Default: one per processor.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// Longest file in bytes that is read as a picture. A longer file only gets digests. Default: 256 MiB, as in the
    /// browser.
    #[arg(long, default_value_t = 256 << 20, value_name = "BYTES", hide_default_value = true)]
    max_file_bytes: u64,
}

impl Files {
    /// Reads these files and folders with the defaults.
    #[must_use]
    pub fn of(paths: Vec<PathBuf>) -> Self {
        Self { paths, threads: None, max_file_bytes: 256 << 20 }
    }
}

impl Files {
    /// Yields the paths of all files, including those in folders. Skips folders that can't be listed.
    pub fn found(&self) -> impl Iterator<Item = PathBuf> {
        self.paths.iter().flat_map(|path| expand(path)).flatten()
    }
}

/// Why a file has no result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The file can't be opened or read. The text says why.
    Input(String),
    /// The code that read the file panicked. The text says where and why.
    Engine(String),
}

/// Passes every file to `work` on many threads, and the results to `answer` in the order of the paths. The files of a
/// folder are sorted by name.
///
/// Nothing that a file holds ends the batch: if `work` fails or panics, `failed` makes the result of that file.
///
/// # Errors
/// The threads can't be started, or `answer` failed.
pub fn each<T: Send>(
    args: &Files,
    work: impl Fn(&Path, &mut OpenFile) -> Result<T> + Sync,
    failed: impl Fn(&Path, Failure) -> T + Sync,
    mut answer: impl FnMut(&Path, T) -> Result<()>,
) -> Result<()> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(args.threads.unwrap_or(0).into()).build()?;
    let files: Vec<_> = args.paths.iter().flat_map(|path| expand(path)).collect();
    let bar = progress(files.len() as u64);
    let one = |file: &Found| {
        let (path, read) = match file {
            Ok(path) => (path, contained(|| work(path, &mut OpenFile::open(path, args.max_file_bytes)?))),
            Err((path, error)) => (path, Ok(Err(anyhow::anyhow!("{error}")))),
        };
        let result =
            read.map_err(Failure::Engine).and_then(|read| read.map_err(|error| Failure::Input(format!("{error:#}"))));
        bar.inc(1);
        result.unwrap_or_else(|failure| failed(path, failure))
    };
    // Works in chunks of paths. A chunk is large enough to keep all threads busy, and small enough that first results
    // are shown while later chunks are read.
    for chunk in files.chunks(pool.current_num_threads() * 16) {
        let done: Vec<_> = pool.install(|| chunk.par_iter().map(one).collect());
        for (file, result) in chunk.iter().zip(done) {
            let (Ok(path) | Err((path, _))) = file;
            bar.suspend(|| answer(path, result))?;
        }
    }
    bar.finish_and_clear();
    Ok(())
}

/// Returns the files in a folder and the folders in it, sorted by name.
#[must_use]
pub fn in_folder(folder: &Path) -> Vec<PathBuf> {
    expand(folder).into_iter().flatten().collect()
}

/// A file that was found, or a path that can't be listed and the error.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_over_one_file_is_that_files_result_and_the_rest_go_on() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a", "b", "c"] {
            std::fs::write(folder.path().join(name), name).unwrap();
        }
        let missing = folder.path().join("missing");
        let args =
            Files { paths: vec![folder.path().into(), missing.clone()], threads: Some(2), max_file_bytes: 1 << 20 };
        let mut answers = Vec::new();
        let work = |path: &Path, file: &mut OpenFile| {
            assert!(!path.ends_with("b"), "b is too much");
            Ok(Ok(file.whole()?.to_vec()))
        };
        each(
            &args,
            work,
            |_, failure| Err(failure),
            |_, result| {
                answers.push(result);
                Ok(())
            },
        )
        .unwrap();
        assert_eq!((&answers[0], &answers[2]), (&Ok(b"a".to_vec()), &Ok(b"c".to_vec())));
        let Err(Failure::Engine(why)) = &answers[1] else { panic!("{answers:?}") };
        assert!(why.starts_with("b is too much (batch.rs:"), "{why}");
        assert!(matches!(&answers[3], Err(Failure::Input(why)) if why.contains("missing")), "{answers:?}");
    }

    #[test]
    fn a_file_beyond_the_limit_is_not_held() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sparse");
        std::fs::File::create(&path).unwrap().set_len(1 << 40).unwrap();
        let mut file = OpenFile::open(&path, 1 << 20).unwrap();
        assert!(file.is_too_long() && file.head(12).unwrap() == [0; 12]);
        let error = format!("{:#}", file.whole().err().unwrap());
        assert_eq!(error, "file size in bytes: expected at most 1048576 (--max-file-bytes), got 1099511627776");
    }
}
