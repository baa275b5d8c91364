//! `hashgate keygen`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use hashgate::release::sign::Key;
use rand::TryRngCore;

use crate::keys;

/// Make a key to sign releases with.
///
/// The private key goes to FILE, which its owner alone can read, the public one to FILE.pub. Neither is overwritten.
#[derive(clap::Args)]
pub struct Args {
    /// File for the private key.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Name of the key, best an address without a scheme, such as example.org/lists. Default: FILE's name without its
    /// extension.
    #[arg(long)]
    name: Option<String>,
}

/// Makes the key and prints the public one.
pub fn run(args: &Args) -> Result<ExitCode> {
    let own = || args.out.file_stem().and_then(|stem| stem.to_str()).map(str::to_owned);
    let name = args.name.clone().or_else(own).context("--out: expected a file name, or --name")?;
    let mut secret = [0; 32];
    rand::rngs::OsRng.try_fill_bytes(&mut secret).context("the system's random numbers")?;
    let key = Key::new(&name, &secret)?;
    let public = keys::write_new(&args.out, &key)?;
    println!("{}", key.public());
    eprintln!("private key: {}; public key: {}", args.out.display(), public.display());
    Ok(ExitCode::SUCCESS)
}
