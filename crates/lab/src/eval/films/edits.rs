//! The edits that films undergo when people share them, as filters of ffmpeg.

/// How a copy is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoder {
    /// H.264, with a quality (lower is better), in MP4.
    H264(&'static str),
    /// H.264 with a keyframe every so many frames.
    H264Group(&'static str),
    /// VP9 in WebM.
    Vp9,
    /// AV1 in MP4.
    Av1,
    /// MPEG-4, part 2, in AVI.
    Mpeg4,
}

impl Encoder {
    /// ffmpeg's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::H264(_) | Self::H264Group(_) => "libx264",
            Self::Vp9 => "libvpx-vp9",
            Self::Av1 => "libsvtav1",
            Self::Mpeg4 => "mpeg4",
        }
    }

    /// The ending of the file.
    pub fn ending(self) -> &'static str {
        match self {
            Self::Vp9 => "webm",
            Self::Mpeg4 => "avi",
            _ => "mp4",
        }
    }

    /// ffmpeg's arguments.
    pub fn arguments(self) -> Vec<&'static str> {
        let more: &[&str] = match self {
            Self::H264(crf) => &["-preset", "ultrafast", "-crf", crf],
            Self::H264Group(frames) => &["-preset", "ultrafast", "-crf", "26", "-g", frames, "-sc_threshold", "0"],
            Self::Vp9 => &["-deadline", "realtime", "-cpu-used", "8", "-crf", "40", "-b:v", "0"],
            Self::Av1 => &["-preset", "12", "-crf", "45"],
            Self::Mpeg4 => &["-q:v", "8"],
        };
        [&["-c:v", self.name()], more].concat()
    }
}

/// What an edit needs to know of the film. An overlay goes on for as long as the longer of the two, so it is cut.
pub struct Sizes {
    /// Width in pixels, even.
    pub width: u32,
    /// Height in pixels, even.
    pub height: u32,
    /// Length in seconds.
    pub seconds: f64,
}

/// A picture that is laid over the film.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overlay {
    /// None.
    None,
    /// A line of text at the bottom.
    Caption,
    /// A logo in a corner.
    Logo,
    /// The windows of a screen, with a hole where the film plays.
    Screen,
}

/// One edit.
pub struct Edit {
    /// Name in tables.
    pub name: &'static str,
    /// What it does.
    pub about: &'static str,
    /// How the copy is encoded.
    pub encoder: Encoder,
    /// The picture that is laid over it: ffmpeg's input 2.
    pub overlay: Overlay,
    /// The graph of filters, from the film `[0:v]`, and another film in negative `[1:v]`, to `[v]`.
    pub graph: fn(&Sizes) -> String,
    /// The copy is edited and encoded a second time.
    pub twice: bool,
}

const DEFAULT: Encoder = Encoder::H264("26");

const fn edit(name: &'static str, about: &'static str, encoder: Encoder, graph: fn(&Sizes) -> String) -> Edit {
    Edit { name, about, encoder, overlay: Overlay::None, graph, twice: false }
}

fn plain(_: &Sizes) -> String {
    "[0:v]null[v]".into()
}

fn over(_: &Sizes) -> String {
    "[0:v][2:v]overlay=0:0[v]".into()
}

/// Where the film plays in a recording of a screen: the screen's sides, and the film's left and top edge, in shares of
/// the film's sides.
pub const SCREEN: [f64; 4] = [1.7, 1.6, 0.1, 0.25];

fn screen(sizes: &Sizes) -> String {
    let [w, h] = [f64::from(sizes.width), f64::from(sizes.height)];
    let [across, down, left, top] = SCREEN;
    let even = |pixels: f64| (pixels / 2.0) as u32 * 2;
    let (width, height, x, y) = (even(w * across), even(h * down), even(w * left), even(h * top));
    let below = y + sizes.height + 6;
    // A bar of progress grows below the film, and a pointer wanders beside it.
    let speed = w / sizes.seconds.max(1.0);
    format!(
        "[0:v]pad={width}:{height}:{x}:{y}[f];[f][2:v]overlay=0:0[u];\
         color=c=red:s=8x4[bar];color=c=black:s=6x8[pointer];[u][bar]overlay=x='{x}+t*{speed}':y={below}[p];\
         [p][pointer]overlay=x='{width}*(0.8+0.1*sin(t/2))':y='{height}*(0.5+0.3*cos(t/3))',trim=duration={}[v]",
        sizes.seconds
    )
}

/// All edits, in the order of the tables.
pub const EDITS: &[Edit] = &[
    edit("h264-28", "H.264, crf 28", Encoder::H264("28"), plain),
    edit("h264-180p", "H.264, crf 35, 180 pixels high", Encoder::H264("35"), |_| "[0:v]scale=-2:180[v]".into()),
    edit("vp9", "VP9 in WebM", Encoder::Vp9, plain),
    edit("av1", "AV1", Encoder::Av1, plain),
    edit("mpeg4", "MPEG-4 part 2 in AVI", Encoder::Mpeg4, plain),
    edit("gop-1s", "a keyframe every 25 frames", Encoder::H264Group("25"), plain),
    edit("one-gop", "one keyframe", Encoder::H264Group("9999"), plain),
    edit("15-fps", "15 frames a second", DEFAULT, |_| "[0:v]fps=15[v]".into()),
    edit("trimmed", "the first 10.4 s cut off, 3.1 s of a film under 20 s", DEFAULT, |sizes| {
        let start = if sizes.seconds < 20.0 { 3.13 } else { 10.4 };
        format!("[0:v]trim=start={start},setpts=PTS-STARTPTS[v]")
    }),
    edit("faster", "1.1 times as fast", DEFAULT, |_| "[0:v]setpts=PTS/1.1,fps=25[v]".into()),
    edit("crop-2", "2% cut off every side", DEFAULT, |_| "[0:v]crop=iw*0.96:ih*0.96[v]".into()),
    edit("crop-5", "5% cut off every side", DEFAULT, |_| "[0:v]crop=iw*0.9:ih*0.9[v]".into()),
    Edit { overlay: Overlay::Caption, ..edit("caption", "a line of text over the lower part", DEFAULT, over) },
    Edit { overlay: Overlay::Logo, ..edit("logo", "a logo in a corner", DEFAULT, over) },
    edit("brighter", "25 levels brighter", DEFAULT, |_| "[0:v]format=yuv420p,lutyuv=y=val+25[v]".into()),
    edit("mirrored", "mirrored left to right", DEFAULT, |_| "[0:v]hflip[v]".into()),
    edit("turned", "turned by 1.5 degrees", DEFAULT, |_| "[0:v]rotate=1.5*PI/180[v]".into()),
    edit("letterbox", "bars above and below, a quarter higher", DEFAULT, |_| {
        "[0:v]pad=iw:ceil(ih*1.25/2)*2:0:(oh-ih)/2[v]".into()
    }),
    edit("vertical", "360x640, with bars", DEFAULT, |_| {
        "[0:v]scale=360:640:force_original_aspect_ratio=decrease,pad=360:640:(ow-iw)/2:(oh-ih)/2[v]".into()
    }),
    edit("vertical-blur", "360x640, on its own blurred picture", DEFAULT, |_| {
        "[0:v]split[a][b];[a]scale=360:640:force_original_aspect_ratio=increase,crop=360:640,boxblur=16[back];\
         [b]scale=360:640:force_original_aspect_ratio=decrease[front];\
         [back][front]overlay=(W-w)/2:(H-h)/2[v]"
            .into()
    }),
    Edit {
        overlay: Overlay::Screen,
        ..edit("screen", "a recording of a screen with windows around it", DEFAULT, screen)
    },
    edit("picture-in-picture", "another film in a corner, 30% of the sides", DEFAULT, |sizes| {
        let (width, height) = (sizes.width * 3 / 10, sizes.height * 3 / 10);
        format!("[1:v]scale={width}:{height}[in];[0:v][in]overlay=W-w-8:H-h-8,trim=duration={}[v]", sizes.seconds)
    }),
    edit("inside", "8 s of it between 10 s of another film before and after", DEFAULT, |sizes| {
        let Sizes { width, height, seconds } = sizes;
        let start = ((seconds - 8.0) / 2.0).max(0.0) + 0.37;
        let form = format!("fps=25,scale={width}:{height},setsar=1,format=yuv420p,setpts=PTS-STARTPTS");
        format!(
            "[1:v]split[x][y];[x]trim=0:10,{form}[before];[y]trim=3:13,{form}[after];\
             [0:v]trim={start}:{},{form}[part];[before][part][after]concat=n=3[v]",
            start + 8.0
        )
    }),
    Edit {
        twice: true,
        ..edit(
            "re-shared",
            "1% cut off, 360 pixels high, crf 33, 24 frames a second; twice",
            Encoder::H264("33"),
            |_| "[0:v]crop=iw*0.98:ih*0.98,scale=-2:360,fps=24[v]".into(),
        )
    },
];
