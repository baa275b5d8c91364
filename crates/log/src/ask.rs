//! Asks witnesses for cosignatures (C2SP `tlog-witness`, `add-checkpoint`).

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use base64ct::{Base64, Encoding};
use hashgate::release::log::{Checkpoint, LogTrust, line_by};

use crate::policy::Witness;
use crate::source::client;
use crate::tree::Tree;

/// Time limit of a request.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Longest answer in bytes.
const MAX_ANSWER: usize = 16 << 10;
/// Largest number of requests to a witness per cosignature. If a witness knows another size of the log, it answers with
/// that size, and the next request starts from it.
const ATTEMPTS: usize = 4;

/// Asks all witnesses at once. Returns, in their order, the verified signature lines or what went wrong.
///
/// # Errors
/// The HTTP client can't be made.
pub fn ask_all(witnesses: &[Witness], note: &str, log_key: &str, tree: &Tree) -> Result<Vec<Result<String>>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let client = client(TIMEOUT)?;
    let asked: Vec<_> = witnesses
        .iter()
        .cloned()
        .map(|witness| {
            let (client, note, log_key, tree) = (client.clone(), note.to_owned(), log_key.to_owned(), tree.clone());
            runtime.spawn(async move { ask(&client, &witness, &note, &log_key, &tree).await })
        })
        .collect();
    let answers = async {
        let mut answers = Vec::new();
        for answer in asked {
            answers.push(answer.await.context("asking a witness").and_then(|answer| answer));
        }
        answers
    };
    Ok(runtime.block_on(answers))
}

async fn ask(client: &reqwest::Client, witness: &Witness, note: &str, log_key: &str, tree: &Tree) -> Result<String> {
    let url = witness.url.as_deref().context("address: expected one in the policy, got none")?;
    let url = format!("{}/add-checkpoint", url.trim_end_matches('/'));
    // Assumes at first that the witness has cosigned the log without its last entry, which is the usual case.
    let mut old = tree.size() - 1;
    for _ in 0..ATTEMPTS {
        let proof = tree.consistency(old, tree.size()).context("a log has a proof from each of its sizes")?;
        let proof: String = proof.iter().flat_map(|hash| [Base64::encode_string(hash), "\n".into()]).collect();
        let mut answer = client.post(&url).body(format!("old {old}\n{proof}\n{note}")).send().await?;
        let status = answer.status().as_u16();
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await? {
            body.extend_from_slice(&chunk);
            ensure!(body.len() <= MAX_ANSWER, "answer: expected at most {MAX_ANSWER} bytes, got more");
        }
        let body = String::from_utf8(body).context("answer: expected UTF-8")?;
        match status {
            200 => return verified(&body, witness, note, log_key),
            409 => {
                let size = body.trim_end().parse::<u64>().ok().context("answer: expected the size of a log")?;
                ensure!(
                    size <= tree.size(),
                    "the witness has cosigned {size} entries of this log, which has {}: it was put back to an older state; \
                     put the newer one back, or begin a log with another key",
                    tree.size()
                );
                ensure!(size != old, "answer: expected status 200, got 409 for the size that it names");
                old = size;
            }
            422 => bail!("status 422: the witness has cosigned a log that this one doesn't continue: {body:?}"),
            other => bail!("answer: expected status 200, got {other}: {body:?}"),
        }
    }
    bail!("answer: expected status 200, got 409 again and again")
}

/// Returns the lines of the witness's own key, if they are valid.
fn verified(lines: &str, witness: &Witness, note: &str, log_key: &str) -> Result<String> {
    let own = line_by(format!("{note}{lines}").as_bytes(), &witness.key)?;
    let trust = LogTrust::new(log_key, None)?.witnessed_by(&[&witness.key], 1)?;
    Checkpoint::verify(format!("{note}{own}").as_bytes(), &trust)?;
    Ok(own)
}
