//! The local state of `threatexchange` 1.2.17: `~/.threatexchange/fetched/API/NAME.state.pickle`.
//!
//! A pickle is a program for Python, so a hostile pickle can run any code when Python opens it. This reader runs no
//! code: it reads strings, numbers and containers, and keeps only the names of classes.

mod machine;

use anyhow::{Context, Result};

use super::Opinion;
use super::builder::{Builder, Row};
use super::kind::is_digest;
use machine::{Machine, Node};

/// Returns whether the bytes are a pickle of protocol 2 to 5.
pub(super) fn is_pickle(bytes: &[u8]) -> bool {
    matches!(bytes, [0x80, 2..=5, ..]) && bytes.ends_with(b".")
}

/// Reads the rows. Returns the form in words.
///
/// # Errors
/// The pickle is damaged, or isn't such a state.
pub(super) fn read(bytes: &[u8], builder: &mut Builder) -> Result<String> {
    let name = builder.list.path.display().to_string();
    let expected = "expected the local state of threatexchange (NAME.state.pickle)";
    let (machine, root) = Machine::run(bytes).with_context(|| format!("{name}: {expected}"))?;
    let updates = machine.field(root, "updates").with_context(|| format!("{name}: {expected}, got another pickle"))?;
    for (number, &(key, record)) in (1..).zip(machine.pairs(updates)) {
        match machine.node(key) {
            Node::Sequence(parts) if parts.len() == 2 => {
                let (Some(kind), Some(hash)) = (machine.text(parts[0]), machine.text(parts[1])) else {
                    builder.bad(number, "expected a type and a hash, got others");
                    continue;
                };
                if matches!(machine.node(record), Node::None) {
                    builder.withdrawn();
                    continue;
                }
                let opinion = opinion(&machine, record);
                builder.row_of_interface(number, &Row { hash, kind: Some(kind), opinion, ..Row::default() });
            }
            _ => entry(&machine, number, record, builder),
        }
    }
    Ok("local state of threatexchange".into())
}

/// Joins the opinions of a record: `opinions` of ThreatExchange, `feedbacks` of StopNCII. Other records only assert.
fn opinion(machine: &Machine, record: usize) -> Opinion {
    let opinions = machine.field(record, "opinions").into_iter().flat_map(|list| machine.items(list));
    let categories = opinions.filter_map(|&opinion| {
        let category = machine.field(opinion, "category")?;
        Some(match machine.number(category)? {
            0 => Opinion::Negative,
            3 => Opinion::Disputed,
            _ => Opinion::Asserted,
        })
    });
    let feedbacks = machine.field(record, "feedbacks").into_iter().flat_map(|list| machine.items(list));
    let values = feedbacks.filter_map(|&feedback| match machine.text(machine.field(feedback, "feedbackValue")?)? {
        "Blocked" => Some(Opinion::Asserted),
        "NotBlocked" => Some(Opinion::Negative),
        _ => None,
    });
    Opinion::all(categories.chain(values))
}

/// Takes an entry of NCMEC: a picture or a video, with hashes of several types.
fn entry(machine: &Machine, number: u64, record: usize, builder: &mut Builder) {
    if matches!(machine.node(record), Node::None)
        || machine.field(record, "deleted").is_some_and(|flag| matches!(machine.node(flag), Node::Flag(true)))
    {
        return builder.withdrawn();
    }
    if let Some(json) = machine.field(record, "raw_json") {
        return update(machine, number, json, builder);
    }
    let Some(fingerprints) = machine.field(record, "fingerprints") else {
        return builder.bad(number, "expected a hash, or an entry of NCMEC, got another record");
    };
    let kind_of_file = machine.field(record, "entry_type").and_then(|kind| machine.text(kind));
    let category = machine.field(record, "classification").and_then(|text| machine.text(text));
    let denied: Vec<_> = machine
        .field(record, "feedback")
        .into_iter()
        .flat_map(|feedback| machine.pairs(feedback))
        .filter(|(_, feedbacks)| {
            let value = |&feedback: &usize| machine.text(machine.field(feedback, "feedback_type")?);
            machine.items(*feedbacks).iter().any(|feedback| value(feedback) == Some("downvote"))
        })
        .filter_map(|&(kind, _)| machine.text(kind))
        .collect();
    for &(kind, hash) in machine.pairs(fingerprints) {
        let (Some(kind), Some(hash)) = (machine.text(kind), machine.text(hash)) else { continue };
        if kind_of_file == Some("video") && !is_digest(kind) {
            builder.other(&format!("{kind} of a video"));
            continue;
        }
        let is_denied = denied.iter().any(|denied| denied.eq_ignore_ascii_case(kind));
        let opinion = if is_denied { Opinion::Disputed } else { Opinion::Asserted };
        builder.row_of_interface(number, &Row { hash, kind: Some(kind), category, opinion, ..Row::default() });
    }
}

/// Takes an update of the ThreatExchange API. threatexchange stores it as the JSON that the API sent.
fn update(machine: &Machine, number: u64, json: usize, builder: &mut Builder) {
    let text = |name: &str| machine.field(json, name).and_then(|text| machine.text(text));
    let (Some(hash), Some(kind)) = (text("indicator"), text("type")) else {
        return builder.bad(number, "expected an indicator with a type, got another record");
    };
    if machine.field(json, "should_delete").is_some_and(|flag| matches!(machine.node(flag), Node::Flag(true))) {
        return builder.withdrawn();
    }
    let data = machine.field(json, "descriptors").and_then(|descriptors| machine.field(descriptors, "data"));
    let opinions = data.into_iter().flat_map(|list| machine.items(list)).map(|&descriptor| {
        let status = machine.field(descriptor, "status").and_then(|status| machine.text(status));
        let own = if status == Some("NON_MALICIOUS") { Opinion::Negative } else { Opinion::Asserted };
        let reactions = machine.field(descriptor, "reactions").into_iter().flat_map(|list| machine.items(list));
        let mut keys = reactions.filter_map(|&reaction| machine.text(machine.field(reaction, "key")?));
        if keys.any(|key| key == "DISAGREE_WITH_TAGS") { own.and(Opinion::Negative) } else { own }
    });
    let opinion = Opinion::all(opinions);
    builder.row_of_interface(number, &Row { hash, kind: Some(kind), opinion, ..Row::default() });
}
