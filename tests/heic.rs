//! Reads HEIC by the decoder that browsers get as a wasm of its own. Compares with pillow-heif, and tests what is shown of
//! a file, its limits, and hostile files.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use hashgate::image::{Caveat, DecodedBy, Format, IntakeError, Limits, Picture, Surface, read};
use hashgate::pdq::{Coefficients, PdqHash};
use hashgate_testkit::heif::{Heif, Item, boxed, coded, crop, grid, size};
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

fn picture(file: &[u8]) -> Picture {
    read(file, &Limits::default()).unwrap()
}

fn hash(picture: &Picture, surface: Surface) -> PdqHash {
    let frame = picture.frames.iter().find(|frame| frame.surface == surface).unwrap();
    Coefficients::of(&frame.luma.small).hash()
}

fn pixels(picture: &Picture) -> Vec<f32> {
    picture.frames[0].luma.plane.cells.clone()
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
fn every_kind_reads_as_pillow_heif_reads_it() {
    let _alone = alone();
    let mut count = 0;
    for line in String::from_utf8(vector("expected-heic.csv")).unwrap().lines().skip(1) {
        let [name, _, _, surface, width, height, pdq, _] = line.split(',').collect::<Vec<_>>()[..] else { panic!() };
        let picture = picture(&vector(name));
        assert_eq!((picture.format, picture.decoded_by), (Format::Heic, DecodedBy::Heic), "{name}");
        assert_eq!((picture.width.to_string(), picture.height.to_string()), (width.into(), height.into()), "{name}");
        assert_eq!((&picture.caveats[..], picture.damaged.as_ref()), (&[][..], None), "{name}");
        let surface = if surface == "plain" { Surface::Plain } else { Surface::OverWhite };
        let distance = hash(&picture, surface).distance(&pdq.parse().unwrap());
        assert!(distance <= 2, "{name}, {surface:?}: {distance} bits from pillow-heif");
        assert_eq!(picture.frames.len(), if name == "heic-alpha.heic" { 5 } else { 1 }, "{name}: surfaces");
        count += 1;
    }
    assert_eq!(count, 12);
}

#[test]
fn the_turn_that_a_file_asks_for_is_left_to_the_lookups() {
    let _alone = alone();
    let (turned, upright) = (picture(&vector("heic-turned.heic")), picture(&vector("heic.heic")));
    assert_eq!((turned.width, turned.height), (144, 108));
    assert_eq!(pixels(&turned), pixels(&upright));
}

#[test]
fn a_grid_shows_its_tiles_side_by_side_and_ends_where_it_says() {
    let _alone = alone();
    // Whole tiles of the size of a picture give the picture's own pixels.
    let file = vector("heic.heic");
    let one = picture(&grid(&coded(&file), [1, 1], 144, 108).write());
    assert_eq!(pixels(&one), pixels(&picture(&file)));
    let four = picture(&grid(&coded(&file), [2, 2], 288, 216).write());
    assert_eq!((four.width, four.height, four.decoded_by), (288, 216, DecodedBy::Heic));
    let cells = &four.frames[0].luma.plane;
    let (columns, rows) = (cells.columns(), cells.cells.len() / cells.columns());
    let at = |x: usize, y: usize| cells.cells[y * columns + x];
    for (x, y) in [(3, 5), (20, 17), (columns / 2 - 1, rows / 2 - 1)] {
        assert!((at(x, y) - at(x + columns / 2, y)).abs() < 1.0, "{x}, {y}");
        assert!((at(x, y) - at(x, y + rows / 2)).abs() < 1.0, "{x}, {y}");
    }
    let cut = picture(&grid(&coded(&file), [2, 2], 250, 200).write());
    assert_eq!((cut.width, cut.height), (250, 200));
    for (columns, rows, width, height) in [(2, 2, 289, 216), (2, 2, 144, 216), (3, 1, 288, 108), (2, 2, 288, 108)] {
        let error = read(&grid(&coded(&file), [columns, rows], width, height).write(), &Limits::default()).unwrap_err();
        assert!(matches!(error, IntakeError::Unreadable { format: Format::Heic, .. }), "{width} x {height}: {error}");
    }
}

#[test]
fn the_primary_picture_is_read_and_never_a_thumbnail() {
    let _alone = alone();
    let shown = Item { properties: vec![size(144, 108)], ..coded(&vector("heic.heic")) };
    let shown = Item { properties: [shown.properties, coded(&vector("heic.heic")).properties].concat(), ..shown };
    let mut other = coded(&vector("heic-grey.heic"));
    other.references = vec![(*b"thmb", vec![2])];
    let file = Heif { items: vec![other, shown], primary: 2 }.write();
    assert_eq!(pixels(&picture(&file)), pixels(&picture(&vector("heic.heic"))));
}

#[test]
fn a_crop_is_applied() {
    let _alone = alone();
    let mut item = coded(&vector("heic.heic"));
    item.properties.push(crop(100, 80));
    let cropped = picture(&Heif::of(item.clone()).write());
    assert_eq!((cropped.width, cropped.height), (100, 80));
    assert_ne!(hash(&cropped, Surface::Plain), hash(&picture(&vector("heic.heic")), Surface::Plain));
    for (width, height) in [(0, 80), (145, 80), (100, u32::MAX)] {
        item.properties.pop();
        item.properties.push(crop(width, height));
        let error = read(&Heif::of(item.clone()).write(), &Limits::default()).unwrap_err();
        assert!(matches!(error, IntakeError::Unreadable { .. }), "{width} x {height}: {error}");
    }
}

#[test]
fn what_is_not_decoded_is_said() {
    let _alone = alone();
    // A profile that turns the colours round, and a sequence beside the picture.
    let mut item = coded(&vector("heic.heic"));
    item.properties.push(boxed(b"colr", b"prof and no profile"));
    let file = Heif::of(item).write();
    assert_eq!(picture(&file).caveats, [Caveat::ColourProfile]);
    let with_sequence = [vector("heic.heic"), boxed(b"moov", &[])].concat();
    assert_eq!(picture(&with_sequence).caveats, [Caveat::FramesSampled]);
    for kind in [b"av01", b"jpeg", b"iovl", b"unci"] {
        let mut item = coded(&vector("heic.heic"));
        item.kind = *kind;
        let error = read(&Heif::of(item).write(), &Limits::default()).unwrap_err();
        assert!(matches!(error, IntakeError::UnsupportedPicture { format: Some(Format::Heic), .. }), "{error}");
    }
}

#[test]
fn the_limits_hold_for_what_is_coded_whatever_the_file_declares() {
    let _alone = alone();
    let too_large = |file: &[u8], limits: Limits| match read(file, &limits) {
        Err(IntakeError::TooLarge { field, .. }) => field,
        other => panic!("{other:?}"),
    };
    let mut lying = coded(&vector("heic-large.heic"));
    lying.properties.push(size(1, 1));
    let lying = Heif::of(lying).write();
    let limits = Limits::default();
    assert_eq!(too_large(&lying, limits.with_max_pixels(1_000_000)), "number of pixels");
    assert_eq!(too_large(&lying, limits.with_max_width(1199)), "width in pixels");
    assert_eq!(too_large(&lying, limits.with_max_height(959)), "height in pixels");
    assert_eq!(too_large(&lying, limits.with_max_alloc(1 << 20)), "bytes of memory to decode it");
    let tiles = grid(&coded(&vector("heic.heic")), [3, 1], 300, 50).write();
    assert_eq!(too_large(&tiles, limits.with_max_pixels(300 * 50 - 1)), "number of pixels");
    // Tiles of which next to nothing is shown would take time for nothing.
    let hidden = grid(&coded(&vector("heic-large.heic")), [2, 1], 1201, 1).write();
    let error = read(&hidden, &limits).unwrap_err();
    assert!(error.to_string().contains("far more pixels are coded"), "{error}");
}

#[test]
fn a_grid_of_twelve_megapixels_takes_16_mib_beside_the_file() {
    let _alone = alone();
    let file = grid(&coded(&vector("heic-large.heic")), [4, 3], 4500, 2800).write();
    MEMORY.reset_peak_usage();
    let before = MEMORY.current_usage();
    let picture = picture(&file);
    let peak = MEMORY.peak_usage() - before;
    assert_eq!((picture.width, picture.height), (4500, 2800));
    assert!(peak < 16 << 20, "{peak} bytes");
}

#[test]
fn broken_files_have_a_reason_and_bounds() {
    let _alone = alone();
    let mut random = numbers();
    let started = Instant::now();
    let names = ["heic.heic", "heic-444.heic", "heic-alpha.heic", "heic-10.heic", "heic-grey.heic", "heic-709.heic"];
    let mut files: Vec<_> = names.iter().map(|name| vector(name)).collect();
    files.push(grid(&coded(&files[0]), [3, 3], 400, 300).write());
    let mut unread = 0;
    for file in &files {
        let mut broken: Vec<Vec<u8>> = (0..60).map(|at| file[..file.len() * at / 60].to_vec()).collect();
        for _ in 0..200 {
            let mut bytes = file.clone();
            for _ in 0..=random(4) {
                // Most damage is done in the catalogue and the parameter sets, which come first.
                let within = if random(2) == 0 { bytes.len().min(900) } else { bytes.len() };
                let at = random(within);
                bytes[at] = [0, 0xff, bytes[at] ^ (1 << random(8)), random(256) as u8][random(4)];
            }
            broken.push(bytes);
        }
        for bytes in broken {
            MEMORY.reset_peak_usage();
            let (before, began) = (MEMORY.current_usage(), Instant::now());
            let result = read(&bytes, &Limits::default().with_max_pixels(1 << 20));
            let peak = MEMORY.peak_usage() - before;
            assert!(peak < 64 << 20, "{peak} bytes");
            assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
            match result {
                Ok(picture) => assert!(!picture.frames.is_empty()),
                Err(IntakeError::EngineFailed { message }) => panic!("{message}"),
                Err(_) => unread += 1,
            }
        }
    }
    assert!(unread > 400, "{unread} of the broken files were refused");
    println!("{unread} files refused, {:?} in all", started.elapsed());
    // Every beginning of a file lacks pixels.
    for file in &files {
        let cut = read(&file[..file.len() - 40], &Limits::default());
        assert!(matches!(cut, Err(IntakeError::Unreadable { format: Format::Heic, .. })), "{cut:?}");
    }
}
