//! Writes films, and asserts that the reader finds each sample where it was written.

use hashgate_film::{Container, Film, FilmCode, Sample};
use hashgate_testkit::film::{
    self, FilmSample, Mp4, element, film_samples, fragmented_mp4, full_box, mp4_box, number_element, sample_bytes,
    simple_block, visual_entry, vp9_bytes, webm, webm_clusters, webm_head, webm_tracks,
};

fn open(bytes: &[u8]) -> Film<'_> {
    Film::open(bytes, bytes.len() as u64).unwrap_or_else(|refusal| panic!("{refusal}"))
}

/// Reads all samples of the first track, `step` at a time.
fn all(film: &mut Film<'_>, step: usize) -> Vec<Sample> {
    let mut found: Vec<Sample> = Vec::new();
    loop {
        let from = found.last().map_or(0, |last| last.index + 1);
        let more = film.samples(0, from, step).unwrap();
        if more.is_empty() {
            return found;
        }
        found.extend(more);
    }
}

/// Asserts that the reader finds exactly the samples `written`, however many are read at a time.
fn assert_found(bytes: &[u8], written: &[FilmSample], content: fn(usize, u32) -> Vec<u8>) {
    let mut film = open(bytes);
    for step in [1, 7, 5000] {
        let found = all(&mut film, step);
        assert_eq!(found.len(), written.len());
        for (number, (found, written)) in found.iter().zip(written).enumerate() {
            let from = found.offset as usize;
            let held = &bytes[from..from + found.size as usize];
            assert_eq!(held, content(number, written.size), "sample {number}");
            assert_eq!(found.key, written.key, "sample {number}");
            assert!((found.pts_s - number as f64 / 30.0).abs() < 0.0011, "sample {number} at {}", found.pts_s);
        }
    }
    let keys = film.keyframes(0, 0, usize::MAX).unwrap();
    let wanted: Vec<Sample> = all(&mut film, 64).into_iter().filter(|sample| sample.key).collect();
    assert_eq!(keys, wanted);
    assert_eq!(film.keyframes(0, keys[1].index, 1).unwrap(), keys[1..2]);
    let info = film.info();
    assert_eq!((info.tracks[0].width, info.tracks[0].height), (640, 360));
    assert!((info.duration_s - written.len() as f64 / 30.0).abs() < 0.002, "{}", info.duration_s);
    assert_eq!((info.unread_bytes, info.tracks[0].lost_samples), (0, 0));
}

#[test]
fn each_sample_of_an_mp4_is_found() {
    let written = film_samples(3_005, 50); // more than two strides of the table
    let bytes = Mp4::of(&written).bytes();
    assert_found(&bytes, &written, sample_bytes);
    let info = open(&bytes).info();
    assert_eq!((info.container, &*info.tracks[0].codec), (Container::Mp4, "avc1.64001f"));
    assert_eq!(open(&bytes).description(0), Some(&film::AVCC[..]));
}

#[test]
fn each_sample_of_a_fragmented_mp4_is_found() {
    let written = film_samples(3_005, 1_500);
    assert_found(&fragmented_mp4(&written), &written, sample_bytes);
}

#[test]
fn each_sample_of_a_webm_is_found_in_clusters_of_known_and_unknown_length() {
    let written = film_samples(305, 50);
    for unknown in [false, true] {
        let bytes = webm(&written, unknown);
        assert_found(&bytes, &written, vp9_bytes);
        assert_eq!(open(&bytes).info().tracks[0].codec, "vp09.00.21.08");
    }
}

#[test]
fn a_number_and_a_count_of_samples_lead_into_the_next_cluster() {
    let bytes = webm(&film_samples(100, 30), false);
    let mut film = open(&bytes);
    let every = all(&mut film, 100);
    for (from, count) in [(0, 45), (0, 99), (31, 40), (29, 1)] {
        assert_eq!(film.samples(0, every[0].index + from, count).unwrap(), every[from as usize..][..count]);
    }
    assert_eq!(film.samples(0, every[30].index + 69, 10).unwrap(), every[99..]);
    assert_eq!(film.samples(0, every[0].index + 100, 10).unwrap(), []);
    assert_eq!(film.samples(1, 0, 10).unwrap(), []);
}

#[test]
fn damaged_bytes_between_clusters_hide_no_cluster() {
    let written = film_samples(90, 30);
    let clusters = webm_clusters(&written, false);
    let inside = [&webm_tracks()[..], &clusters[0], &[0; 50], &clusters[1], b"\0\xff\0", &clusters[2]].concat();
    let bytes = [webm_head(), element(0x1853_8067, &[&inside])].concat();
    assert_found(&bytes, &written, vp9_bytes);
}

#[test]
fn edit_lists_shift_the_times() {
    let mut film = Mp4::of(&film_samples(60, 30));
    // An edit list of two entries: half a second without media, then the film from its tenth frame.
    let elst = full_box(b"elst", 0, &[2, 500, u32::MAX, 0x1_0000, 1_000, 10_000, 0x1_0000]);
    film.in_trak = mp4_box(b"edts", &[&elst]);
    let bytes = film.bytes();
    let samples = all(&mut open(&bytes), 100);
    assert!((samples[10].pts_s - 0.5).abs() < 1e-9, "{}", samples[10].pts_s);
    // The frames that the edit list cuts off are still returned.
    assert!((samples[0].pts_s - (0.5 - 1.0 / 3.0)).abs() < 1e-9, "{}", samples[0].pts_s);
    assert_eq!(samples.len(), 60);
}

#[test]
fn frames_that_are_shown_in_another_order_have_their_own_times() {
    let mut film = Mp4::of(&film_samples(4, 4));
    film.tables.ctts = Some(vec![3, 1, 1_000, 2, 2_000, 1, u32::MAX - 999]); // the last one by -1000
    let bytes = film.bytes();
    let times: Vec<_> = all(&mut open(&bytes), 4).iter().map(|sample| (sample.pts_s * 30.0).round()).collect();
    assert_eq!(times, [1.0, 3.0, 4.0, 2.0]);
}

#[test]
fn laced_blocks_are_taken_apart() {
    let frames: [&[u8]; 3] = [&[1; 5], &[2; 260], &[3; 9]];
    let all_frames = frames.concat();
    let xiph = [&[2, 5, 255, 5][..], &all_frames].concat();
    // In EBML lacing the second frame's size is coded as a difference: +255, with a bias of 8191 (0x1fff) in a number
    // of two bytes.
    let ebml = [&[2, 0x85, 0x60, 0xfe][..], &all_frames].concat();
    let fixed = [&[2][..], &[7; 30]].concat();
    for (flags, data, sizes) in [(0x82, xiph, [5, 260, 9]), (0x86, ebml, [5, 260, 9]), (0x84, fixed, [10, 10, 10])] {
        let cluster = element(0x1f43_b675, &[&number_element(0xe7, 0), &simple_block(0, flags, &data)]);
        let bytes = [webm_head(), element(0x1853_8067, &[&webm_tracks(), &cluster])].concat();
        let found = all(&mut open(&bytes), 10);
        assert_eq!(found.iter().map(|sample| sample.size).collect::<Vec<_>>(), sizes, "lacing {flags:x}");
        let end = found[2].offset as usize + found[2].size as usize;
        assert_eq!(end, bytes.len(), "lacing {flags:x}");
    }
}

#[test]
fn what_a_track_is_is_said() {
    let mut film = Mp4::of(&film_samples(10, 5));
    let avcc = mp4_box(b"avcC", &[&film::AVCC]);
    let frma = mp4_box(b"sinf", &[&mp4_box(b"frma", &[b"avc1"])]);
    let hvcc = mp4_box(b"hvcC", &[&[1, 1, 0x60, 0, 0, 0, 0x90, 0, 0, 0, 0, 0, 93, 0xf0]]);
    let vpcc = mp4_box(b"vpcC", &[&[1, 0, 0, 0, 2, 31, 0xa2, 1, 1, 1, 0, 0]]);
    let av1c = mp4_box(b"av1C", &[&[0x81, 0x05, 0x0c, 0]]);
    for (kind, boxes, codec, encrypted) in [
        (b"avc3", &avcc[..], "avc3.64001f", false),
        (b"encv", &[avcc.clone(), frma].concat()[..], "avc1.64001f", true),
        (b"hvc1", &hvcc, "hvc1.1.6.L93.90", false),
        (b"vp09", &vpcc, "vp09.02.31.10", false),
        (b"av01", &av1c, "av01.0.05M.08", false),
        (b"vp08", b"", "vp8", false),
        (b"apcn", b"", "apcn", false),
    ] {
        film.entry = visual_entry(kind, boxes);
        let bytes = film.bytes();
        let track = open(&bytes).info().tracks.remove(0);
        assert_eq!((&*track.codec, track.encrypted, track.problem), (codec, encrypted, None));
    }
}

#[test]
fn a_track_that_changes_its_codec_is_a_problem() {
    let mut film = Mp4::of(&film_samples(20, 5));
    let other = visual_entry(b"avc1", &mp4_box(b"avcC", &[&[1, 0x42, 0, 0x1f, 0xff, 0xe0, 0]]));
    film.entry.extend(other);
    film.tables.stsc = vec![2, 1, 10, 1, 2, 10, 2];
    let bytes = film.bytes();
    let problem = open(&bytes).info().tracks.remove(0).problem.unwrap();
    assert_eq!(problem.code, FilmCode::SeveralCodecs);
}

#[test]
fn samples_behind_the_end_of_the_file_are_lost_not_hidden() {
    let film = Mp4::of(&film_samples(40, 10));
    let front = [film::ftyp(), film.moov()].concat();
    // The file is cut after `moov` and some samples. The sample table still names all 40 samples.
    let bytes = [&front[..], &vec![0; (film::DATA + 900) as usize - front.len().min(900)]].concat();
    let track = open(&bytes).info().tracks.remove(0);
    assert_eq!(track.samples, Some(40));
    assert!(track.lost_samples > 0 && track.lost_samples < 40, "{}", track.lost_samples);
}

#[test]
fn what_is_no_film_is_refused() {
    for bytes in [&b""[..], b"\xff\xd8\xff\xe0", b"%PDF-1.7\n12345", &[0; 100]] {
        let refusal = Film::open(bytes, bytes.len() as u64).err().unwrap();
        assert_eq!(refusal.code, FilmCode::Kind);
    }
    let cut = &Mp4::of(&film_samples(40, 10)).bytes()[..500];
    assert_eq!(Film::open(cut, 500).err().unwrap().code, FilmCode::NoIndex);
}
