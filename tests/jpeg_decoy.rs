//! JPEGs whose DC coefficients show one picture and whose clipped pixels show another.

use hashgate::Limits;
use hashgate::image::{DecodedBy, Picture, read, read_fully};
use hashgate::pdq::Coefficients;
use hashgate_testkit::jpeg::{Kind, draw};
use jpeg_encoder::SamplingFactor;

/// Maps zigzag order, in which a JPEG stores the 64 coefficients of a block, to their places in the block.
const ZIGZAG: [usize; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21,
    28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54,
    47, 55, 62, 63,
];

/// How a decoy is made.
#[derive(Debug, Clone, Copy)]
struct Decoy {
    /// The largest AC coefficient after dequantization.
    cap: f32,
    /// Number of samples per block (of 64) that clip.
    peaks: usize,
    /// Contrast of the hidden picture (the one in the DC coefficients): 0 makes it all mid-grey, 1 leaves it as it is.
    contrast: f32,
    progressive: bool,
}

/// The quantization step of all 64 coefficients.
const STEP: u8 = 16;

/// Writes bits from the highest bit of each byte down, and a zero byte after each byte 0xff, as JPEG requires.
#[derive(Default)]
struct Writer {
    bytes: Vec<u8>,
    held: u64,
    count: u32,
}

impl Writer {
    fn put(&mut self, value: u64, count: u32) {
        self.held = self.held << count | value;
        self.count += count;
        while self.count >= 8 {
            self.count -= 8;
            let byte = (self.held >> self.count) as u8;
            self.bytes.push(byte);
            if byte == 0xff {
                self.bytes.push(0);
            }
        }
        self.held &= (1 << self.count) - 1;
    }

    fn flush(&mut self) -> Vec<u8> {
        if self.count > 0 {
            self.put((1 << (8 - self.count)) - 1, 8 - self.count);
        }
        std::mem::take(&mut self.bytes)
    }
}

/// Returns how many bits a coefficient takes, and these bits (T.81, F.1.2.1).
fn sized(value: i32) -> (u32, u64) {
    let size = 32 - value.unsigned_abs().leading_zeros();
    (size, if value < 0 { (value - 1) as u64 & ((1 << size) - 1) } else { value as u64 })
}

fn segment(marker: u8, content: &[u8]) -> Vec<u8> {
    [&[0xff, marker][..], &(content.len() as u16 + 2).to_be_bytes(), content].concat()
}

/// Writes a grey JPEG of quantized coefficients in zigzag order.
fn write(width: u16, height: u16, blocks: &[[i32; 64]], progressive: bool) -> Vec<u8> {
    // DC symbols 0 to 11 have codes of 4 bits. AC symbols have codes of 8 bits: the symbol's index in this list.
    let symbols: Vec<u8> =
        [0, 0xf0].into_iter().chain((0..16).flat_map(|run| (1..=10).map(move |size| run << 4 | size))).collect();
    let code = |symbol: u8| symbols.iter().position(|&other| other == symbol).unwrap() as u64;
    let counts = |length: usize, count: usize| {
        let mut counts = [0; 16];
        counts[length - 1] = count as u8;
        counts
    };
    let mut file = b"\xff\xd8".to_vec();
    file.extend(segment(0xdb, &[&[0][..], &[STEP; 64]].concat()));
    let [h1, h0] = height.to_be_bytes();
    let [w1, w0] = width.to_be_bytes();
    file.extend(segment(if progressive { 0xc2 } else { 0xc0 }, &[8, h1, h0, w1, w0, 1, 1, 0x11, 0]));
    file.extend(segment(0xc4, &[&[0x00][..], &counts(4, 12), &(0..12).collect::<Vec<_>>()].concat()));
    file.extend(segment(0xc4, &[&[0x10][..], &counts(8, symbols.len()), &symbols].concat()));
    let bands: &[(u8, u8)] = if progressive { &[(0, 0), (1, 63)] } else { &[(0, 63)] };
    for &(first, last) in bands {
        file.extend(segment(0xda, &[1, 1, 0, first, last, 0]));
        let mut writer = Writer::default();
        let mut before = 0;
        for block in blocks {
            if first == 0 {
                let (size, bits) = sized(block[0] - before);
                before = block[0];
                writer.put(size.into(), 4);
                writer.put(bits, size);
            }
            let mut run = 0;
            for &value in &block[usize::from(first.max(1))..=usize::from(last)] {
                if value == 0 {
                    run += 1;
                    continue;
                }
                while run > 15 {
                    writer.put(code(0xf0), 8);
                    run -= 16;
                }
                let (size, bits) = sized(value);
                writer.put(code(run << 4 | size as u8), 8);
                writer.put(bits, size);
                run = 0;
            }
            if run > 0 {
                writer.put(code(0), 8);
            }
        }
        file.extend(writer.flush());
    }
    file.extend(b"\xff\xd9");
    file
}

/// Returns the cosines of the transform, by frequency and then by place.
fn cosines() -> [[f32; 8]; 8] {
    std::array::from_fn(|u| {
        let scale = if u == 0 { 0.125f32.sqrt() } else { 0.5 };
        std::array::from_fn(|x| scale * ((2 * x + 1) as f32 * u as f32 * std::f32::consts::PI / 16.0).cos())
    })
}

/// Computes the orthonormal cosine transform of a block of 8 x 8 samples.
fn transform(block: &[f32; 64]) -> [f32; 64] {
    let cosines = cosines();
    std::array::from_fn(|at| {
        let (v, u) = (at / 8, at % 8);
        (0..64).map(|place| block[place] * cosines[v][place / 8] * cosines[u][place % 8]).sum()
    })
}

/// Makes a file whose block means are those of `hidden`, and whose clipped pixels look like `shown`, as far as that is
/// possible.
fn decoy(shown: &Picture, hidden: &Picture, how: Decoy) -> Vec<u8> {
    let (width, height) = (1024usize, 960usize);
    // A pattern with a mean of zero: a few high peaks, and slightly lowered samples between them.
    let peaks = how.peaks;
    let is_peak = |place: usize| (place * 37 + 11) % 64 < peaks;
    let low = -(peaks as f32) / (64 - peaks) as f32;
    let pattern: [f32; 64] = std::array::from_fn(|place| if is_peak(place) { 1.0 } else { low });
    let frequencies = transform(&pattern);
    let strongest = frequencies.iter().fold(0.0f32, |most, value| most.max(value.abs()));
    let sample = |picture: &Picture, x: usize, y: usize| {
        let small = &picture.frames[0].luma.small;
        // Interpolates between the values of the 64 x 64 picture, so that no steps are visible.
        let (fx, fy) = ((x as f32 + 4.0) / 16.0 - 0.5, (y as f32 + 4.0) / 15.0 - 0.5);
        let (x, y) = (fx.clamp(0.0, 62.0) as usize, fy.clamp(0.0, 62.0) as usize);
        let (u, v) = ((fx - x as f32).clamp(0.0, 1.0), (fy - y as f32).clamp(0.0, 1.0));
        let at = |dx: usize, dy: usize| small[(y + dy) * 64 + x + dx];
        (at(0, 0) * (1.0 - u) + at(1, 0) * u) * (1.0 - v) + (at(0, 1) * (1.0 - u) + at(1, 1) * u) * v
    };
    let step = f32::from(STEP);
    let mut blocks = Vec::new();
    for y in (0..height).step_by(8) {
        for x in (0..width).step_by(8) {
            // Moves the colours towards mid-grey, where the peaks have most room before they clip.
            let mean = 128.0 + how.contrast * (sample(hidden, x, y) - 128.0);
            let wanted = sample(shown, x, y);
            let reached = |strength: f32| {
                let sum: f32 = pattern.iter().map(|value| (mean + strength * value).clamp(0.0, 255.0)).sum();
                sum / 64.0
            };
            // Peaks that clip above lower the mean; those that clip below raise it.
            let sign = if wanted < mean { 1.0 } else { -1.0 };
            let limit = how.cap / strongest;
            let strength = (0..=200)
                .map(|at| sign * limit * at as f32 / 200.0)
                .min_by(|a, b| (reached(*a) - wanted).abs().total_cmp(&(reached(*b) - wanted).abs()));
            let strength = strength.unwrap();
            let mut block = ZIGZAG.map(|place| (strength * frequencies[place] / step).round() as i32);
            block[0] = ((mean - 128.0) * 8.0 / step).round() as i32;
            blocks.push(block);
        }
    }
    write(width as u16, height as u16, &blocks, how.progressive)
}

fn distance(one: &Picture, two: &Picture) -> u32 {
    let hash = |picture: &Picture| Coefficients::of(&picture.frames[0].luma.small).hash();
    hash(one).distance(&hash(two))
}

fn drawn(seed: u64) -> Picture {
    let kind = Kind {
        sampling: SamplingFactor::F_1_1,
        progressive: false,
        refined: false,
        grey: true,
        quality: 90,
        restarts: 0,
        optimized: false,
    };
    read_fully(&draw(1024, 960, kind, seed), &Limits::default()).unwrap()
}

#[test]
fn a_decoy_in_the_dc_coefficients_is_decoded_in_full() {
    let (shown, hidden) = (drawn(1), drawn(2));
    let limits = Limits::default();
    let mut convincing = 0;
    for (progressive, peaks, contrast) in [(false, 4, 0.5), (false, 8, 0.2), (true, 8, 0.5), (false, 16, 0.5)] {
        // Caps on the AC coefficients, from about the largest that a legal file can hold down to weak ones.
        for cap in [4000.0, 1000.0, 600.0, 400.0, 250.0, 150.0] {
            let how = Decoy { cap, peaks, contrast, progressive };
            let bytes = decoy(&shown, &hidden, how);
            let (read, full) = (read(&bytes, &limits).unwrap(), read_fully(&bytes, &limits).unwrap());
            let bits = distance(&read, &full);
            assert!(bits <= 16, "{how:?}: {bits} bits from what is shown");
            // The hash of the block means must be that of the hidden picture.
            let is_decoy = distance(&full, &hidden) > 31;
            assert!(!is_decoy || read.decoded_by == DecodedBy::General, "{how:?}");
            convincing += u32::from(distance(&full, &shown) <= 31);
        }
    }
    assert!(convincing >= 6, "only {convincing} of the decoys show what they should");
}

#[test]
fn a_picture_without_a_decoy_keeps_the_low_terms_decoder() {
    let (shown, hidden) = (drawn(1), drawn(2));
    for progressive in [false, true] {
        let how = Decoy { cap: 60.0, peaks: 16, contrast: 1.0, progressive };
        let picture = read(&decoy(&shown, &hidden, how), &Limits::default()).unwrap();
        assert_eq!(picture.decoded_by, DecodedBy::LowTerms, "{how:?}");
    }
}
