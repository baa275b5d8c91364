//! Runs the binary on drawn pictures and numbered hashes.

pub use std::fs;
pub use std::path::{Path, PathBuf};
pub use std::process::{Command, Output};

pub use image::{Rgb, RgbImage, imageops};
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

/// A picture with something at every scale.
pub fn draw(seed: u32) -> RgbImage {
    let waves: Vec<[f32; 3]> = (0..24u32)
        .map(|n| {
            let hash = (n + 97 * seed + 1).wrapping_mul(2_654_435_761);
            [(hash >> 8 & 15) as f32 - 7.5, (hash >> 16 & 15) as f32 - 7.5, (hash >> 24) as f32]
        })
        .collect();
    RgbImage::from_fn(320, 240, |x, y| {
        let (u, v) = (x as f32 / 320.0, y as f32 / 240.0);
        let sum: f32 = waves.iter().map(|[a, b, c]| (6.3 * (a * u + b * v) + c).sin() / (1.0 + a.hypot(*b))).sum();
        let value = (128.0 + 60.0 * sum).clamp(0.0, 255.0) as u8;
        Rgb([value, value / 2 + 40, 255 - value])
    })
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

/// Numbered digests, as text.
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
