//! Writes film files without a video encoder. Their boxes and elements are valid, but the coded frames in them hold no
//! picture.

/// One coded frame of a film that a test makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FilmSample {
    /// The number of its bytes.
    pub size: u32,
    /// Whether it is a keyframe.
    pub key: bool,
}

/// Returns the samples of a film with a keyframe every `gop` frames. Their sizes differ.
#[must_use]
pub fn film_samples(frames: u32, gop: u32) -> Vec<FilmSample> {
    (0..frames).map(|number| FilmSample { size: 20 + number * 7 % 50, key: number.is_multiple_of(gop) }).collect()
}

/// Returns the bytes of a sample. Each byte is the sample's number, so that a test can tell samples apart.
#[must_use]
pub fn sample_bytes(number: usize, size: u32) -> Vec<u8> {
    vec![number as u8; size as usize]
}

/// The content of an `avcC` box: H.264, high profile, level 3.1, no parameter sets.
pub const AVCC: [u8; 9] = [1, 0x64, 0, 0x1f, 0xff, 0xe0, 0, 0, 0];

/// Writes an MP4 box of this kind. Its content is `parts`, one after the other.
#[must_use]
pub fn mp4_box(kind: &[u8; 4], parts: &[&[u8]]) -> Vec<u8> {
    let length = 8 + parts.iter().map(|part| part.len()).sum::<usize>();
    let mut bytes = (length as u32).to_be_bytes().to_vec();
    bytes.extend(kind);
    bytes.extend(parts.concat());
    bytes
}

/// Writes an MP4 box that begins with a version and flags; words of four bytes follow.
#[must_use]
pub fn full_box(kind: &[u8; 4], version_and_flags: u32, words: &[u32]) -> Vec<u8> {
    let words: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
    mp4_box(kind, &[&version_and_flags.to_be_bytes(), &words])
}

/// The boxes of a sample table, each as the 32-bit words that follow version and flags.
#[derive(Debug, Clone, Default)]
pub struct Tables {
    pub stts: Vec<u32>,
    pub ctts: Option<Vec<u32>>,
    pub stsc: Vec<u32>,
    pub stsz: Vec<u32>,
    pub stco: Vec<u32>,
    pub stss: Option<Vec<u32>>,
}

/// The fields of an MP4 film with one track, which tests change before they write the file.
#[derive(Debug, Clone)]
pub struct Mp4 {
    pub timescale: u32,
    pub handler: [u8; 4],
    pub tables: Tables,
    /// The sample entry.
    pub entry: Vec<u8>,
    /// Boxes that are put into `trak`, such as an edit list.
    pub in_trak: Vec<u8>,
    /// Boxes that are put into `moov`, such as `mvex`.
    pub in_moov: Vec<u8>,
    /// The content of `mdat`.
    pub data: Vec<u8>,
}

/// The number of bytes before the samples in [`Mp4::bytes`]: `ftyp` and the header of `mdat`.
pub const DATA: u32 = 20 + 8;

impl Mp4 {
    /// Makes a film of 30 frames per second, in chunks of ten samples.
    #[must_use]
    pub fn of(samples: &[FilmSample]) -> Self {
        let mut data = Vec::new();
        let mut chunks = Vec::new();
        for (number, sample) in samples.iter().enumerate() {
            if number.is_multiple_of(10) {
                chunks.push(DATA + data.len() as u32);
            }
            data.extend(sample_bytes(number, sample.size));
        }
        let count = samples.len() as u32;
        let keys: Vec<u32> = (1..).zip(samples).filter(|(_, sample)| sample.key).map(|(number, _)| number).collect();
        let counted = |values: Vec<u32>| [vec![values.len() as u32], values].concat();
        let mut stsc = vec![1, 1, 10, 1];
        if !count.is_multiple_of(10) {
            stsc =
                if count < 10 { vec![1, 1, count, 1] } else { vec![2, 1, 10, 1, chunks.len() as u32, count % 10, 1] };
        }
        let tables = Tables {
            stts: vec![1, count, 1000],
            ctts: None,
            stsc,
            stsz: [vec![0, count], samples.iter().map(|sample| sample.size).collect()].concat(),
            stco: counted(chunks),
            stss: Some(counted(keys)),
        };
        Self {
            timescale: 30_000,
            handler: *b"vide",
            tables,
            entry: visual_entry(b"avc1", &mp4_box(b"avcC", &[&AVCC])),
            in_trak: Vec::new(),
            in_moov: Vec::new(),
            data,
        }
    }

    /// The `moov` box.
    #[must_use]
    pub fn moov(&self) -> Vec<u8> {
        let full = |kind: &[u8; 4], words: &[u32]| full_box(kind, 0, words);
        let tables = &self.tables;
        let mut stbl = mp4_box(b"stsd", &[&[0, 0, 0, 0, 0, 0, 0, 1], &self.entry]);
        stbl.extend(full(b"stts", &tables.stts));
        stbl.extend(tables.ctts.iter().flat_map(|words| full(b"ctts", words)));
        stbl.extend(full(b"stsc", &tables.stsc));
        stbl.extend(full(b"stsz", &tables.stsz));
        stbl.extend(full(b"stco", &tables.stco));
        stbl.extend(tables.stss.iter().flat_map(|words| full(b"stss", words)));
        let dref = full(b"dref", &[1, 12, u32::from_be_bytes(*b"url "), 1]);
        let minf = mp4_box(b"minf", &[&mp4_box(b"dinf", &[&dref]), &mp4_box(b"stbl", &[&stbl])]);
        let mdhd = full(b"mdhd", &[0, 0, self.timescale, 0, 0]);
        let hdlr = full(b"hdlr", &[0, u32::from_be_bytes(self.handler), 0, 0, 0, 0]);
        let mut tkhd = vec![0, 0, 1, 0, 0, 0, 0, 0, 0];
        tkhd.extend([0x1_0000, 0, 0, 0, 0x1_0000, 0, 0, 0, 0x4000_0000, 640 << 16, 360 << 16]);
        let trak =
            mp4_box(b"trak", &[&full_box(b"tkhd", 3, &tkhd), &self.in_trak, &mp4_box(b"mdia", &[&mdhd, &hdlr, &minf])]);
        mp4_box(b"moov", &[&full(b"mvhd", &[0, 0, 1000, 0]), &trak, &self.in_moov])
    }

    /// Writes the whole file, with `moov` at its end.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let mdat = mp4_box(b"mdat", &[&self.data]);
        [ftyp(), mdat, self.moov()].concat()
    }
}

/// Writes an `ftyp` box of 20 bytes.
#[must_use]
pub fn ftyp() -> Vec<u8> {
    mp4_box(b"ftyp", &[b"isom\0\0\0\0mp42"])
}

/// Writes a sample entry for a picture of 640 x 360 pixels, followed by `boxes`.
#[must_use]
pub fn visual_entry(kind: &[u8; 4], boxes: &[u8]) -> Vec<u8> {
    let mut head = vec![0; 78];
    head[7] = 1; // the first data reference
    head[24..28].copy_from_slice(&[2, 128, 1, 104]);
    mp4_box(kind, &[&head, boxes])
}

/// Writes a fragmented film: a `moov` without samples, then a fragment for each keyframe and the samples that depend on
/// it.
#[must_use]
pub fn fragmented_mp4(samples: &[FilmSample]) -> Vec<u8> {
    let mut empty = Mp4::of(&[]);
    empty.tables.stts = vec![0];
    empty.tables.stsc = vec![0];
    empty.tables.stco = vec![0];
    empty.in_moov = mp4_box(b"mvex", &[&full_box(b"trex", 0, &[1, 1, 1000, 0, 0x1_0000])]);
    let mut file = [ftyp(), empty.moov()].concat();
    let starts: Vec<usize> = (0..samples.len()).filter(|&number| samples[number].key).collect();
    for (at, &from) in starts.iter().enumerate() {
        let to = starts.get(at + 1).copied().unwrap_or(samples.len());
        file.extend(fragment(samples, from, to));
    }
    file
}

/// Writes one fragment, `moof` and `mdat`, with the samples `from..to`.
#[must_use]
pub fn fragment(samples: &[FilmSample], from: usize, to: usize) -> Vec<u8> {
    let sizes: Vec<u32> = samples[from..to].iter().map(|sample| sample.size).collect();
    let head = |offset: u32| {
        // The `trun` box: sample count, data offset, flags of the first sample, and each sample's size.
        let words = [vec![sizes.len() as u32, offset, 0x200_0000], sizes.clone()].concat();
        let tfhd = full_box(b"tfhd", 0x2_0000, &[1]);
        let tfdt = full_box(b"tfdt", 0, &[from as u32 * 1000]);
        mp4_box(b"moof", &[&mp4_box(b"traf", &[&tfhd, &tfdt, &full_box(b"trun", 0x205, &words)])])
    };
    let moof = head(head(0).len() as u32 + 8);
    let data: Vec<u8> = (from..to).flat_map(|number| sample_bytes(number, samples[number].size)).collect();
    [moof, mp4_box(b"mdat", &[&data])].concat()
}

/// Writes an EBML element whose length field has eight bytes.
#[must_use]
pub fn element(id: u32, parts: &[&[u8]]) -> Vec<u8> {
    let length = parts.iter().map(|part| part.len() as u64).sum::<u64>();
    let mut bytes = ebml_id(id);
    bytes.extend((length | 1 << 56).to_be_bytes());
    bytes.extend(parts.concat());
    bytes
}

/// An element of unknown length.
#[must_use]
pub fn endless(id: u32, parts: &[&[u8]]) -> Vec<u8> {
    let mut bytes = ebml_id(id);
    bytes.extend([0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
    bytes.extend(parts.concat());
    bytes
}

fn ebml_id(id: u32) -> Vec<u8> {
    id.to_be_bytes().into_iter().skip_while(|&byte| byte == 0).collect()
}

/// Writes an EBML element that holds a number of eight bytes.
#[must_use]
pub fn number_element(id: u32, value: u64) -> Vec<u8> {
    element(id, &[&value.to_be_bytes()])
}

/// A simple block of track 1.
#[must_use]
pub fn simple_block(time: i16, flags: u8, data: &[u8]) -> Vec<u8> {
    element(0xa3, &[&[0x81], &time.to_be_bytes(), &[flags], data])
}

/// Writes the EBML header of a WebM file.
#[must_use]
pub fn webm_head() -> Vec<u8> {
    element(0x1a45_dfa3, &[&element(0x4282, &[b"webm"])])
}

/// Writes `Info` and `Tracks` of a film whose only track is coded in VP9.
#[must_use]
pub fn webm_tracks() -> Vec<u8> {
    let info = element(0x1549_a966, &[&number_element(0x2a_d7b1, 1_000_000)]);
    [info, element(0x1654_ae6b, &[&webm_track(1)])].concat()
}

/// A track in VP9.
#[must_use]
pub fn webm_track(number: u64) -> Vec<u8> {
    let video = element(0xe0, &[&number_element(0xb0, 640), &number_element(0xba, 360)]);
    element(0xae, &[&number_element(0xd7, number), &number_element(0x83, 1), &element(0x86, &[b"V_VP9"]), &video])
}

/// Returns the bytes of a sample, of which the first four are those of a VP9 keyframe of profile 0.
#[must_use]
pub fn vp9_bytes(number: usize, size: u32) -> Vec<u8> {
    let mut bytes = sample_bytes(number, size);
    bytes[..4].copy_from_slice(&[0x82, 0x49, 0x83, 0x42]);
    bytes
}

/// Writes the clusters of a film of 30 frames per second, one for each keyframe.
#[must_use]
pub fn webm_clusters(samples: &[FilmSample], unknown: bool) -> Vec<Vec<u8>> {
    let mut clusters: Vec<(usize, Vec<Vec<u8>>)> = Vec::new();
    for (number, sample) in samples.iter().enumerate() {
        if sample.key {
            clusters.push((number, vec![number_element(0xe7, millisecond(number))]));
        }
        let (first, blocks) = clusters.last_mut().expect("the first sample is a keyframe");
        let time = millisecond(number) - millisecond(*first);
        let flags = if sample.key { 0x80 } else { 0 };
        blocks.push(simple_block(time as i16, flags, &vp9_bytes(number, sample.size)));
    }
    let wrap = if unknown { endless } else { element };
    clusters.into_iter().map(|(_, blocks)| wrap(0x1f43_b675, &[&blocks.concat()])).collect()
}

fn millisecond(frame: usize) -> u64 {
    (frame as u64 * 1000).div_ceil(30)
}

/// Writes a WebM film. If `unknown`, its segment and its clusters don't tell their lengths.
#[must_use]
pub fn webm(samples: &[FilmSample], unknown: bool) -> Vec<u8> {
    let inside = [webm_tracks(), webm_clusters(samples, unknown).concat()].concat();
    [webm_head(), if unknown { endless(0x1853_8067, &[&inside]) } else { element(0x1853_8067, &[&inside]) }].concat()
}
