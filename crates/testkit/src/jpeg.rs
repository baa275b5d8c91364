//! Draws JPEGs of many kinds, and breaks files at random.

use hashgate::Limits;
use hashgate::image::{IntakeError, Picture, StreamingDecoder};
use jpeg_encoder::{ColorType, Encoder};

pub use jpeg_encoder::SamplingFactor;

use crate::Random;

/// The options with which a JPEG is encoded.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    pub sampling: SamplingFactor,
    pub progressive: bool,
    /// Progressive, with libjpeg's usual scans, which send the bits of a coefficient in several scans. The file brings
    /// its own Huffman tables and has no restart markers.
    pub refined: bool,
    pub grey: bool,
    pub quality: u8,
    /// Number of MCUs between restart markers; 0 for no restart markers.
    pub restarts: u16,
    /// The file has optimized Huffman tables, and one scan per component.
    pub optimized: bool,
}

impl Kind {
    /// The options with which cameras encode photographs: chroma halved in both directions, quality 94, and libjpeg's
    /// usual scans if progressive.
    #[must_use]
    pub fn photograph(progressive: bool) -> Self {
        Self {
            sampling: SamplingFactor::F_2_2,
            progressive,
            refined: progressive,
            grey: false,
            quality: 94,
            restarts: 0,
            optimized: false,
        }
    }
}

/// Returns every kind once.
pub fn kinds() -> Vec<Kind> {
    use SamplingFactor::{F_1_1, F_1_2, F_2_1, F_2_2, F_4_1};
    let mut kinds = Vec::new();
    for (index, sampling) in [F_1_1, F_2_1, F_1_2, F_2_2, F_4_1].into_iter().enumerate() {
        for progressive in [false, true] {
            for restarts in [0, 7] {
                let number = 4 * index + 2 * usize::from(progressive) + usize::from(restarts > 0);
                let quality = [50, 75, 85, 95][number % 4];
                let (grey, optimized) = (number == 5 || number == 18, restarts == 0 && index % 4 == 0);
                kinds.push(Kind { sampling, progressive, refined: false, grey, quality, restarts, optimized });
            }
        }
        let (quality, grey) = ([60, 70, 80, 90, 95][index], index == 4);
        kinds.push(Kind { sampling, progressive: true, refined: true, grey, quality, restarts: 0, optimized: true });
    }
    kinds
}

/// Draws a picture with the spectrum of photographs: noise at every scale, and the coarser the noise, the stronger it
/// is.
pub fn draw(width: u16, height: u16, kind: Kind, seed: u64) -> Vec<u8> {
    encode(&noise(width, height, if kind.grey { 1 } else { 3 }, seed), width, height, kind)
}

/// Draws the pixels of [`draw`], of 1 or 3 bytes each.
pub fn noise(width: u16, height: u16, channels: usize, seed: u64) -> Vec<u8> {
    let mut random = Random::new(seed);
    let (w, h) = (usize::from(width), usize::from(height));
    let mut planes = Vec::new();
    for _ in 0..channels {
        let mut plane = vec![128.0f32; w * h];
        let (mut side, mut strength) = (512usize, 50.0f32);
        while side >= 2 {
            let (columns, rows) = (w / side + 2, h / side + 2);
            let grid: Vec<f32> =
                (0..columns * rows).map(|_| (random.below(2001) as f32 / 1000.0 - 1.0) * strength).collect();
            for y in 0..h {
                let (row, v) = (y / side, (y % side) as f32 / side as f32);
                for x in 0..w {
                    let (column, u) = (x / side, (x % side) as f32 / side as f32);
                    let at = |dx: usize, dy: usize| grid[(row + dy) * columns + column + dx];
                    let (top, bottom) = (at(0, 0) * (1.0 - u) + at(1, 0) * u, at(0, 1) * (1.0 - u) + at(1, 1) * u);
                    plane[y * w + x] += top * (1.0 - v) + bottom * v;
                }
            }
            side /= 2;
            strength *= 0.75;
        }
        planes.push(plane);
    }
    (0..w * h).flat_map(|at| planes.iter().map(move |plane| plane[at] as u8)).collect()
}

/// Encodes pixels of one byte (grey) or three bytes (RGB) as a JPEG.
pub fn encode(pixels: &[u8], width: u16, height: u16, kind: Kind) -> Vec<u8> {
    if kind.refined {
        return encode_refined(pixels, width, height, kind).unwrap();
    }
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, kind.quality);
    encoder.set_sampling_factor(kind.sampling);
    encoder.set_progressive(kind.progressive);
    encoder.set_optimized_huffman_tables(kind.optimized);
    if kind.restarts > 0 {
        encoder.set_restart_interval(kind.restarts);
    }
    encoder.encode(pixels, width, height, if kind.grey { ColorType::Luma } else { ColorType::Rgb }).unwrap();
    file
}

fn encode_refined(pixels: &[u8], width: u16, height: u16, kind: Kind) -> std::io::Result<Vec<u8>> {
    let mut encoder = mozjpeg::Compress::new(if kind.grey {
        mozjpeg::ColorSpace::JCS_GRAYSCALE
    } else {
        mozjpeg::ColorSpace::JCS_RGB
    });
    // Turns off MozJPEG's own extensions of libjpeg.
    encoder.set_fastest_defaults();
    encoder.set_size(width.into(), height.into());
    encoder.set_quality(kind.quality.into());
    encoder.set_optimize_scans(false);
    encoder.set_progressive_mode();
    if !kind.grey {
        let (across, down) = match kind.sampling {
            SamplingFactor::F_1_1 => (1, 1),
            SamplingFactor::F_2_1 => (2, 1),
            SamplingFactor::F_1_2 => (1, 2),
            SamplingFactor::F_4_1 => (4, 1),
            _ => (2, 2),
        };
        encoder.set_chroma_sampling_pixel_sizes((across, down), (across, down));
    }
    let mut encoder = encoder.start_compress(Vec::new())?;
    encoder.write_scanlines(pixels)?;
    encoder.finish()
}

/// Breaks a file in one to four places: changes bits or bytes, and removes, doubles or moves pieces or whole segments.
pub fn mutate(file: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = file.to_vec();
    for _ in 0..=random.below(4) {
        let reach = if random.below(3) == 0 { bytes.len().min(700) } else { bytes.len() };
        let at = random.below(reach);
        let length = (1 + random.below(64)).min(bytes.len() - at);
        match random.below(8) {
            0 | 1 => bytes[at] ^= 1 << random.below(8),
            2 => bytes[at] = random.below(256) as u8,
            3 => bytes[at] = [0, 0xff, 0x7f, 0xd0 + random.below(10) as u8][random.below(4)],
            4 => drop(bytes.drain(at..at + length)),
            5 => {
                let piece = bytes[at..at + length].to_vec();
                let to = random.below(bytes.len());
                bytes.splice(to..to, piece);
            }
            6 => {
                let from = random.below(bytes.len() - length + 1);
                bytes.copy_within(from..from + length, at);
            }
            _ => {
                // A segment reaches from one marker to the next.
                let markers: Vec<_> =
                    (0..bytes.len() - 1).filter(|&at| bytes[at] == 0xff && bytes[at + 1] != 0).collect();
                let at = random.below(markers.len());
                let piece = markers[at]..markers.get(at + 1).copied().unwrap_or(bytes.len());
                let taken = bytes[piece.clone()].to_vec();
                if random.below(2) == 0 {
                    drop(bytes.drain(piece));
                }
                if random.below(3) > 0 {
                    let to = markers[random.below(markers.len())].min(bytes.len());
                    bytes.splice(to..to, taken);
                }
            }
        }
        if bytes.len() < 16 {
            return file.to_vec();
        }
    }
    bytes
}

/// Reads a file with a streaming decoder, in pieces of random lengths up to `longest`. Returns the picture that was
/// known before the file's end, if there was one, and the final picture.
pub fn read_arriving(
    bytes: &[u8],
    longest: usize,
    random: &mut Random,
    limits: &Limits,
) -> (Option<Picture>, Result<Picture, IntakeError>) {
    let mut arrival = StreamingDecoder::new(bytes.len(), limits);
    let mut early = None;
    let mut rest = bytes;
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(rest.len().min(1 + random.below(longest)));
        arrival.push(piece);
        early = early.or_else(|| arrival.early().cloned());
        rest = after;
    }
    (early, arrival.read().unwrap_or_else(|| hashgate::image::read(bytes, limits)))
}
