//! NCMEC's hash sharing interface, version 2: `queryResult` with images and videos.
//!
//! The names are those of `threatexchange` 1.2.17 (`exchanges/clients/ncmec/hash_api.py`).

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, bail};
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;

use super::Opinion;
use super::builder::{Builder, Row};
use super::kind::is_digest;

/// An image or video.
#[derive(Default)]
struct Entry {
    is_video: bool,
    is_deleted: bool,
    member: String,
    id: String,
    classification: String,
    /// Hashes, by the name of their element: `md5`, `sha1`, `pdna`, `pdq`.
    fingerprints: Vec<(String, String)>,
    /// Types of the hashes that another member gave negative feedback on, in small letters.
    denied: BTreeSet<String>,
}

/// Reads the rows. Returns the form in words.
///
/// # Errors
/// The text is no XML, or other XML.
pub(super) fn read(text: &str, builder: &mut Builder) -> Result<String> {
    let name = builder.list.path.display().to_string();
    let mut reader = Reader::from_str(text);
    reader.config_mut().trim_text(true);
    let mut path: Vec<String> = Vec::new();
    let mut entry: Option<Entry> = None;
    // An entry may come several times. The last one counts: it replaces or deletes the earlier ones.
    let mut entries: BTreeMap<(String, String), Entry> = BTreeMap::new();
    let mut is_answer = false;
    loop {
        let event = match reader.read_event() {
            Ok(event) => event,
            Err(error) => {
                let read = &text.as_bytes()[..reader.buffer_position() as usize];
                let line = 1 + read.iter().filter(|&&byte| byte == b'\n').count();
                bail!("{name}:{line}: expected whole XML, got {error}; fetch the list again");
            }
        };
        match event {
            Event::Eof => break,
            Event::DocType(_) => bail!("{name}: expected XML without a document type, got one"),
            Event::Start(start) => {
                let tag = local(&start);
                is_answer |= tag == "queryResult";
                begin(&tag, &start, &path, &mut entry);
                path.push(tag);
            }
            Event::Empty(start) => {
                let tag = local(&start);
                is_answer |= tag == "queryResult";
                begin(&tag, &start, &path, &mut entry);
                finish(&tag, &mut entry, &mut entries);
            }
            Event::End(_) => {
                let tag = path.pop().unwrap_or_default();
                finish(&tag, &mut entry, &mut entries);
            }
            Event::Text(content) => {
                if let (Some(entry), Ok(content)) = (&mut entry, content.decode()) {
                    take(entry, &path, &content);
                }
            }
            Event::CData(content) => {
                if let (Some(entry), Ok(content)) = (&mut entry, content.decode()) {
                    take(entry, &path, &content);
                }
            }
            _ => {}
        }
    }
    if !is_answer {
        bail!("{name}: expected NCMEC's queryResult, got other XML; `hashgate help lists` names the forms");
    }
    if !path.is_empty() {
        bail!("{name}: expected whole XML, got the end of the file inside {}; fetch the list again", path.join("/"));
    }
    for (number, entry) in (1..).zip(entries.values()) {
        rows(number, entry, builder);
    }
    Ok("XML of NCMEC's hash sharing, version 2".into())
}

fn local(start: &BytesStart) -> String {
    String::from_utf8_lossy(start.local_name().as_ref()).into_owned()
}

fn attribute(start: &BytesStart, name: &str) -> Option<String> {
    let found =
        start.attributes().flatten().find(|attribute| attribute.key.local_name().as_ref() == name.as_bytes())?;
    Some(String::from_utf8_lossy(&found.value).into_owned())
}

fn begin(tag: &str, start: &BytesStart, path: &[String], entry: &mut Option<Entry>) {
    let parent = path.last().map_or("", String::as_str);
    match (tag, parent) {
        ("image" | "video" | "deletedImage" | "deletedVideo", "images" | "videos") => {
            let kind = tag.to_ascii_lowercase();
            *entry = Some(Entry {
                is_video: kind.ends_with("video"),
                is_deleted: kind.starts_with("deleted"),
                ..Entry::default()
            });
        }
        ("member", "image" | "video" | "deletedImage" | "deletedVideo") => {
            if let (Some(entry), Some(id)) = (entry, attribute(start, "id")) {
                entry.member = id;
            }
        }
        ("negativeFeedback", "feedback") => {
            if let (Some(entry), Some(kind)) = (entry, attribute(start, "type")) {
                entry.denied.insert(kind.to_ascii_lowercase());
            }
        }
        // A large fingerprint is only named here. Its value lies at another address.
        (_, "fingerprints") => {
            if let Some(entry) = entry {
                entry.fingerprints.push((tag.to_owned(), String::new()));
            }
        }
        _ => {}
    }
}

fn take(entry: &mut Entry, path: &[String], content: &str) {
    match path {
        [.., parent, tag] if parent == "fingerprints" => {
            if let Some((_, hash)) = entry.fingerprints.last_mut().filter(|(name, _)| name == tag) {
                hash.push_str(content);
            }
        }
        [.., parent, tag] if is_entry(parent) && tag == "id" => entry.id = content.to_owned(),
        [.., parent, tag] if is_entry(parent) && tag == "classification" => entry.classification = content.to_owned(),
        _ => {}
    }
}

fn is_entry(tag: &str) -> bool {
    matches!(tag, "image" | "video" | "deletedImage" | "deletedVideo")
}

fn finish(tag: &str, entry: &mut Option<Entry>, entries: &mut BTreeMap<(String, String), Entry>) {
    if is_entry(tag)
        && let Some(entry) = entry.take()
    {
        entries.insert((entry.member.clone(), entry.id.clone()), entry);
    }
}

fn rows(number: u64, entry: &Entry, builder: &mut Builder) {
    if entry.is_deleted {
        return builder.withdrawn();
    }
    for (kind, hash) in &entry.fingerprints {
        if entry.is_video && !is_digest(kind) {
            builder.other(&format!("{kind} of a video"));
            continue;
        }
        if hash.is_empty() {
            builder.other(kind);
            continue;
        }
        // An entry is its member's assertion. Another member's negative feedback makes it a dispute.
        let plain = |name: &str| name.replace(['-', '_'], "").to_ascii_lowercase();
        let is_denied = entry.denied.iter().any(|denied| plain(denied) == plain(kind));
        let opinion = if is_denied { Opinion::Disputed } else { Opinion::Asserted };
        let category = Some(entry.classification.as_str());
        builder.row_of_interface(number, &Row { hash, kind: Some(kind), category, opinion, ..Row::default() });
    }
}
