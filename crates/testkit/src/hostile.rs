//! Makes files that attack a picture reader, each with the outcome that it should have.
//!
//! Used by the Rust tests, and written to a folder by `cargo run -p hashgate-testkit --bin make-hostile DIR` for
//! the tests of the command-line tool and of the browser build.

/// The result that [`hashgate::image::read`] should have for a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// The whole picture.
    Reads,
    /// An animation with skipped frames.
    ReadsPartly,
    /// `IntakeError::UnsupportedPicture`.
    Unsupported,
    /// `IntakeError::Unreadable`, or a picture that lacks some pixels.
    Unreadable,
    /// `IntakeError::TooLarge`.
    TooLarge,
    /// `IntakeError::NotAPicture`. A program that reads films calls the file unreadable instead.
    BrokenFilm,
}

/// A hostile file.
pub struct Hostile {
    /// `OUTCOME--what-it-is.ext`.
    pub name: String,
    /// The right outcome.
    pub expect: Expect,
    /// The bytes of the file.
    pub bytes: Vec<u8>,
}

macro_rules! vector {
    ($name:literal) => {
        include_bytes!(concat!("../../../tests/vectors/", $name)).as_slice()
    };
}

/// Returns all hostile files, about 10 MB together.
pub fn files() -> Vec<Hostile> {
    let mut files = Vec::new();
    let mut add = |expect: Expect, name: &str, bytes: Vec<u8>| {
        let outcome = match expect {
            Expect::Reads => "reads",
            Expect::ReadsPartly => "reads-partly",
            Expect::Unsupported => "unsupported-picture",
            Expect::Unreadable => "unreadable",
            Expect::TooLarge => "too-large",
            Expect::BrokenFilm => "broken-film",
        };
        files.push(Hostile { name: format!("{outcome}--{name}"), expect, bytes });
    };
    not_pictures(&mut add);
    cut(&mut add);
    jpeg(&mut add);
    png(&mut add);
    gif(&mut add);
    webp(&mut add);
    bmp(&mut add);
    files
}

type Add<'a> = &'a mut dyn FnMut(Expect, &str, Vec<u8>);

fn not_pictures(add: Add) {
    let mut unsupported = |name: &str, bytes: &[u8]| add(Expect::Unsupported, name, bytes.to_vec());
    unsupported("empty.jpg", b"");
    unsupported("one-byte.png", b"\x89");
    unsupported("zeros.jpg", &[0; 4096]);
    unsupported("html.jpg", b"<!DOCTYPE html><html><body><script>alert(1)</script></body></html>");
    unsupported("html-after-spaces.gif", b"\xef\xbb\xbf \r\n <HTML><body>GIF89a</body></html>");
    unsupported(
        "picture.svg",
        b"<?xml version=\"1.0\"?>\n<svg xmlns=\"http://www.w3.org/2000/svg\"><circle r=\"9\"/></svg>",
    );
    unsupported("svg.png", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>");
    unsupported("text.jpg", b"this is not a picture\n");
    unsupported("document.pdf", b"%PDF-1.7\n1 0 obj\n");
    unsupported("archive.jpg", b"PK\x03\x04\x14\0\0\0\0\0");
    unsupported("picture.avif", b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf");
    unsupported("picture.heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic");
    unsupported("picture.jxl", b"\xff\x0a\xfa\x1f");
    unsupported("start-of-jpeg.jpg", b"\xff\xd8");
    // A film without an index.
    add(Expect::BrokenFilm, "video.jpg", b"\0\0\0\x18ftypisom\0\0\x02\0isomiso2".to_vec());
}

fn cut(add: Add) {
    let whole = [
        ("jpeg.jpg", vector!("jpeg-420.jpg")),
        ("jpeg-progressive.jpg", vector!("jpeg-progressive.jpg")),
        ("png.png", vector!("png-rgb-8.png")),
        ("png-adam7.png", vector!("png-rgb-8-adam7.png")),
        ("apng.png", vector!("apng.png")),
        ("gif.gif", vector!("gif.gif")),
        ("gif-animated.gif", vector!("gif-animated.gif")),
        ("webp-lossy.webp", vector!("webp-lossy.webp")),
        ("webp-lossless.webp", vector!("webp-lossless.webp")),
        ("webp-animated.webp", vector!("webp-animated.webp")),
        ("bmp.bmp", vector!("bmp-24.bmp")),
    ];
    for (name, bytes) in whole {
        add(Expect::Unreadable, &format!("half-of-{name}"), bytes[..bytes.len() / 2].to_vec());
        // In files of these formats, the last byte belongs to the end mark, which comes after the last pixel. So a file
        // without it has all pixels.
        let needs_no_end = name.contains("png") || name.starts_with("gif") || name.ends_with(".jpg");
        let cut = if needs_no_end { Expect::Reads } else { Expect::Unreadable };
        add(cut, &format!("without-last-byte-{name}"), bytes[..bytes.len() - 1].to_vec());
        add(Expect::Unreadable, &format!("first-30-bytes-of-{name}"), bytes[..30].to_vec());
        let tail = b"PK\x03\x04 <html> and many kilobytes of something else".repeat(2_000);
        add(Expect::Reads, &format!("tail-behind-{name}"), [bytes, &tail].concat());
    }
    add(Expect::Reads, "png-named.jpg", whole[2].1.to_vec());
    add(Expect::Reads, "jpeg-named.png", whole[0].1.to_vec());
    add(Expect::Reads, "webp-named.gif", whole[7].1.to_vec());
}

/// Returns the vector `jpeg-420.jpg`, and the position of its frame header.
fn jpeg_and_frame() -> (Vec<u8>, usize) {
    let bytes = vector!("jpeg-420.jpg").to_vec();
    let frame = find(&bytes, b"\xff\xc0\0\x11");
    (bytes, frame)
}

fn jpeg(add: Add) {
    let with_size = |width: u16, height: u16| {
        let (mut bytes, frame) = jpeg_and_frame();
        bytes[frame + 5..frame + 7].copy_from_slice(&height.to_be_bytes());
        bytes[frame + 7..frame + 9].copy_from_slice(&width.to_be_bytes());
        bytes
    };
    add(Expect::TooLarge, "jpeg-65535x65535.jpg", with_size(65_535, 65_535));
    add(Expect::Unreadable, "jpeg-12000x12000-in-few-bytes.jpg", with_size(12_000, 12_000));
    add(Expect::Unreadable, "jpeg-without-width.jpg", with_size(0, 54));
    add(Expect::Unsupported, "jpeg-without-height.jpg", with_size(72, 0));
    for (name, marker) in [("lossless", 0xc3), ("hierarchical", 0xc5), ("arithmetic", 0xc9)] {
        let (mut bytes, frame) = jpeg_and_frame();
        bytes[frame + 1] = marker;
        add(Expect::Unsupported, &format!("jpeg-{name}.jpg"), bytes);
    }
    let (mut bytes, frame) = jpeg_and_frame();
    bytes[frame + 4] = 12;
    add(Expect::Unsupported, "jpeg-12-bits.jpg", bytes);
    let (mut bytes, frame) = jpeg_and_frame();
    bytes.splice(frame..frame, bytes[frame..frame + 19].to_vec());
    add(Expect::Unreadable, "jpeg-with-two-frames.jpg", bytes);
    let bytes = vector!("jpeg-progressive.jpg");
    let scan = find(bytes, b"\xff\xda");
    let header = &bytes[scan..scan + 2 + usize::from(bytes[scan + 3])];
    let end = bytes.len() - 2;
    add(Expect::Unreadable, "jpeg-20000-scans.jpg", [&bytes[..end], &header.repeat(20_000), b"\xff\xd9"].concat());
}

fn png(add: Add) {
    let header = |width: u32, height: u32, depth: u8, colour: u8| {
        let mut data = [width.to_be_bytes(), height.to_be_bytes()].concat();
        data.extend([depth, colour, 0, 0, 0]);
        [b"\x89PNG\r\n\x1a\n", png_chunk(b"IHDR", &data).as_slice()].concat()
    };
    let with_data = |start: Vec<u8>, data: &[u8]| [start, png_chunk(b"IDAT", data), png_chunk(b"IEND", b"")].concat();
    add(Expect::TooLarge, "png-65535x65535.png", with_data(header(65_535, 65_535, 8, 2), &zlib_zeros(1000)));
    add(Expect::TooLarge, "png-of-2-to-the-31.png", with_data(header(0x7fff_ffff, 0x7fff_ffff, 16, 6), b""));
    add(
        Expect::Unreadable,
        "png-12000x12000-in-few-bytes.png",
        with_data(header(12_000, 12_000, 8, 6), &zlib_zeros(9)),
    );
    // A file of 1 MB with 144 MB of pixels. It must be read: it is within the limits, because its pixels are never in
    // memory all at once.
    let rows = zlib_zeros(12_001 * 12_000);
    add(Expect::Reads, "png-zip-bomb-of-pixels.png", with_data(header(12_000, 12_000, 8, 0), &rows));
    add(Expect::TooLarge, "png-zip-bomb-too-many-pixels.png", with_data(header(60_000, 60_000, 8, 0), &rows));
    // The file must be read: readers don't unpack the data after the last row.
    add(Expect::Reads, "png-zip-bomb-behind-pixels.png", with_data(header(100, 100, 8, 0), &rows));
    let small = vector!("png-rgb-8.png");
    for (name, start) in
        [(b"iCCP", b"profile\0\0".as_slice()), (b"zTXt", b"comment\0\0"), (b"iTXt", b"comment\0\x01\0en\0\0")]
    {
        let chunk = png_chunk(name, &[start, &zlib_zeros(100_000_000)].concat());
        let name = format!("png-zip-bomb-in-{}.png", String::from_utf8_lossy(name));
        add(Expect::Reads, &name, [&small[..33], &chunk, &small[33..]].concat());
    }
    let late = |chunks: Vec<u8>| [&small[..33], &chunks, &small[33..]].concat();
    add(Expect::Reads, "png-with-pixels-after-2-mb.png", late(png_chunk(b"teSt", &[7; 2_000_000])));
    add(Expect::Reads, "png-with-100000-chunks-before-pixels.png", late(png_chunk(b"teSt", b"").repeat(100_000)));
    let mut flipped = small.to_vec();
    flipped[small.len() / 2] ^= 4;
    // Browsers show this file, because its rows are complete before the wrong checksum comes.
    add(Expect::Reads, "png-with-a-flipped-bit.png", flipped);

    let apng = vector!("apng.png");
    let change = |chunk: &[u8; 4], at: usize, value: u32| {
        let (mut bytes, start) = (apng.to_vec(), find(apng, chunk));
        bytes[start + 4 + at..start + 8 + at].copy_from_slice(&value.to_be_bytes());
        let end = start + 4 + u32::from_be_bytes(*bytes[start - 4..].first_chunk().unwrap()) as usize;
        let sum = crc32(&bytes[start..end]).to_be_bytes();
        bytes[end..end + 4].copy_from_slice(&sum);
        bytes
    };
    // Browsers show the frames that exist, or the still picture.
    add(Expect::Reads, "apng-declaring-2-to-the-31-frames.png", change(b"acTL", 0, 0x7fff_ffff));
    add(Expect::Reads, "apng-with-frame-outside.png", change(b"fcTL", 12, 50));
    let mut flipped = apng.to_vec();
    let last = apng.len() - 300;
    flipped[last] ^= 4;
    add(Expect::Unreadable, "apng-with-a-flipped-bit.png", flipped);
}

/// Makes a GIF of `frames` equal frames in the first of two colours.
fn gif_of(screen: (u16, u16), frame: (u16, u16), frames: usize, comment: usize) -> Vec<u8> {
    let mut bytes = b"GIF89a".to_vec();
    bytes.extend([screen.0.to_le_bytes(), screen.1.to_le_bytes()].concat());
    bytes.extend(b"\x80\0\0\x10\x20\x30\xf0\xe0\xd0");
    for block in vec![0x20; comment].chunks(255) {
        bytes.extend([&[0x21, 0xfe, block.len() as u8], block, &[0]].concat());
    }
    let mut image = vec![0x2c, 0, 0, 0, 0];
    image.extend([frame.0.to_le_bytes(), frame.1.to_le_bytes()].concat());
    // Codes of 3 bits: clear (4), colour 0, end (5).
    image.extend(b"\0\x02\x02\x44\x01\0");
    bytes.extend(image.repeat(frames));
    bytes.push(0x3b);
    bytes
}

fn gif(add: Add) {
    add(Expect::TooLarge, "gif-65535x65535.gif", gif_of((65_535, 65_535), (65_535, 65_535), 1, 0));
    add(Expect::TooLarge, "gif-65535x65535-screen.gif", gif_of((65_535, 65_535), (1, 1), 1, 0));
    add(Expect::Unreadable, "gif-12000x12000-in-few-bytes.gif", gif_of((12_000, 12_000), (12_000, 12_000), 2, 0));
    add(Expect::Unreadable, "gif-frame-without-pixels.gif", gif_of((10, 10), (0, 10), 1, 0));
    add(Expect::Unreadable, "gif-frame-with-few-pixels.gif", gif_of((10, 10), (10, 10), 1, 0));
    add(Expect::Unreadable, "gif-without-frame.gif", gif_of((10, 10), (1, 1), 0, 0));
    add(Expect::ReadsPartly, "gif-endless-200000-frames.gif", gif_of((16, 16), (1, 1), 200_000, 0));
    add(Expect::ReadsPartly, "gif-large-canvas-100-frames.gif", gif_of((5000, 5000), (1, 1), 100, 10_000));
    let mut endless = gif_of((16, 16), (1, 1), 2, 1_000_000);
    endless.pop();
    add(Expect::Reads, "gif-endless-without-trailer.gif", endless);
    // Codes for more pixels than the frame has: 2 MB that would unpack to gigabytes. The codes have 9 to 12 bits, and
    // each stands for one pixel more than the code before it.
    let mut codes = Bits::default();
    while codes.bytes.len() < 2_000_000 {
        codes.push(256, 9);
        codes.push(0, 9);
        (258..4096u32).for_each(|code| codes.push(code, (32 - code.leading_zeros()).clamp(9, 12)));
    }
    let mut bytes = b"GIF89a\x10\0\x10\0\x80\0\0\x10\x20\x30\xf0\xe0\xd0\x2c\0\0\0\0\x10\0\x10\0\0\x08".to_vec();
    for block in codes.bytes.chunks(255) {
        bytes.push(block.len() as u8);
        bytes.extend(block);
    }
    bytes.extend(b"\0\x3b");
    add(Expect::Reads, "gif-endless-codes.gif", bytes);
}

fn webp(add: Add) {
    let file = |chunks: &[(&[u8; 4], &[u8])]| {
        let mut body = b"WEBP".to_vec();
        for (name, data) in chunks {
            body.extend([*name, (data.len() as u32).to_le_bytes().as_slice(), data].concat());
            body.resize(body.len().next_multiple_of(2), 0);
        }
        [b"RIFF", (body.len() as u32).to_le_bytes().as_slice(), &body].concat()
    };
    let lossless = |side: u32| {
        let header = (side - 1) | (side - 1) << 14;
        let mut data = vec![0x2f];
        data.extend(header.to_le_bytes());
        // A lossless WebP without transform, cache or groups; its five trees have one symbol each, so all pixels are
        // alike.
        data.extend([0x88, 0x88, 0x08, 0, 0, 0, 0, 0]);
        data
    };
    add(Expect::TooLarge, "webp-16384x16384.webp", file(&[(b"VP8L", &lossless(16_384))]));
    add(Expect::Unreadable, "webp-12000x12000-in-few-bytes.webp", file(&[(b"VP8L", &lossless(12_000))]));
    add(Expect::TooLarge, "webp-canvas-of-2-to-the-24.webp", file(&[(b"VP8X", b"\0\0\0\0\xff\xff\xff\xff\xff\xff")]));
    add(Expect::Unreadable, "webp-without-picture.webp", file(&[(b"VP8X", b"\0\0\0\0\x0f\0\0\x0f\0\0")]));
    add(Expect::Unreadable, "webp-empty-bitstream.webp", file(&[(b"VP8 ", b"")]));
    let animation = (b"VP8X", b"\x02\0\0\0\x0f\0\0\x0f\0\0".as_slice());
    add(Expect::Unreadable, "webp-without-frames.webp", file(&[animation, (b"ANIM", b"\0\0\0\0\0\0")]));
    let mut frame = b"\x20\0\0\x20\0\0\x0f\0\0\x0f\0\0\0\0\0\0".to_vec();
    frame.extend([b"VP8L", 13u32.to_le_bytes().as_slice(), &lossless(16), b"\0"].concat());
    add(
        Expect::Unreadable,
        "webp-with-frame-outside.webp",
        file(&[animation, (b"ANIM", b"\0\0\0\0\0\0"), (b"ANMF", &frame)]),
    );
    add(
        Expect::Unreadable,
        "webp-with-empty-frame.webp",
        file(&[animation, (b"ANIM", b"\0\0\0\0\0\0"), (b"ANMF", b"")]),
    );
}

fn bmp(add: Add) {
    let change = |at: usize, value: i32| {
        let mut bytes = vector!("bmp-24.bmp").to_vec();
        bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
        bytes
    };
    add(Expect::Unreadable, "bmp-pixels-behind-the-end.bmp", change(10, 0x7fff_ffff));
    add(Expect::Reads, "bmp-pixels-in-the-header.bmp", change(10, 20));
    add(Expect::Unreadable, "bmp-width-0.bmp", change(18, 0));
    add(Expect::TooLarge, "bmp-width-negative.bmp", change(18, -72));
    add(Expect::TooLarge, "bmp-height-most-negative.bmp", change(22, i32::MIN));
    add(Expect::Unreadable, "bmp-height-one-row-more.bmp", change(22, 55));
    let mut large = change(18, 65_535);
    large[22..26].copy_from_slice(&65_535i32.to_le_bytes());
    add(Expect::TooLarge, "bmp-65535x65535.bmp", large);
    let mut packed = vector!("bmp-rle8.bmp").to_vec();
    packed[18..26].copy_from_slice(&[0xe0, 0x2e, 0, 0, 0xe0, 0x2e, 0, 0]);
    add(Expect::Unreadable, "bmp-packed-12000x12000-in-few-bytes.bmp", packed);
}

fn find(bytes: &[u8], part: &[u8]) -> usize {
    bytes.windows(part.len()).position(|window| window == part).expect("the vector has it")
}

fn png_chunk(name: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let named = [name, data].concat();
    [(data.len() as u32).to_be_bytes().as_slice(), &named, &crc32(&named).to_be_bytes()].concat()
}

/// Returns the checksum of a PNG chunk (PNG specification, annex D).
pub fn crc32(bytes: &[u8]) -> u32 {
    let step = |sum: u32, _| if sum & 1 == 1 { sum >> 1 ^ 0xedb8_8320 } else { sum >> 1 };
    !bytes.iter().fold(!0, |sum, &byte| (0..8).fold(sum ^ u32::from(byte), step))
}

/// Packs bits from the lowest up, as deflate and GIF do.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    held: u64,
    count: u32,
}

impl Bits {
    fn push(&mut self, value: u32, bits: u32) {
        self.held |= u64::from(value) << self.count;
        self.count += bits;
        while self.count >= 8 {
            self.bytes.push(self.held as u8);
            self.held >>= 8;
            self.count -= 8;
        }
    }
}

/// Makes a zlib stream of `count` zeros, about 158 zeros per byte (RFC 1951, 3.2.6). Leaves out the checksum, which
/// readers of PNG may ignore.
fn zlib_zeros(count: usize) -> Vec<u8> {
    let mut bits = Bits { bytes: vec![0x78, 0x9c], ..Bits::default() };
    bits.push(0b011, 3);
    let literals = 1 + (count - 1) % 258;
    (0..literals).for_each(|_| bits.push(0b0000_1100, 8));
    // The code for a copy of length 258 and distance 1.
    (0..(count - 1) / 258).for_each(|_| bits.push(0b1010_0011, 13));
    bits.push(0, 7);
    bits.push(0, 7);
    bits.bytes.extend([0; 4]);
    bits.bytes
}
