//! Sends confirm requests at fixed times, even if earlier answers are late (an open loop).

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Result;
use hashgate::digest::Sha256Digest;
use hashgate::filter::{RING_KEY_BITS, ring_key};
use hashgate::pdq::PdqHash;
use hashgate_native::terminal::{say, say_json};
use serde_json::json;
use tokio::time::Instant;

use super::wire::Wire;

/// Number of connections over which the requests are spread.
const CONNECTIONS: u32 = 64;
/// Number of different questions, half of them about listed hashes.
const QUESTIONS: u32 = 1_000;

/// Plays the load, and prints how long answers took. Times count from the moment at which a question was due, even if
/// it was sent later.
///
/// # Errors
/// An answer is wrong or doesn't come.
pub async fn play(server: SocketAddr, list: &[PdqHash], rate: u32, seconds: u32, as_json: bool) -> Result<()> {
    let questions: std::sync::Arc<Vec<(String, bool)>> = std::sync::Arc::new(
        (0..QUESTIONS)
            .map(|n| {
                let listed = n % 2 == 0;
                let mut hash = match listed {
                    true => list[n as usize * 997 % list.len()],
                    false => PdqHash(Sha256Digest::of(&[b"stranger", &n.to_le_bytes()[..]].concat()).0),
                };
                // Flips 0 to 31 bits of a listed hash, as an edit would.
                (0..n / 2 % 32).for_each(|bit| hash.0[bit as usize] ^= 1 << (n % 8));
                let key = format!("{:016x}", ring_key(&hash, n % 2, *RING_KEY_BITS.start()));
                (json!({ "pdq": hash.to_string(), "ring": n % 2, "key": key }).to_string(), listed)
            })
            .collect(),
    );
    let (memory, cpu) = state(server).await?;
    let start = Instant::now() + Duration::from_millis(100);
    let each = Duration::from_secs_f64(1.0 / f64::from(rate));
    let total = rate * seconds;
    let tasks: Vec<_> = (0..CONNECTIONS)
        .map(|connection| {
            let questions = questions.clone();
            tokio::spawn(async move {
                let mut wire = Wire::open(server).await?;
                let mut times = Vec::new();
                for number in (connection..total).step_by(CONNECTIONS as usize) {
                    let due = start + each * number;
                    tokio::time::sleep_until(due).await;
                    let (question, listed) = &questions[(number % QUESTIONS) as usize];
                    let answer = wire.confirm(question).await?;
                    times.push(due.elapsed());
                    let expected = if *listed { "listed" } else { "not-listed" };
                    anyhow::ensure!(answer["outcome"] == expected, "{question}: expected {expected}, got {answer}");
                }
                Ok(times)
            })
        })
        .collect();
    let mut times = Vec::new();
    for task in tasks {
        times.append(&mut task.await??);
    }
    let lasted = start.elapsed().as_secs_f64();
    let (memory_after, cpu_after) = state(server).await?;
    times.sort_unstable();
    let at = |share: f64| times[(share * (times.len() - 1) as f64) as usize].as_secs_f64() * 1e3;
    let shares = [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999), ("max", 1.0)];
    let cores = (cpu_after - cpu) / lasted;
    if as_json {
        let times: serde_json::Map<_, _> =
            shares.iter().map(|(name, share)| ((*name).to_owned(), json!(at(*share)))).collect();
        let memory = json!({ "before": memory, "after": memory_after });
        return say_json(
            &json!({ "hashes": list.len(), "asked": total, "aSecond": f64::from(total) / lasted, "ms": times,
                     "serverCores": cores, "residentBytes": memory }),
        );
    }
    say(&format!(
        "{total} questions in {lasted:.1} s ({:.0} a second) against {} hashes, all answered as expected",
        f64::from(total) / lasted,
        list.len()
    ))?;
    let shown: Vec<_> = shares.iter().map(|(name, share)| format!("{name} {:.2}", at(*share))).collect();
    say(&format!("ms from when each was due: {}", shown.join(", ")))?;
    say(&format!("server: {cores:.2} cores, {:.1} MB before, {:.1} MB after", memory / 1e6, memory_after / 1e6))
}

/// Returns the memory in bytes and the CPU seconds of the server, by its own metrics.
async fn state(server: SocketAddr) -> Result<(f64, f64)> {
    let mut wire = Wire::open(server).await?;
    let memory = wire.metric("hashgate_process_resident_memory_bytes").await?;
    Ok((memory, wire.metric("hashgate_process_cpu_seconds_total").await?))
}
