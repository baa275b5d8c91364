//! `hashgate help`: prints the help of a command or a page of the documentation. The pages are built in, because an
//! installed program has no other documentation beside it.

use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::Command;
use hashgate_native::terminal;

/// Print the help of a command, or a page of the documentation on a topic.
#[derive(clap::Args)]
pub struct Args {
    /// A command, or a topic. Without one, prints both lists.
    #[arg(value_name = "COMMAND|TOPIC")]
    topic: Option<String>,
}

/// A page of the documentation.
struct Topic {
    name: &'static str,
    about: &'static str,
    /// The name of the page's file in `docs/`. Links of other pages use this name.
    file: &'static str,
    page: &'static str,
}

macro_rules! topic {
    ($name:literal, $about:literal, $file:literal) => {
        Topic { name: $name, about: $about, file: $file, page: include_str!(concat!("../../../../docs/", $file)) }
    };
}

const TOPICS: [Topic; 9] = [
    topic!("lists", "The forms of lists that are read, and what is left out", "reference/lists.md"),
    topic!("command-line", "Exit codes, hashgate.toml, and the options of serve", "reference/command-line.md"),
    topic!("verdicts", "Outcomes, reasons and caveats of a check", "reference/verdict.md"),
    topic!("codes", "The codes of refusals, and what to do", "reference/refusal-codes.md"),
    topic!("words", "The glossary", "reference/glossary.md"),
    topic!("running-a-list", "How to build, sign, publish and change a list", "how-to/run-a-list.md"),
    topic!("confirming", "How to run the server that confirms matches", "how-to/confirming-server.md"),
    topic!("confirm-api", "What that server answers", "reference/confirm-api.md"),
    topic!("checking", "How a back end checks files", "how-to/check-on-the-server.md"),
];

/// Prints the help.
///
/// # Errors
/// There is no such command or topic.
pub fn run(args: &Args, program: &mut Command) -> Result<ExitCode> {
    let Some(name) = &args.topic else {
        terminal::say_lines(&program.render_help().to_string())?;
        return Ok(ExitCode::SUCCESS);
    };
    if program.find_subcommand(name).is_some() {
        // Lets clap handle `hashgate NAME --help`, so that it chooses between the short and the long help as usual.
        let asked = program.try_get_matches_from_mut(["hashgate", name, "--help"]);
        terminal::say_lines(&asked.map_or_else(|help| help.render().to_string(), |_| String::new()))?;
    } else if let Some(topic) = TOPICS.iter().find(|topic| topic.name == name) {
        terminal::say_lines(&plain(topic.page))?;
    } else {
        let names: Vec<_> = TOPICS.iter().map(|topic| topic.name).collect();
        bail!("help: expected a command or one of {}, got {name:?}; run hashgate help", names.join(", "));
    }
    Ok(ExitCode::SUCCESS)
}

/// Returns the list of topics, which is printed below the list of commands.
pub fn topics() -> String {
    let lines = TOPICS.iter().map(|topic| format!("  {:<15} {}", topic.name, topic.about));
    format!("Topics of `hashgate help TOPIC`:\n{}", lines.collect::<Vec<_>>().join("\n"))
}

/// Returns a page as plain text for a terminal. A link to another topic becomes its text and the command that shows the
/// topic. A link to a website becomes its text and the address. A link to a file of the repository becomes only its
/// text, because the reader doesn't have the file.
fn plain(page: &str) -> String {
    let mut text = String::new();
    let mut rest = page;
    while let Some(at) = rest.find("](") {
        let (before, after) = (&rest[..at], &rest[at + 2..]);
        let (Some(open), Some(close)) = (before.rfind('['), after.find(')')) else {
            text += &rest[..at + 2];
            rest = after;
            continue;
        };
        // In a picture, `![…](…)`, also drops the exclamation mark.
        text += before[..open].trim_end_matches('!');
        let (label, target) = (&before[open + 1..], &after[..close]);
        let file = target.split('#').next().unwrap_or_default();
        let topic = TOPICS.iter().find(|topic| file.rsplit('/').next() == topic.file.rsplit('/').next());
        text += &match topic {
            Some(topic) => format!("{label} (hashgate help {})", topic.name),
            None if target.contains("://") => format!("{label} ({target})"),
            None if label.contains('/') => "the repository".to_owned(),
            None => label.to_owned(),
        };
        rest = &after[close + 1..];
    }
    text += rest;
    let comment = |line: &&str| !line.starts_with("<!--");
    text.lines().filter(comment).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lead_to_topics_or_addresses_and_never_to_files() {
        let page = "See [forms](../reference/lists.md#x), [HMA](https://example.org/a), [why](../lab/a.md)\n<!-- x -->\n\
                    and ([a/b.rs](../../a/b.rs)). Fields [a] and (b).";
        let expected = "See forms (hashgate help lists), HMA (https://example.org/a), why\n\
                        and (the repository). Fields [a] and (b).";
        assert_eq!(plain(page), expected);
        for topic in TOPICS {
            let shown = plain(topic.page);
            assert!(
                shown.starts_with("# ") && !shown.contains("](") && !shown.contains(".md"),
                "{}: {shown}",
                topic.name
            );
        }
    }
}
