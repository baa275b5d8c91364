//! Reads JPEG XL by the decoder that browsers get as a wasm of its own. Compares with libjxl, and tests what is shown of a
//! file, its limits, and hostile files.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use hashgate::image::{Caveat, DecodedBy, Format, IntakeError, Limits, Picture, Surface, read};
use hashgate::pdq::{Coefficients, PdqHash};
use peak_alloc::PeakAlloc;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// Held by the running test. The allocator counts the memory of the whole process, so only one test may run at a time.
static ALONE: Mutex<()> = Mutex::new(());

/// Waits until no other test runs. A test that failed while it ran doesn't make the later ones fail.
fn alone() -> std::sync::MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn vector(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/tests/vectors/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// The vectors with what they are expected to look like: name, surface, width, height and hash.
fn expected() -> Vec<(String, Surface, [u32; 2], PdqHash)> {
    let rows = String::from_utf8(vector("expected-jxl.csv")).unwrap();
    let row = |line: &str| {
        let [name, _, _, surface, width, height, pdq, _] = line.split(',').collect::<Vec<_>>()[..] else { panic!() };
        let surface = if surface == "plain" { Surface::Plain } else { Surface::OverWhite };
        (name.into(), surface, [width, height].map(|side| side.parse().unwrap()), pdq.parse().unwrap())
    };
    rows.lines().skip(1).map(row).collect()
}

fn picture(file: &[u8]) -> Picture {
    read(file, &Limits::default()).unwrap()
}

fn hash(picture: &Picture, surface: Surface) -> PdqHash {
    let frame = picture.frames.iter().find(|frame| frame.surface == surface).unwrap();
    Coefficients::of(&frame.luma.small).hash()
}

/// Makes a repeatable sequence of numbers.
fn numbers() -> impl FnMut(usize) -> usize {
    let mut state = 1u64;
    move |below| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    }
}

#[test]
fn every_kind_reads_as_libjxl_reads_it() {
    let _alone = alone();
    let rows = expected();
    assert_eq!(rows.len(), 15);
    for (name, surface, size, pdq) in rows {
        let picture = picture(&vector(&name));
        assert_eq!((picture.format, picture.decoded_by), (Format::Jxl, DecodedBy::Jxl), "{name}");
        // As stored: the header of `jxl-turned.jxl` asks for a turn, which is left to the lookups.
        assert_eq!([picture.width, picture.height], size, "{name}");
        let caveats: &[Caveat] = match &name[..] {
            "jxl-animated.jxl" => &[Caveat::FramesSampled],
            "jxl-linear.jxl" => &[Caveat::ColourProfile],
            _ => &[],
        };
        assert_eq!((&picture.caveats[..], picture.damaged.as_ref()), (caveats, None), "{name}");
        let distance = hash(&picture, surface).distance(&pdq);
        println!("{name}, {surface:?}: {distance}");
        assert!(distance <= 4, "{name}, {surface:?}: {distance} bits from libjxl");
        assert_eq!(picture.frames.len(), if name.contains("alpha") { 5 } else { 1 }, "{name}: surfaces");
    }
}

#[test]
fn the_limits_hold_before_anything_is_decoded() {
    let _alone = alone();
    let too_large = |file: &[u8], limits: Limits| match read(file, &limits) {
        Err(IntakeError::TooLarge { field, .. }) => field,
        other => panic!("{other:?}"),
    };
    let (file, limits) = (vector("jxl-large.jxl"), Limits::default());
    assert_eq!(too_large(&file, limits.with_max_pixels(1_000_000)), "number of pixels");
    assert_eq!(too_large(&file, limits.with_max_width(1199)), "width in pixels");
    assert_eq!(too_large(&file, limits.with_max_height(959)), "height in pixels");
    assert_eq!(too_large(&file, limits.with_max_alloc(1 << 20)), "bytes of memory to decode it");
    // The header of the bare codestream alone declares 2^30 x 2^30 pixels.
    let huge = [0xff, 0x0a, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0];
    MEMORY.reset_peak_usage();
    let before = MEMORY.current_usage();
    let error = read(&huge, &limits).unwrap_err();
    assert!(!matches!(error, IntakeError::EngineFailed { .. }), "{error}");
    assert!(MEMORY.peak_usage() - before < 1 << 20);
}

#[test]
fn broken_files_have_a_reason_and_bounds() {
    let _alone = alone();
    let mut random = numbers();
    let (mut slowest, mut fattest, mut unread) = (Duration::ZERO, 0, 0);
    let mut names: Vec<String> =
        expected().into_iter().map(|(name, ..)| name).filter(|name| !name.contains("large")).collect();
    names.dedup();
    for name in &names {
        let file = vector(name);
        let mut broken: Vec<Vec<u8>> = (0..30).map(|at| file[..file.len() * at / 30].to_vec()).collect();
        for _ in 0..100 {
            let mut bytes = file.clone();
            for _ in 0..=random(4) {
                // Most damage is done in the headers, which come first.
                let within = if random(2) == 0 { bytes.len().min(200) } else { bytes.len() };
                let at = random(within);
                bytes[at] = [0, 0xff, bytes[at] ^ (1 << random(8)), random(256) as u8][random(4)];
            }
            broken.push(bytes);
        }
        for bytes in broken {
            MEMORY.reset_peak_usage();
            let (before, began) = (MEMORY.current_usage(), Instant::now());
            let result = read(&bytes, &Limits::default().with_max_pixels(1 << 20).with_max_alloc(32 << 20));
            (slowest, fattest) = (slowest.max(began.elapsed()), fattest.max(MEMORY.peak_usage() - before));
            match result {
                Ok(picture) => assert!(!picture.frames.is_empty()),
                Err(IntakeError::EngineFailed { message }) => panic!("{name}: {message}"),
                Err(_) => unread += 1,
            }
        }
        let cut = read(&file[..file.len() * 2 / 3], &Limits::default());
        // The animation's first frame is whole.
        if name != "jxl-animated.jxl" {
            assert!(matches!(cut, Err(IntakeError::Unreadable { format: Format::Jxl, .. })), "{name}: {cut:?}");
        }
    }
    println!("{unread} files refused, at most {slowest:?} and {fattest} bytes");
    assert!(unread > 400, "{unread} of the broken files were refused");
    assert!(fattest < 128 << 20, "{fattest} bytes");
    assert!(slowest < Duration::from_secs(20), "{slowest:?}");
}
