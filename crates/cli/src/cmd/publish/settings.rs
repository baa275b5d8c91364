//! Collects the settings of a release. A setting comes from the command line, or else from the list file, the last
//! release or what `publish` remembered, or the defaults, in this order.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use hashgate::FilterInfo;
use hashgate::filter::build::Request;
use hashgate::release::Manifest;
use hashgate_native::list::{Kind, Suspect};
use hashgate_native::text;
use serde::Deserialize;

use super::{Args, DELTAS, EXPIRES, HEADROOM, duration};
use crate::cmd::build::{FRAME_RATE, RequestArgs};
use crate::memory::OfList;

/// The list file that is read if it is there and no other is named.
const LIST_FILE: &str = "hashgate.toml";

/// A list file.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct ListFile {
    lists: Vec<PathBuf>,
    dir: Option<PathBuf>,
    key: Option<PathBuf>,
    name: Option<String>,
    category: Option<String>,
    curators: Vec<String>,
    rings: Option<u32>,
    ring_key_bits: Option<u32>,
    false_positive_rate: Option<f64>,
    lookup_budget: Option<u32>,
    view_lookup_budget: Option<u32>,
    require_sources: Option<usize>,
    threshold: Option<usize>,
    headroom: Option<u32>,
    deltas: Option<u8>,
    expires: Option<String>,
    trust: Vec<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    skip_bad: bool,
    include_disputed: bool,
    exclude: Vec<PathBuf>,
    exclude_distance: Option<u32>,
    only_category: Vec<String>,
    suspect: Option<String>,
    check_against: Vec<PathBuf>,
}

/// Returns the line at which a list file is wrong. The error's own text draws it in several lines, which a message can't hold.
fn line_of(text: &str, error: &toml::de::Error) -> usize {
    let start = error.span().map_or(0, |span| span.start.min(text.len()));
    1 + text.as_bytes()[..start].iter().filter(|&&byte| byte == b'\n').count()
}

impl ListFile {
    /// Reads the named file, or `hashgate.toml` of this folder if it is there. Paths in the file are relative to the
    /// file's folder.
    ///
    /// # Errors
    /// The file can't be read, or has an unknown or malformed field.
    fn read(named: Option<&Path>) -> Result<Self> {
        let path = named.unwrap_or(Path::new(LIST_FILE));
        let text = match std::fs::read_to_string(path) {
            Err(error) if named.is_none() && error.kind() == std::io::ErrorKind::NotFound => return Ok(Self::default()),
            read => read.with_context(|| path.display().to_string())?,
        };
        let mut file: Self = toml::from_str(&text)
            .map_err(|error| anyhow::anyhow!("{}:{}: {}", path.display(), line_of(&text, &error), error.message()))?;
        for (field, label) in [("name", &file.name), ("category", &file.category)] {
            if let Some(label) = label {
                text::label(label).map_err(|error| anyhow::anyhow!("{}: {field}: {error}", path.display()))?;
            }
        }
        for curator in &file.curators {
            text::label(curator).map_err(|error| anyhow::anyhow!("{}: curators: {error}", path.display()))?;
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        if let Some(folder) = folder {
            let paths = file.lists.iter_mut().chain(&mut file.exclude).chain(&mut file.check_against);
            paths.chain(&mut file.dir).chain(&mut file.key).for_each(|path| {
                if path.as_os_str() != "-" {
                    *path = folder.join(&*path);
                }
            });
            for key in &mut file.trust {
                let beside = folder.join(&*key);
                if let Some(beside) = beside.to_str().filter(|_| beside.is_file()) {
                    *key = beside.to_owned();
                }
            }
        }
        Ok(file)
    }
}

impl Args {
    /// Adds the settings that the list file has and the command line lacks.
    ///
    /// # Errors
    /// The list file can't be read; or neither gives the lists, the folder or the key.
    pub fn with_list_file(mut self) -> Result<Self> {
        let file = ListFile::read(self.config.as_deref())?;
        let or_all = |given: &mut Vec<PathBuf>, from_file: Vec<PathBuf>| {
            if given.is_empty() {
                *given = from_file;
            }
        };
        or_all(&mut self.lists, file.lists);
        or_all(&mut self.reading.exclude, file.exclude);
        or_all(&mut self.clean.check_against, file.check_against);
        let or_texts = |given: &mut Vec<String>, from_file: Vec<String>| {
            if given.is_empty() {
                *given = from_file;
            }
        };
        or_texts(&mut self.curators, file.curators);
        or_texts(&mut self.trust, file.trust);
        or_texts(&mut self.reading.only_category, file.only_category);
        self.dir = self.dir.or(file.dir);
        self.key = self.key.or(file.key);
        self.name = self.name.or(file.name);
        self.category = self.category.or(file.category);
        self.rings = self.rings.or(file.rings);
        self.ring_key_bits = self.ring_key_bits.or(file.ring_key_bits);
        self.false_positive_rate = self.false_positive_rate.or(file.false_positive_rate);
        self.lookup_budget = self.lookup_budget.or(file.lookup_budget);
        self.view_lookup_budget = self.view_lookup_budget.or(file.view_lookup_budget);
        self.require_sources = self.require_sources.or(file.require_sources);
        self.threshold = self.threshold.or(file.threshold);
        self.headroom = self.headroom.or(file.headroom);
        self.deltas = self.deltas.or(file.deltas);
        if let (None, Some(text)) = (self.expires, &file.expires) {
            self.expires = Some(duration(text).map_err(|error| anyhow::anyhow!("{LIST_FILE}: expires: {error}"))?);
        }
        self.reading.skip_bad |= file.skip_bad;
        self.reading.include_disputed |= file.include_disputed;
        if let Some(distance) = file.exclude_distance {
            self.reading.exclude_distance = distance.min(self.reading.exclude_distance);
        }
        let named = |error: String| anyhow::anyhow!("{LIST_FILE}: {error}");
        if let (None, Some(kind)) = (self.reading.kind, &file.kind) {
            self.reading.kind = Some(Kind::from_str(kind, true).map_err(|error| named(format!("type: {error}")))?);
        }
        if let (Suspect::Report, Some(suspect)) = (self.reading.suspect, &file.suspect) {
            self.reading.suspect =
                Suspect::from_str(suspect, true).map_err(|error| named(format!("suspect: {error}")))?;
        }
        if self.lists.is_empty() {
            bail!("lists: expected at least one, got none; name them, or write {LIST_FILE} with `lists = […]`");
        }
        Ok(self)
    }

    /// Completes the settings from the last release and from what `publish` remembered of the list.
    ///
    /// # Errors
    /// The first release has no name or category; or the name or category differs from the last release's.
    pub fn settle(&self, last: Option<(&Manifest, &FilterInfo)>, memory: &OfList, key_name: &str) -> Result<Settled> {
        let (manifest, info) = last.unzip();
        let label = |field: &str, given: &Option<String>, before: Option<&String>| -> Result<String> {
            match (given, before) {
                (Some(given), Some(before)) if given != before => bail!(
                    "--{field}: expected {before:?}, as in the folder's manifest.txt, got {given:?}: another list needs \
                     another folder"
                ),
                (Some(text), _) | (None, Some(text)) => Ok(text.clone()),
                (None, None) => bail!("--{field}: expected it for the first release, got none"),
            }
        };
        let name = label("name", &self.name, manifest.map(|manifest| &manifest.name))?;
        let category = label("category", &self.category, manifest.map(|manifest| &manifest.category))?;
        let defaults = Request::new(&name, &category);
        let budget = self.lookup_budget.or(info.map(|info| info.lookup_budget));
        let view_budget = self.view_lookup_budget.or_else(|| {
            // If a new lookup budget is given, derived views get a quarter of it instead of the last release's budget.
            info.filter(|_| self.lookup_budget.is_none()).map(|info| info.view_lookup_budget)
        });
        let curators = match (&self.curators, manifest) {
            (given, _) if !given.is_empty() => given.clone(),
            (_, Some(manifest)) if !manifest.curators.is_empty() => manifest.curators.clone(),
            _ => vec![key_name.to_owned()],
        };
        Ok(Settled {
            request: RequestArgs {
                name,
                category,
                rings: self.rings.or(info.map(|info| info.rings).filter(|&rings| rings > 0)).unwrap_or(defaults.rings),
                ring_key_bits: self
                    .ring_key_bits
                    .or(info.map(|info| info.ring_key_bits).filter(|&bits| bits > 0))
                    .unwrap_or(defaults.ring_key_bits),
                false_positive_rate: self
                    .false_positive_rate
                    .or(self.frames.then_some(FRAME_RATE))
                    .or(info.map(FilterInfo::image_false_positive_rate)),
                frames: self.frames,
                lookup_budget: budget,
                view_lookup_budget: view_budget.or(self.lookup_budget.map(|budget| budget.div_ceil(4))),
                require_sources: self.require_sources.or(memory.require_sources).unwrap_or(1),
            },
            curators,
            headroom: self.headroom.or(memory.headroom).unwrap_or(HEADROOM),
            threshold: self.threshold.or(memory.threshold).unwrap_or(1),
            deltas: self.deltas.unwrap_or(DELTAS),
            expires: self.expires.unwrap_or(EXPIRES),
        })
    }
}

/// The settings of a release, complete.
pub struct Settled {
    pub request: RequestArgs,
    pub curators: Vec<String>,
    pub headroom: u32,
    pub threshold: usize,
    pub deltas: u8,
    pub expires: u64,
}
