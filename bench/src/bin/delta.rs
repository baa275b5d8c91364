//! Measures the delta for 1,000 new hashes in 1,000,000 (and for their removal): its length, and the time to make,
//! apply and verify it.
//!
//! `cargo run --release -p hashgate-bench --bin delta`. An argument changes the room for growth from 5% to another
//! value: `-- 10`.

use std::time::Instant;

use hashgate::Filter;
use hashgate::digest::Sha256Digest;
use hashgate::filter::build::{Entries, Plan, Request, write};
use hashgate::release::sign::{Key, write_delta};
use hashgate::release::{DeltaFile, FullFile, Manifest, Trust};
use hashgate_testkit::numbered_hash;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> Outcome<()> {
    let list = |count: u32| Entries { pdq: (0..count).map(numbered_hash).collect(), ..Entries::default() };
    let room = std::env::args().nth(1).map_or(Ok(5), |percent| percent.parse())?;
    let request =
        |release| Request::new("million", "numbered hashes").with_release(release).with_headroom_percent(room);
    let base = list(1_000_000);
    let plan = Plan::new(&request(1), &base)?;
    let base = Filter::open(write(&request(1), &plan, &base)?)?;
    println!("1,000,000 hashes with {room}% of room: {} bytes", base.bytes().len());
    for new in [0, 10, 100, 1000, 10_000, 50_000] {
        let entries = list(1_000_000 + new);
        let plan = Plan::in_geometry_of(base.info(), &request(2), &entries)?;
        let file = Filter::open(write(&request(2), &plan, &entries)?)?;
        let (delta, making) = time(|| write_delta(base.bytes(), file.bytes()))?;
        let back =
            write(&request(3), &Plan::in_geometry_of(base.info(), &request(3), &list(1_000_000))?, &list(1_000_000))?;
        let withdrawn = write_delta(file.bytes(), &back)?.bytes.len();

        let key = Key::new("example.org/list", &[7; 32])?;
        let named = |path: &str, bytes: &[u8]| (path.to_owned(), bytes.len() as u64, Sha256Digest::of(bytes));
        let (path, bytes, sha256) = named("full-2.hgf", file.bytes());
        let mut manifest = Manifest::of(file.info(), FullFile { path, bytes, sha256 }, 1, 2);
        let (path, bytes, sha256) = named("delta-1-2.hgd", &delta.bytes);
        let base_sha256 = Sha256Digest::of(base.bytes());
        manifest.deltas.push(DeltaFile { from: 1, path, bytes, sha256, base_sha256 });
        let note = manifest.sign(&key)?;
        let trust = Trust::new(&[key.public()], 1)?;
        let (manifest, verifying) = time(|| Manifest::verify(note.as_bytes(), &trust))?;
        let (made, applying) = time(|| manifest.apply_delta(base.bytes(), &delta.bytes))?;
        assert!(made == file.bytes());
        println!(
            "{new:7} new: delta of {:8} bytes ({} bits set), {withdrawn:8} to take them out again; made in {making:.0} ms, \
             manifest of {} bytes verified in {verifying:.2} ms, delta applied and proved in {applying:.0} ms",
            delta.bytes.len(),
            delta.set,
            note.len()
        );
    }
    Ok(())
}

/// Returns the result of `work` and its time in milliseconds.
fn time<T, E: std::error::Error + 'static>(work: impl FnOnce() -> Result<T, E>) -> Outcome<(T, f64)> {
    let start = Instant::now();
    let made = work()?;
    Ok((made, start.elapsed().as_secs_f64() * 1e3))
}
