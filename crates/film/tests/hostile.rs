//! Asserts that the reader refuses or reads each hostile film as expected, in little time and memory.

use std::time::{Duration, UNIX_EPOCH};

use hashgate_film::{Film, FilmRefusal};
use hashgate_testkit::hostile_film::{HostileFilm, films};
use peak_alloc::PeakAlloc;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

const LIMIT: Duration = Duration::from_millis(100);

/// Reads all samples of all tracks. Returns their number.
fn read(bytes: &[u8]) -> Result<usize, FilmRefusal> {
    let mut film = Film::open(bytes, bytes.len() as u64)?;
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

/// Returns the least time of up to three runs.
fn time(bytes: &[u8]) -> Duration {
    let run = || {
        let start = clock();
        let _ = read(bytes);
        clock() - start
    };
    let first = run();
    if first < LIMIT { first } else { first.min(run()).min(run()) }
}

#[test]
fn hostile_films_end_within_100_ms_and_64_mb_over_their_size() {
    let films = films();
    assert!(films.len() >= 60, "{}", films.len());
    let mut wrong = Vec::new();
    for HostileFilm { name, refused, bytes } in &films {
        MEMORY.reset_peak_usage();
        let before = MEMORY.current_usage();
        let got = read(bytes);
        let memory = MEMORY.peak_usage().saturating_sub(before);
        if memory > bytes.len() + (64 << 20) {
            wrong.push(format!("{name}: {memory} bytes of memory for {}", bytes.len()));
        }
        let took = time(bytes);
        if took > LIMIT {
            wrong.push(format!("{name}: {took:?}"));
        }
        let code = got.as_ref().err().map(|refusal| refusal.code.as_str());
        if code != *refused {
            wrong.push(format!("{name}: expected {refused:?}, got {got:?}"));
        }
        if std::env::var_os("HASHGATE_SHOW").is_some() {
            println!("{name}: {} bytes, {took:?}, {memory} bytes of memory, {got:?}", bytes.len());
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
