//! Tests the help that an installed program prints, and the manual pages and completions that packages ship with it.

use std::path::{Path, PathBuf};
use std::process::Command;

fn hashgate(args: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_hashgate")).args(args).output().unwrap();
    assert!(output.status.success(), "{args:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Returns the first word of each line under a heading of the overview.
fn names(overview: &str, heading: &str) -> Vec<String> {
    let part = overview.split(heading).nth(1).unwrap().split("\n\n").next().unwrap();
    part.lines().filter_map(|line| line.strip_prefix("  ")?.split(' ').next().map(str::to_owned)).collect()
}

/// Returns whether a text names a file that exists only in the repository.
fn names_a_file(text: &str) -> bool {
    [".md", "docs/", "examples/", "crates/", "tests/"].iter().any(|part| text.contains(part))
}

#[test]
fn every_command_and_topic_has_help_that_needs_no_repository() {
    let overview = hashgate(&["help"]);
    let (commands, topics) = (names(&overview, "Commands:\n"), names(&overview, "Topics of `hashgate help TOPIC`:\n"));
    assert!(commands.len() > 14 && topics.len() > 7, "{overview}");
    for name in &commands {
        let long = hashgate(&[name, "--help"]);
        assert_eq!(hashgate(&["help", name]), long, "{name}");
        assert!(!names_a_file(&long), "{name}: {long}");
    }
    for name in &topics {
        let page = hashgate(&["help", name]);
        assert!(page.starts_with("# ") && page.lines().count() > 20 && !page.contains(".md"), "{name}: {page}");
    }
    let wrong = Command::new(env!("CARGO_BIN_EXE_hashgate")).args(["help", "nothing"]).output().unwrap();
    assert!(!wrong.status.success() && String::from_utf8_lossy(&wrong.stderr).contains("lists, command-line"));
}

/// Returns the Rust files below a folder.
fn sources(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            into.push(path);
        }
    }
}

#[test]
fn no_message_of_the_program_names_a_file_of_the_repository() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut files = Vec::new();
    for folder in
        ["src", "crates/cli/src", "crates/lab/src", "crates/log/src", "crates/native/src", "crates/server/src"]
    {
        sources(&root.join(folder), &mut files);
    }
    assert!(files.len() > 100);
    let mut seen = 0;
    for path in files {
        // Skips this module, because only tests contain it.
        if path.ends_with("src/generated.rs") {
            continue;
        }
        let code = std::fs::read_to_string(&path).unwrap();
        let code = code.split("#[cfg(test)]").next().unwrap();
        for line in code.lines().filter(|line| !line.trim_start().starts_with("//")) {
            // Included pages may name files. The test above has checked them.
            let literals = line.split('"').skip(1).step_by(2);
            seen += literals.clone().count();
            let included = ["include_str!", "include_bytes!", "topic!("].iter().any(|word| line.contains(word));
            assert!(included || !literals.into_iter().any(names_a_file), "{}: {line}", path.display());
        }
    }
    assert!(seen > 1000, "{seen} texts");
}

#[test]
fn completions_and_manual_pages_are_of_every_command() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = hashgate(&["completions", shell]);
        assert!(["publish", "serve", "clamd"].iter().all(|word| script.contains(word)), "{shell}");
    }
    let folder = tempfile::tempdir().unwrap();
    hashgate(&["man", folder.path().to_str().unwrap()]);
    for name in names(&hashgate(&["help"]), "Commands:\n") {
        let page = std::fs::read_to_string(folder.path().join(format!("hashgate-{name}.1")));
        let page = page.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(page.contains(&format!(".TH hashgate-{name} 1")), "{page}");
    }
    assert!(folder.path().join("hashgate.1").exists());
}
