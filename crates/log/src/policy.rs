//! Reads policies (C2SP `tlog-policy`). A policy tells which log and which witnesses are trusted, and their addresses.
//!
//! Supports only policies of one log and one group of witnesses, because readers of releases can demand only a
//! threshold of witnesses.

use std::collections::HashMap;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use hashgate::release::log::LogTrust;

/// A witness that a policy names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witness {
    /// Its name in the policy.
    pub name: String,
    /// Its public key.
    pub key: String,
    /// The address of the witness. Requests go to `add-checkpoint` below it.
    pub url: Option<String>,
}

/// What a policy says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    /// Public key of the log, if one is given.
    pub log: Option<String>,
    /// Address of the log, if one is given.
    pub url: Option<String>,
    /// The witnesses of the quorum.
    pub witnesses: Vec<Witness>,
    /// Number of these witnesses that must have cosigned.
    pub threshold: usize,
}

impl Policy {
    /// Reads a policy from a file.
    ///
    /// # Errors
    /// The file can't be read, or isn't a policy of one log and one group.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
        text.parse().with_context(|| path.display().to_string())
    }

    /// Returns the trust of a reader who follows this policy. `key` is the log's public key. If it is `None`, the
    /// policy's log key is used.
    ///
    /// # Errors
    /// Neither `key` nor the policy gives a public key of the log, or a key is malformed.
    pub fn trust(&self, key: Option<&str>, origin: Option<&str>) -> Result<LogTrust> {
        let key = key.or(self.log.as_deref());
        let trust = LogTrust::new(key.context("log: expected a public key, got none; give --log-key")?, origin)?;
        if self.threshold == 0 {
            return Ok(trust);
        }
        let keys: Vec<_> = self.witnesses.iter().map(|witness| &witness.key).collect();
        Ok(trust.witnessed_by(&keys, self.threshold)?)
    }
}

impl std::str::FromStr for Policy {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let mut policy = Self::default();
        let mut known: Vec<Witness> = Vec::new();
        let mut groups: HashMap<String, (usize, Vec<Witness>)> = HashMap::new();
        let mut quorum = None;
        for (number, line) in text.lines().enumerate() {
            let words: Vec<_> = line.split([' ', '\t']).filter(|word| !word.is_empty()).collect();
            let expected = |what: &str| format!("line {}: expected {what}, got {line:?}", number + 1);
            let is_new = |name: &str, known: &[Witness], groups: &HashMap<String, _>| {
                name != "none" && !groups.contains_key(name) && known.iter().all(|witness| witness.name != name)
            };
            match words[..] {
                [] => {}
                [first, ..] if first.starts_with('#') => {}
                ["log", key, ref url @ ..] if url.len() <= 1 => {
                    ensure!(policy.log.is_none(), expected("one log"));
                    (policy.log, policy.url) = (Some(key.into()), url.first().map(|&url| url.into()));
                }
                ["witness", name, key, ref url @ ..] if url.len() <= 1 => {
                    ensure!(is_new(name, &known, &groups), expected("a new name"));
                    let url = url.first().map(|&url| url.into());
                    known.push(Witness { name: name.into(), key: key.into(), url });
                }
                ["group", name, count, ref members @ ..] if !members.is_empty() => {
                    ensure!(is_new(name, &known, &groups), expected("a new name"));
                    let find = |&member: &&str| known.iter().find(|witness| witness.name == member).cloned();
                    let found: Vec<_> = members.iter().filter_map(find).collect();
                    ensure!(
                        found.len() == members.len(),
                        expected("witnesses of lines before (a group of groups isn't read)")
                    );
                    let distinct = members.iter().enumerate().all(|(at, member)| !members[..at].contains(member));
                    ensure!(distinct, expected("each member once"));
                    let count = match count {
                        "any" => 1,
                        "all" => found.len(),
                        count => count
                            .parse()
                            .ok()
                            .filter(|count| (1..=found.len()).contains(count))
                            .with_context(|| expected("any, all, or a number up to that of the members"))?,
                    };
                    groups.insert(name.into(), (count, found));
                }
                ["quorum", name] => {
                    ensure!(quorum.is_none(), expected("one quorum"));
                    quorum = Some(match name {
                        "none" => (0, known.clone()),
                        name => match known.iter().find(|witness| witness.name == name) {
                            Some(witness) => (1, vec![witness.clone()]),
                            None => groups.get(name).cloned().with_context(|| expected("a name of lines before"))?,
                        },
                    });
                }
                _ => bail!(expected("log, witness, group or quorum")),
            }
        }
        (policy.threshold, policy.witnesses) = quorum.context("expected a line \"quorum NAME\", got none")?;
        Ok(policy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_of_one_group_is_read_and_anything_else_refused() {
        let head = "# ours\nlog K https://l\n\twitness a A https://a\nwitness b B\n";
        let policy: Policy = format!("{head}group both 2 a b\nquorum both\n").parse().unwrap();
        assert_eq!((policy.threshold, policy.witnesses.len(), policy.url.as_deref()), (2, 2, Some("https://l")));
        assert_eq!(policy.witnesses[0].url.as_deref(), Some("https://a"));
        let threshold = |rest: &str| format!("{head}{rest}").parse::<Policy>().map(|policy| policy.threshold).ok();
        assert_eq!(threshold("group g all a b\nquorum g"), Some(2));
        assert_eq!(threshold("group g any a b\nquorum g"), Some(1));
        assert_eq!((threshold("quorum a"), threshold("quorum none")), (Some(1), Some(0)));
        for bad in [
            "",
            "quorum c",
            "group g 3 a b\nquorum g",
            "group g 0 a\nquorum g",
            "group g 1 a a\nquorum g",
            "witness a X\nquorum a",
            "log K2\nquorum a",
            "nonsense\nquorum a",
            "quorum a\nquorum a",
            "group g any a\ngroup h any g\nquorum h",
        ] {
            assert_eq!(threshold(bad), None, "{bad:?}");
        }
    }
}
