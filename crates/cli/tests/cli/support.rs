//! Runs the binary on drawn pictures and numbered hashes.

pub use std::fs;
pub use std::path::{Path, PathBuf};
pub use std::process::{Command, Output};

pub use image::{RgbImage, imageops};
pub use serde_json::Value;
pub use tempfile::TempDir;

pub use hashgate_testkit::hostile::{self, Expect};

pub struct Run {
    pub code: i32,
    pub out: String,
    pub err: String,
}

pub fn hashgate(folder: &Path, args: &[&str]) -> Run {
    let Output { status, stdout, stderr } =
        Command::new(env!("CARGO_BIN_EXE_hashgate")).args(args).current_dir(folder).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Run { code: status.code().unwrap(), out: text(stdout), err: text(stderr) }
}

pub fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// Draws a picture of 320 x 240 pixels with detail at every scale.
pub fn draw(seed: u32) -> RgbImage {
    hashgate_testkit::photograph(320, 240, seed)
}

pub fn save(folder: &Path, name: &str, picture: &RgbImage) -> PathBuf {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    picture.save(&path).unwrap();
    path
}

pub fn write(folder: &Path, name: &str, text: &str) {
    fs::write(folder.join(name), text).unwrap();
}

pub fn json_lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Returns the hexadecimal SHA-256 digests of the numbers 0 to `count` - 1.
pub fn digests(count: u32) -> Vec<String> {
    (0..count).map(|n| hashgate::digest::Sha256Digest::of(&n.to_le_bytes()).to_string()).collect()
}

pub const BUILD: [&str; 6] = ["--out", "demo.hgf", "--name", "Demo", "--category", "drawn pictures"];

pub fn build(folder: &Path, args: &[&str]) -> Run {
    hashgate(folder, &[&["build"], args, &BUILD].concat())
}

pub fn inspect(folder: &Path) -> Value {
    serde_json::from_str(&hashgate(folder, &["inspect", "--format", "json", "demo.hgf"]).out).unwrap()
}

pub fn counts(info: &Value) -> [u64; 3] {
    ["pdqCount", "sha256Count", "md5Count"].map(|field| info[field].as_u64().unwrap())
}
