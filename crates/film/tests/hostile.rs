//! Asserts that the reader refuses or reads each hostile film as expected, by few reads and in little memory.

use std::cell::Cell;
use std::time::{Duration, UNIX_EPOCH};

use hashgate_film::{Film, FilmRefusal, Source};
use hashgate_testkit::hostile_film::{HostileFilm, films};
use peak_alloc::PeakAlloc;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// The most times that a film's bytes may be read, on average. The four tracks of a WebM that has no block of theirs are
/// read most often: to measure each, for its samples and for its keyframes.
const PASSES: u64 = 18;
/// Work that grows with the square of a film's length takes minutes for these films. Reading them takes under 0.1 s; a
/// limit as tight as that fails on a slow machine.
const HANGS: Duration = Duration::from_secs(2);

/// A file that counts the bytes that are read of it.
struct Counted<'a> {
    bytes: &'a [u8],
    read: &'a Cell<u64>,
}

impl Source for Counted<'_> {
    fn read_at(&mut self, offset: u64, length: usize) -> Result<Vec<u8>, FilmRefusal> {
        let piece = self.bytes.read_at(offset, length)?;
        self.read.set(self.read.get() + piece.len() as u64);
        Ok(piece)
    }
}

/// Reads all samples of all tracks. Returns their number.
fn read(bytes: &[u8], read: &Cell<u64>) -> Result<usize, FilmRefusal> {
    let mut film = Film::open(Counted { bytes, read }, bytes.len() as u64)?;
    let mut count = 0;
    for track in 0..film.info().tracks.len() {
        let mut from = 0;
        loop {
            let samples = film.samples(track, from, 10_000)?;
            let Some(last) = samples.last() else { break };
            assert!(last.index >= from, "numbers rise");
            from = last.index + 1;
            count += samples.len();
            for sample in &samples {
                assert!(sample.size > 0 && sample.pts_s.is_finite() && sample.duration_s >= 0.0, "{sample:?}");
            }
        }
        let mut from = 0;
        while let Some(last) = film.keyframes(track, from, 10_000)?.last() {
            assert!(last.key && last.index >= from);
            from = last.index + 1;
        }
    }
    Ok(count)
}

/// Returns the processor time of this thread, which other work on the machine doesn't increase. If the system doesn't
/// tell it, returns the time of day.
fn clock() -> Duration {
    let said = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let spent = said.and_then(|text| text.split(' ').next()?.parse().ok()).map(Duration::from_nanos);
    spent.unwrap_or_else(|| UNIX_EPOCH.elapsed().unwrap_or_default())
}

#[test]
fn hostile_films_take_few_reads_and_64_mb_over_their_size() {
    let films = films();
    assert!(films.len() >= 60, "{}", films.len());
    let mut wrong = Vec::new();
    for HostileFilm { name, refused, bytes } in &films {
        MEMORY.reset_peak_usage();
        let before = MEMORY.current_usage();
        let (start, passed) = (clock(), Cell::new(0));
        let got = read(bytes, &passed);
        let took = clock() - start;
        let memory = MEMORY.peak_usage().saturating_sub(before);
        if memory > bytes.len() + (64 << 20) {
            wrong.push(format!("{name}: {memory} bytes of memory for {}", bytes.len()));
        }
        let most = PASSES * bytes.len() as u64 + (1 << 20);
        if passed.get() > most || took > HANGS {
            wrong.push(format!("{name}: {} bytes read, expected at most {most}, in {took:?}", passed.get()));
        }
        let code = got.as_ref().err().map(|refusal| refusal.code.as_str());
        if code != *refused {
            wrong.push(format!("{name}: expected {refused:?}, got {got:?}"));
        }
        if std::env::var_os("HASHGATE_SHOW").is_some() {
            let times = passed.get() as f64 / bytes.len() as f64;
            println!(
                "{name}: {} bytes, read {times:.1} times, {took:?}, {memory} bytes of memory, {got:?}",
                bytes.len()
            );
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
