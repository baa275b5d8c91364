//! `hashgate keygen`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use hashgate::release::log::sign::WitnessKey;
use hashgate::release::sign::Key;
use hashgate_native::terminal::{complain, say};
use rand::TryRngCore;

use crate::keys;

/// Make a key that signs the releases of one list, or the checkpoints of a log.
///
/// Writes the private key to FILE, which its owner alone can read, and the public key to FILE.pub. Overwrites neither.
/// Make one key per list: whoever trusts a key trusts every list that it signed.
#[derive(clap::Args)]
pub struct Args {
    /// File for the private key.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Name of the key, such as an address without a scheme: example.org/lists. Default: FILE's name without its
    /// extension.
    #[arg(long)]
    name: Option<String>,
    /// Make the key of a witness, which cosigns checkpoints of logs and signs nothing else.
    #[arg(long)]
    witness: bool,
}

/// Makes the key and prints its public half.
///
/// # Errors
/// A file exists or can't be written, or the system gives no random numbers.
pub fn run(args: &Args) -> Result<ExitCode> {
    let own = || args.out.file_stem().and_then(|stem| stem.to_str()).map(str::to_owned);
    let name = args.name.clone().or_else(own).context("--out: expected a file name, got none; give one, or --name")?;
    let mut secret = [0; 32];
    rand::rngs::OsRng.try_fill_bytes(&mut secret).context("random numbers of the system")?;
    let (private, public) = if args.witness {
        let key = WitnessKey::new(&name, &secret)?;
        (key.private(), key.public())
    } else {
        let key = Key::new(&name, &secret)?;
        (key.private(), key.public())
    };
    let file = keys::write_new(&args.out, &private, &public)?;
    say(&public)?;
    complain(&format!("private key: {}; public key: {}", args.out.display(), file.display()));
    Ok(ExitCode::SUCCESS)
}
