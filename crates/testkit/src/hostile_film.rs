//! Makes films that attack the reader of a film's index.

use crate::film::{
    DATA, Mp4, element, endless, film_samples, fragment, fragmented_mp4, ftyp, full_box, mp4_box, number_element,
    simple_block, visual_entry, vp9_bytes, webm, webm_clusters, webm_head, webm_track, webm_tracks,
};

/// A film that attacks the reader of its index.
pub struct HostileFilm {
    /// What it is.
    pub name: String,
    /// The error code with which the film is refused. `None` if the index can be read, because only samples that the
    /// index points to are wrong.
    pub refused: Option<&'static str>,
    pub bytes: Vec<u8>,
}

const SEGMENT: u32 = 0x1853_8067;
const CLUSTER: u32 = 0x1f43_b675;

/// Returns about 90 films, 40 MB together.
#[must_use]
pub fn films() -> Vec<HostileFilm> {
    let mut films = Vec::new();
    let mut add = |name: &str, refused: Option<&'static str>, bytes: Vec<u8>| {
        films.push(HostileFilm { name: name.into(), refused, bytes });
    };
    tables(&mut add);
    boxes(&mut add);
    fragments(&mut add);
    matroska(&mut add);
    laced(&mut add);
    films
}

type Add<'a> = dyn FnMut(&str, Option<&'static str>, Vec<u8>) + 'a;

/// Makes a film of 40 samples, and lets `change` alter its tables.
fn changed(change: impl FnOnce(&mut Mp4)) -> Vec<u8> {
    let mut film = Mp4::of(&film_samples(40, 10));
    change(&mut film);
    film.bytes()
}

fn tables(add: &mut Add<'_>) {
    let table = Some("film-table");
    add("ctts of 4 billion in one entry", None, changed(|f| f.tables.ctts = Some(vec![1, u32::MAX, 5])));
    add("stts of 4 billion in one entry", None, changed(|f| f.tables.stts = vec![1, u32::MAX, 5]));
    add("stts of 4 billion units each", None, changed(|f| f.tables.stts = vec![1, 40, u32::MAX]));
    add("stts without entries", None, changed(|f| f.tables.stts = vec![0]));
    add("stts of entries of no samples", None, changed(|f| f.tables.stts = [vec![9_000], vec![0; 18_000]].concat()));
    add(
        "ctts at the ends of its range",
        None,
        changed(|f| f.tables.ctts = Some(vec![2, 20, 1 << 31, 20, i32::MAX as u32])),
    );
    for (name, count) in [("most", u32::MAX), ("half", 1 << 31), ("one more", 41)] {
        add(&format!("stsz counts {name}"), table, changed(|f| f.tables.stsz[1] = count));
        add(&format!("stts counts {name}"), table, changed(|f| f.tables.stts[0] = count));
        add(&format!("stsc counts {name}"), table, changed(|f| f.tables.stsc[0] = count));
        add(&format!("stco counts {name}"), table, changed(|f| f.tables.stco[0] = count));
        add(&format!("stss counts {name}"), table, changed(|f| f.tables.stss = Some(vec![count, 1])));
        add(&format!("ctts counts {name}"), table, changed(|f| f.tables.ctts = Some(vec![count, 1, 1])));
    }
    let uniform = |size, count| {
        changed(|f| {
            f.tables.stsz = vec![size, count];
            f.tables.stsc = vec![1, 1, u32::MAX, 1];
        })
    };
    add("4 billion samples of one byte", Some("film-limit"), uniform(1, u32::MAX));
    add("a million samples of one byte in a kilobyte", Some("film-overlap"), uniform(1, 1_000_000));
    add("samples of 4 GB each", Some("film-overlap"), uniform(u32::MAX, 40));
    add(
        "samples that share their bytes",
        Some("film-overlap"),
        changed(|f| {
            f.tables.stsz = [vec![0, 40], vec![1_000; 40]].concat();
            f.tables.stsc = vec![1, 1, 1, 1];
            f.tables.stco = [vec![40], vec![DATA; 40]].concat();
        }),
    );
    add("samples of no bytes", None, changed(|f| f.tables.stsz = [vec![0, 40], vec![0; 40]].concat()));
    add(
        "a million samples of no bytes",
        None,
        changed(|f| {
            f.tables.stsz = [vec![0, 1_000_000], vec![0; 1_000_000]].concat();
            f.tables.stsc = vec![1, 1, u32::MAX, 1];
        }),
    );
    add(
        "more samples than a track may have",
        Some("film-limit"),
        changed(|f| {
            f.tables.stsz = [vec![0, 2_000_001], vec![0; 2_000_001]].concat();
            f.tables.stsc = vec![1, 1, u32::MAX, 1];
        }),
    );
    add("stsc out of order", table, changed(|f| f.tables.stsc = vec![3, 1, 10, 1, 3, 10, 1, 2, 10, 1]));
    add("stsc of the first chunk twice", table, changed(|f| f.tables.stsc = vec![2, 1, 10, 1, 1, 10, 1]));
    add("stsc from chunk 0", None, changed(|f| f.tables.stsc = vec![1, 0, 10, 1]));
    add("stsc of chunks of no samples", table, changed(|f| f.tables.stsc = vec![1, 1, 0, 1]));
    add(
        "a million chunks of no samples",
        table,
        changed(|f| {
            f.tables.stsc = vec![1, 1, 0, 1];
            f.tables.stco = [vec![1_000_000], vec![DATA; 1_000_000]].concat();
        }),
    );
    add("stsc without entries", table, changed(|f| f.tables.stsc = vec![0]));
    add("stco without entries", table, changed(|f| f.tables.stco = vec![0]));
    add("chunks behind the end", None, changed(|f| f.tables.stco = vec![4, u32::MAX, u32::MAX, u32::MAX, u32::MAX]));
    add("a sample entry that isn't there", None, changed(|f| f.tables.stsc[3] = 9));
    add("a sample entry 0", None, changed(|f| f.tables.stsc[3] = 0));
    add("stss out of order", None, changed(|f| f.tables.stss = Some(vec![4, 31, 11, 21, 1])));
    add("stss of samples that aren't there", None, changed(|f| f.tables.stss = Some(vec![2, 0, u32::MAX])));
    add("no keyframe", None, changed(|f| f.tables.stss = Some(vec![0])));
    add("a timescale of zero", table, changed(|f| f.timescale = 0));
    add("a timescale of 4 billion", None, changed(|f| f.timescale = u32::MAX));
}

fn boxes(add: &mut Add<'_>) {
    let (no_index, bad) = (Some("film-no-index"), Some("film-box"));
    let whole = Mp4::of(&film_samples(40, 10)).bytes();
    for part in [1, 3, 5, 7, 9] {
        add(&format!("cut after {part} tenths"), no_index, whole[..whole.len() * part / 10].to_vec());
    }
    let moov = Mp4::of(&film_samples(40, 10)).moov();
    let trak_at = 8 + 28 + 8; // `moov`, `mvhd`, and the header of `trak`
    for (name, length) in [("longer than its parent", 1 << 20), ("of 4 GB", u32::MAX), ("shorter than its header", 7)] {
        let mut moov = moov.clone();
        moov[trak_at..trak_at + 4].copy_from_slice(&u32::to_be_bytes(length));
        add(&format!("a box {name}"), bad, [ftyp(), moov].concat());
    }
    let mut looping = moov.clone();
    looping[trak_at..trak_at + 4].fill(0);
    add("a box of length 0 inside another", None, [ftyp(), looping].concat());
    let mut long = moov.clone();
    long.splice(trak_at..trak_at + 8, [&[0, 0, 0, 1][..], b"tkhd", &[0xff; 8]].concat());
    add("a box of 2^64 - 1 bytes", bad, [ftyp(), long].concat());
    let wide = [&[0, 0, 0, 1][..], b"free", &[0xff; 8]].concat();
    add("an outer box of 2^64 - 1 bytes", no_index, [ftyp(), wide].concat());
    let back = [&[0, 0, 0, 1][..], b"free", &(u64::MAX - 19).to_be_bytes()].concat();
    add("an outer box that ends where the file begins", no_index, [ftyp(), back].concat());
    let wide_zero = [&[0, 0, 0, 1][..], b"free", &[0; 8]].concat();
    add("an outer box of no bytes", no_index, [ftyp(), wide_zero].concat());
    add("a million empty boxes", no_index, [ftyp(), mp4_box(b"free", &[]).repeat(900_000)].concat());
    add("more boxes than there may be", Some("film-limit"), [ftyp(), mp4_box(b"free", &[]).repeat(1_000_001)].concat());
    add(
        "a million empty boxes in moov",
        None,
        [ftyp(), mp4_box(b"moov", &[&mp4_box(b"free", &[]).repeat(1_000_000)])].concat(),
    );
    add("two indexes that differ", bad, [whole.clone(), Mp4::of(&film_samples(10, 5)).moov()].concat());
    add("an index twice", None, [whole.clone(), moov.clone()].concat());
    add("a moov of 4 GB", no_index, [ftyp(), u32::MAX.to_be_bytes().to_vec(), b"moov".to_vec(), vec![0; 64]].concat());
    let mut film = Mp4::of(&film_samples(40, 10));
    let trak = &moov[36..];
    film.in_moov = trak.to_vec();
    add("two tracks of one number", Some("film-table"), film.bytes());
    film.in_moov = (2..40_u8).flat_map(|number| renumbered(trak, number)).collect();
    add("forty video tracks", Some("film-limit"), film.bytes());
    film.in_moov = mp4_box(b"cmov", &[&[0; 100]]);
    add("a compressed index", Some("film-coding"), film.bytes());
    let mut film = Mp4::of(&film_samples(40, 10));
    let edits = [vec![500_000], vec![1; 1_500_000]].concat();
    film.in_trak = mp4_box(b"edts", &[&full_box(b"elst", 0, &edits)]);
    add("half a million edits", None, film.bytes());
    film.in_trak = mp4_box(b"edts", &[&full_box(b"elst", 0, &[u32::MAX, u32::MAX, i32::MAX as u32, 0])]);
    add("an edit list of 4 billion", None, film.bytes());
    let entry = |kind, content: &[u8]| {
        let mut film = Mp4::of(&film_samples(40, 10));
        film.entry = visual_entry(kind, content);
        film.bytes()
    };
    add("an avcC of no bytes", None, entry(b"avc1", &mp4_box(b"avcC", &[])));
    add("an hvcC of one byte", None, entry(b"hvc1", &mp4_box(b"hvcC", &[&[1]])));
    add("a vpcC of two bytes", None, entry(b"vp09", &mp4_box(b"vpcC", &[&[1, 0]])));
    add("a sample entry of 4 GB", bad, entry(b"avc1", &[0xff, 0xff, 0xff, 0xff, b'a', b'v', b'c', b'C']));
    let mut film = Mp4::of(&film_samples(40, 10));
    film.entry = mp4_box(b"avc1", &[]);
    add("a sample entry of no bytes", None, film.bytes());
    film.entry = Vec::new();
    add("no sample entry", bad, film.bytes());
    add("sound alone", None, changed(|f| f.handler = *b"soun"));
}

/// A track with another number.
fn renumbered(trak: &[u8], number: u8) -> Vec<u8> {
    let mut trak = trak.to_vec();
    trak[8 + 8 + 4 + 8 + 3] = number; // headers of `trak` and `tkhd`, version and flags, two times
    trak
}

fn fragments(add: &mut Add<'_>) {
    let samples = film_samples(40, 10);
    let whole = fragmented_mp4(&samples);
    let piece = fragment(&samples, 0, 10);
    let start = [ftyp(), moov_for_fragments()].concat();
    let with = |traf: &[u8]| [start.clone(), mp4_box(b"moof", &[&mp4_box(b"traf", &[traf])])].concat();
    let tfhd = full_box(b"tfhd", 0x2_0000, &[1]);
    let sized = full_box(b"tfhd", 0x2_0010, &[1, 1]);
    let run = |header: &[u8], flags, words: &[u32]| with(&[header, &full_box(b"trun", flags, words)].concat());
    let table = Some("film-table");
    add("a trun of 4 billion sizes", table, run(&tfhd, 0x200, &[u32::MAX, 1]));
    add("a trun of 4 billion samples without fields", Some("film-limit"), run(&sized, 0, &[u32::MAX]));
    add("a trun of a million samples of one byte", Some("film-overlap"), run(&sized, 0, &[1_000_000]));
    add("a trun of samples of no bytes", None, run(&tfhd, 0, &[u32::MAX]));
    // Found by fuzzing: the time after the last sample exceeded 63 bits.
    let long = full_box(b"tfhd", 0x2_0008, &[1, u32::MAX]);
    add("a trun of samples of no bytes that last 4 billion units each", None, run(&long, 0, &[u32::MAX]));
    add("a trun of samples of 4 GB", None, run(&tfhd, 0x200, &[3, u32::MAX, u32::MAX, u32::MAX]));
    add("a trun without a count", Some("film-box"), run(&tfhd, 0, &[]));
    add("a trun that lacks its flags", Some("film-box"), run(&tfhd, 0x5, &[1]));
    add("a trun before the start of the file", None, run(&tfhd, 0x201, &[1, 1 << 31, 9]));
    add("a traf without a header", Some("film-box"), with(&full_box(b"trun", 0x200, &[1, 5])));
    add("a tfhd that lacks its fields", Some("film-box"), with(&full_box(b"tfhd", 0x3f, &[1])));
    let late = [full_box(b"tfhd", 1, &[1, u32::MAX, u32::MAX]), full_box(b"trun", 0x200, &[2, 5, 5])].concat();
    add("data at the end of 2^64 bytes", None, with(&late));
    let time = full_box(b"tfdt", 1 << 24, &[u32::MAX, u32::MAX]);
    let ages = [tfhd.clone(), time, full_box(b"trun", 0xb00, &[2, u32::MAX, 5, 1, u32::MAX, 5, 1])].concat();
    add("a time of 2^64", None, with(&ages));
    let empty = mp4_box(b"moof", &[&mp4_box(b"traf", &[&tfhd, &full_box(b"trun", 0, &[0])])]);
    add("a hundred thousand fragments of nothing", None, [start.clone(), empty.repeat(100_000)].concat());
    let tiny = mp4_box(b"moof", &[&mp4_box(b"traf", &[&sized, &full_box(b"trun", 0, &[1])])]);
    add("a hundred thousand fragments of one byte", None, [start.clone(), tiny.repeat(100_000)].concat());
    let runs = full_box(b"trun", 0, &[1]).repeat(200_000);
    add("a fragment of many runs", None, with(&[sized.clone(), runs].concat()));
    let trafs = mp4_box(b"traf", &[&full_box(b"tfhd", 0, &[7])]).repeat(200_000);
    add("a fragment of many tracks", None, [start.clone(), mp4_box(b"moof", &[&trafs])].concat());
    add("fragments without an index", Some("film-no-index"), [ftyp(), piece.repeat(1_000)].concat());
    add("fragments before the index", None, [ftyp(), piece.clone(), moov_for_fragments()].concat());
    add("the same fragment again and again", None, [start.clone(), piece.repeat(2_000)].concat());
    add("cut within a fragment's header", Some("film-box"), [&start[..], &piece[..60]].concat());
    add("cut within a fragment's data", None, whole[..whole.len() - 30].to_vec());
    add("zeros behind the last fragment", None, [&whole[..], &[0; 4_000]].concat());
    add("noise behind the last fragment", None, [&whole[..], &[0xff, 1, 2, 3].repeat(100)].concat());
}

fn moov_for_fragments() -> Vec<u8> {
    let whole = fragmented_mp4(&film_samples(1, 1));
    let at = ftyp().len();
    let length = u32::from_be_bytes([whole[at], whole[at + 1], whole[at + 2], whole[at + 3]]) as usize;
    whole[at..at + length].to_vec()
}

fn matroska(add: &mut Add<'_>) {
    let samples = film_samples(60, 20);
    let whole = webm(&samples, false);
    let open = webm(&samples, true);
    let clusters = webm_clusters(&samples, false);
    let head = webm_head();
    let tracks = webm_tracks();
    let in_segment = |parts: &[&[u8]]| [head.clone(), element(SEGMENT, parts)].concat();
    let no_index = Some("film-no-index");
    add("EBML alone", no_index, head.clone());
    add("EBML cut after its ID", Some("film-no-index"), vec![0x1a, 0x45, 0xdf, 0xa3]);
    add("a segment of nothing", no_index, in_segment(&[]));
    add("a segment of unknown length of nothing", no_index, [head.clone(), endless(SEGMENT, &[])].concat());
    add("tracks of unknown length", no_index, [head.clone(), endless(SEGMENT, &[&endless(0x1654_ae6b, &[])])].concat());
    add(
        "tracks of 2^56 bytes",
        no_index,
        in_segment(&[&[0x16, 0x54, 0xae, 0x6b, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe]]),
    );
    for part in [3, 5, 7, 9] {
        add(&format!("WebM cut after {part} tenths"), None, whole[..whole.len() * part / 10].to_vec());
        add(&format!("WebM of unknown length cut after {part} tenths"), None, open[..open.len() * part / 10].to_vec());
    }
    add("clusters in each other", None, in_segment(&[&tracks, &nested(1_000)]));
    add(
        "clusters of unknown length in each other",
        None,
        [head.clone(), endless(SEGMENT, &[&tracks, &endless(CLUSTER, &[]).repeat(50_000)])].concat(),
    );
    add("two hundred thousand empty clusters", None, in_segment(&[&tracks, &small(CLUSTER, &[]).repeat(190_000)]));
    let tiny = small(CLUSTER, &[0xe7, 0x81, 0]);
    add("more clusters than there may be", Some("film-limit"), in_segment(&[&tracks, &tiny.repeat(200_001)]));
    let block = [0xa3, 0x85, 0x81, 0, 0, 0x80, 7];
    let crowd = [&[0xe7, 0x81, 0][..], &block.repeat(130_000)].concat();
    add("130,000 blocks in a cluster", None, in_segment(&[&tracks, &element(CLUSTER, &[&crowd])]));
    let crowd = block.repeat(140_000);
    add(
        "more blocks than a cluster may have",
        Some("film-limit"),
        in_segment(&[&tracks, &element(CLUSTER, &[&crowd])]),
    );
    let void = [0xec, 0x80].repeat(1_500_000);
    add("a cluster of void", None, in_segment(&[&tracks, &element(CLUSTER, &[&void])]));
    add(
        "a cluster of unknown length of void",
        None,
        [head.clone(), endless(SEGMENT, &[&tracks, &endless(CLUSTER, &[&void])])].concat(),
    );
    add("more void than there may be", Some("film-limit"), in_segment(&[&tracks, &void]));
    add("zeros behind the tracks", None, in_segment(&[&tracks, &vec![0; 3_000_000]]));
    add("IDs of clusters behind each other", None, in_segment(&[&tracks, &CLUSTER.to_be_bytes().repeat(150_000)]));
    let many: Vec<u8> = (1..=5).flat_map(webm_track).collect();
    add("five video tracks", Some("film-limit"), in_segment(&[&element(0x1654_ae6b, &[&many]), &clusters[0]]));
    let eight: Vec<u8> = (1..=4).flat_map(webm_track).collect();
    add(
        "four video tracks and many clusters without them",
        None,
        in_segment(&[&element(0x1654_ae6b, &[&eight]), &tiny.repeat(190_000)]),
    );
    let other = [0xa3, 0x85, 0x9f, 0, 0, 0x80, 7].repeat(300_000);
    add(
        "four video tracks and many blocks of another",
        None,
        in_segment(&[&element(0x1654_ae6b, &[&eight]), &element(CLUSTER, &[&other])]),
    );
    let twice = element(0x1654_ae6b, &[&webm_track(1), &webm_track(1)]);
    add("two tracks of one number in WebM", Some("film-table"), in_segment(&[&twice]));
    let scale = element(0x1549_a966, &[&number_element(0x2a_d7b1, 0)]);
    add(
        "a timestamp scale of zero",
        Some("film-table"),
        in_segment(&[&scale, &tracks[tracks.len() - webm_tracks_only().len()..]]),
    );
    let scale = element(0x1549_a966, &[&number_element(0x2a_d7b1, u64::MAX)]);
    add("a timestamp scale of 2^64 - 1", None, in_segment(&[&scale, &webm_tracks_only(), &clusters[0]]));
    let late = element(CLUSTER, &[&number_element(0xe7, u64::MAX), &simple_block(-1, 0x80, &vp9_bytes(0, 9))]);
    add("a cluster at 2^64 - 1", None, in_segment(&[&tracks, &late]));
    add(
        "other tracks again",
        Some("film-box"),
        in_segment(&[&tracks, &clusters[0], &element(0x1654_ae6b, &[&webm_track(2)])]),
    );
    add("a second segment", Some("film-box"), [whole.clone(), whole.clone()].concat());
    let cue = |time, place| {
        let positions = element(0xb7, &[&number_element(0xf7, 1), &number_element(0xf1, place)]);
        element(0xbb, &[&number_element(0xb3, time), &positions])
    };
    let cues = element(0x1c53_bb6b, &[&cue(u64::MAX, u64::MAX).repeat(50_000)]);
    add("cues behind the end", None, in_segment(&[&tracks, &clusters.concat(), &cues]));
    let cues =
        element(0x1c53_bb6b, &[&(0..50_000).flat_map(|time| cue(time, tracks.len() as u64)).collect::<Vec<_>>()]);
    add("many cues of one cluster", None, in_segment(&[&tracks, &clusters.concat(), &cues]));
    let group = element(0xa0, &[&element(0xa0, &[&element(0xa1, &[&[0x81, 0, 0, 0, 5]])])]);
    add("groups in groups", None, in_segment(&[&tracks, &element(CLUSTER, &[&group])]));
    let open_group = endless(0xa0, &[&element(0xa1, &[&[0x81, 0, 0, 0, 5]])]);
    add("a group of unknown length", None, in_segment(&[&tracks, &element(CLUSTER, &[&open_group])]));
    let void = element(0xa0, &[&[0xec, 0x80].repeat(1_000_000)]);
    add("a group of void", None, in_segment(&[&tracks, &element(CLUSTER, &[&void])]));
    let squeezed = element(0x6d80, &[&element(0x6240, &[&element(0x5034, &[&number_element(0x4254, 0)])])]);
    let video = element(0xe0, &[&number_element(0xb0, u64::MAX), &number_element(0xba, 1)]);
    let track = element(
        0xae,
        &[&number_element(0xd7, 1), &number_element(0x83, 1), &element(0x86, &[b"V_VP8"]), &video, &squeezed],
    );
    add("samples that are compressed once more", None, in_segment(&[&element(0x1654_ae6b, &[&track]), &clusters[0]]));
}

fn webm_tracks_only() -> Vec<u8> {
    element(0x1654_ae6b, &[&webm_track(1)])
}

/// Writes an element whose length field has one byte.
fn small(id: u32, content: &[u8]) -> Vec<u8> {
    [&id.to_be_bytes()[..], &[0x80 | content.len() as u8], content].concat()
}

fn nested(depth: usize) -> Vec<u8> {
    (0..depth).fold(Vec::new(), |inside, _| element(CLUSTER, &[&inside]))
}

fn laced(add: &mut Add<'_>) {
    let with = |flags, data: &[u8]| {
        let cluster = element(CLUSTER, &[&number_element(0xe7, 0), &simple_block(0, flags, data)]);
        [webm_head(), element(SEGMENT, &[&webm_tracks(), &cluster])].concat()
    };
    for (name, flags) in [("Xiph", 0x82), ("fixed", 0x84), ("EBML", 0x86)] {
        add(&format!("{name} lacing of 256 frames in no bytes"), None, with(flags, &[255]));
        add(&format!("{name} lacing without a count"), None, with(flags, &[]));
        add(&format!("{name} lacing of sizes of 255"), None, with(flags, &[255; 70_000]));
        add(&format!("{name} lacing of frames of no bytes"), None, with(flags, &[&[255][..], &[0x80; 255]].concat()));
    }
    add("EBML lacing of sizes below zero", None, with(0x86, &[3, 0x81, 0x80, 0x80, 1, 1, 1, 1]));
    add(
        "EBML lacing of sizes of 2^56",
        None,
        with(0x86, &[[3, 1].as_slice(), &[0xff; 7], &[1], &[0xff; 7], &[9; 9]].concat()),
    );
    let small = [0xa3, 0x85, 0x81, 0, 0, 0x84, 255].repeat(300_000);
    let cluster = element(CLUSTER, &[&small]);
    add("many laced blocks of no frames", None, [webm_head(), element(SEGMENT, &[&webm_tracks(), &cluster])].concat());
    let full = [&[0xa3, 0x43, 0x04, 0x81, 0, 0, 0x84, 255][..], &[1; 767]].concat();
    let cluster = element(CLUSTER, &[&full.repeat(600)]);
    add(
        "many laced blocks of 256 frames",
        Some("film-limit"),
        [webm_head(), element(SEGMENT, &[&webm_tracks(), &cluster])].concat(),
    );
}
