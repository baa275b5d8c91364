//! `hashgate completions` and `hashgate man`: what packages ship beside the program.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Command;
use clap_complete::Shell;

/// Print the completions of a shell.
///
/// Put them where your shell looks: `hashgate completions bash > ~/.local/share/bash-completion/completions/hashgate`,
/// `hashgate completions zsh > ~/.zfunc/_hashgate`, `hashgate completions fish > ~/.config/fish/completions/hashgate.fish`.
#[derive(clap::Args)]
pub struct Completions {
    /// The shell.
    shell: Shell,
}

/// Write the manual pages, one per command, to a folder.
#[derive(clap::Args)]
pub struct Man {
    /// The folder. It is made if it isn't there.
    folder: PathBuf,
}

/// Prints the completions.
///
/// # Errors
/// Stdout can't be written to.
pub fn completions(args: &Completions, program: &mut Command) -> Result<ExitCode> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, program, "hashgate", &mut script);
    hashgate_native::terminal::say_lines(&String::from_utf8(script)?)?;
    Ok(ExitCode::SUCCESS)
}

/// Writes the manual pages.
///
/// # Errors
/// The folder can't be written to.
pub fn man(args: &Man, program: Command) -> Result<ExitCode> {
    let folder = &args.folder;
    let write = || -> std::io::Result<()> {
        std::fs::create_dir_all(folder)?;
        clap_mangen::generate_to(program.disable_help_subcommand(true), folder)
    };
    write().with_context(|| folder.display().to_string())?;
    Ok(ExitCode::SUCCESS)
}
