//! Measures the native time from a file's bytes to its brightness values and hashes: `cargo bench`.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use hashgate::image::{read, read_fully};
use hashgate::{Limits, ViewSet, views};
use hashgate_testkit::jpeg::{Kind, SamplingFactor, draw};

const KIND: Kind = Kind {
    sampling: SamplingFactor::F_2_2,
    progressive: false,
    refined: false,
    grey: false,
    quality: 94,
    restarts: 0,
    optimized: false,
};

fn jpegs(criterion: &mut Criterion) {
    let limits = Limits::default();
    for (name, progressive) in [("baseline", false), ("progressive", true)] {
        let bytes = draw(2000, 1500, Kind { progressive, ..KIND }, 1);
        let mut group = criterion.benchmark_group(format!("JPEG, 3 megapixels, {name}"));
        group.throughput(Throughput::Bytes(bytes.len() as u64)).sample_size(20);
        group.bench_function("luma DC", |bencher| bencher.iter(|| read(black_box(&bytes), &limits)));
        group.bench_function("general", |bencher| bencher.iter(|| read_fully(black_box(&bytes), &limits)));
        group.finish();
    }
}

fn png_rows(criterion: &mut Criterion) {
    let (width, height) = (2000u32, 1500u32);
    let mut state = 1u32;
    // Draws rows that change slowly, with noise in the lowest 3 bits.
    let pixels: Vec<u8> = (0..3 * width * height)
        .map(|at| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            ((at / 700) as u8).wrapping_add((state >> 29) as u8)
        })
        .collect();
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.write_header().unwrap().write_image_data(&pixels).unwrap();
    let mut group = criterion.benchmark_group("PNG, 3 megapixels");
    group.throughput(Throughput::Bytes(file.len() as u64)).sample_size(20);
    group.bench_function("rows", |bencher| bencher.iter(|| read(black_box(&file), &Limits::default())));
    group.finish();
}

fn hashes(criterion: &mut Criterion) {
    let picture = read(&draw(2000, 1500, KIND, 1), &Limits::default()).unwrap();
    let luma = &picture.frames[0].luma;
    criterion.bench_function("views of a picture, plain", |bencher| {
        bencher.iter(|| views::of(black_box(luma), ViewSet::Plain));
    });
    criterion.bench_function("views of a picture, all", |bencher| {
        bencher.iter(|| views::of(black_box(luma), ViewSet::All));
    });
}

criterion_group!(benches, jpegs, png_rows, hashes);
criterion_main!(benches);
