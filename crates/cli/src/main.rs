//! The command-line tool `hashgate`: hashes pictures, builds filters and asks them, publishes releases of them, and
//! serves them.

use std::process::ExitCode;

use clap::{CommandFactory, Parser};
use hashgate_native::{terminal, text};

mod cmd;
mod exit;
mod film;
mod intake;
mod keys;
mod memory;
#[cfg(feature = "native-decoders")]
mod native_decoder;
mod published;

/// Hash pictures; build, inspect and ask filters of known hashes; sign, publish, verify and serve releases of them.
#[derive(Parser)]
#[command(name = "hashgate", version, disable_help_subcommand = true, after_help = cmd::help::topics())]
enum Command {
    Hash(cmd::hash::Args),
    Build(cmd::build::Args),
    Inspect(cmd::inspect::Args),
    Check(cmd::check::Args),
    #[cfg(feature = "lab")]
    Eval(hashgate_lab::eval::Args),
    Keygen(cmd::keygen::Args),
    Publish(cmd::publish::Args),
    Cosign(cmd::cosign::Args),
    Verify(cmd::verify::Args),
    Diff(cmd::diff::Args),
    Witness(hashgate_log::witness_command::Args),
    Monitor(hashgate_log::monitor::Args),
    Compare(hashgate_log::compare::Args),
    #[cfg(feature = "server")]
    Serve(hashgate_server::command::Args),
    #[cfg(feature = "lab")]
    Simulate(hashgate_lab::simulate::Args),
    Help(cmd::help::Args),
    Completions(cmd::shell::Completions),
    #[command(hide = true)]
    Man(cmd::shell::Man),
}

fn main() -> ExitCode {
    let done = match parse() {
        Command::Hash(args) => cmd::hash::run(&args),
        Command::Build(args) => cmd::build::run(&args),
        Command::Inspect(args) => cmd::inspect::run(&args),
        Command::Check(args) => cmd::check::run(&args),
        #[cfg(feature = "lab")]
        Command::Eval(args) => hashgate_lab::eval::run(&args),
        Command::Keygen(args) => cmd::keygen::run(&args),
        Command::Publish(args) => cmd::publish::run(&args),
        Command::Cosign(args) => cmd::cosign::run(&args),
        Command::Verify(args) => cmd::verify::run(&args),
        Command::Diff(args) => cmd::diff::run(&args),
        Command::Witness(args) => hashgate_log::witness_command::run(&args),
        Command::Monitor(args) => hashgate_log::monitor::run(&args),
        Command::Compare(args) => hashgate_log::compare::run(&args),
        #[cfg(feature = "server")]
        Command::Serve(args) => hashgate_server::command::run(args, intake::fingerprint_of),
        #[cfg(feature = "lab")]
        Command::Simulate(args) => hashgate_lab::simulate::run(&args),
        Command::Help(args) => cmd::help::run(&args, &mut Command::command()),
        Command::Completions(args) => cmd::shell::completions(&args, &mut Command::command()),
        Command::Man(args) => cmd::shell::man(&args, Command::command()),
    };
    done.unwrap_or_else(|error| {
        let (code, name) = exit::of(&error);
        let name = name.map(|name| format!("{name}: ")).unwrap_or_default();
        terminal::complain(&format!("hashgate: {name}{error:#}"));
        ExitCode::from(code)
    })
}

/// Reads the arguments. If they are wrong, says so and ends the process.
///
/// A shell turns `*` into names of files, which anybody may have chosen, and a name that begins with `-` is read as an
/// option. So the message shows the arguments with their invisible characters escaped.
fn parse() -> Command {
    Command::try_parse().unwrap_or_else(|error| {
        let arguments: Vec<_> = std::env::args_os().map(|argument| argument.to_string_lossy().into_owned()).collect();
        if !arguments.iter().any(|argument| argument.contains(text::is_invisible)) {
            error.exit();
        }
        let mut message = error.render().to_string();
        for argument in &arguments {
            let value = argument.split_once('=').map_or("", |(_, value)| value);
            for part in [argument, value].into_iter().filter(|part| part.contains(text::is_invisible)) {
                message = message.replace(part, &text::plain(part));
            }
        }
        message.lines().for_each(terminal::complain);
        std::process::exit(error.exit_code())
    })
}
