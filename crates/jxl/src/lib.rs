//! Decodes the first frame of a JPEG XL file (ISO/IEC 18181), within bounds of time and memory. The decoder is the crate
//! jxl, libjxl's own in Rust, built without vectors, so that native builds and wasm compute the same bits.
//!
//! What is decoded is the picture that viewers show first: the first visible frame, with the frames that it is composed
//! of, never the preview, which whoever makes the file chooses freely. It is given as it is stored: the orientation in
//! the header isn't applied. Gain maps, depth maps and other extra channels beside alpha are left out.

use jxl::api::{
    AlphaMode, Event, ExtraChannel, JxlBasicInfo, JxlColorEncoding, JxlColorProfile, JxlColorType, JxlDataFormat,
    JxlDecoder, JxlDecoderOptions, JxlOutputBuffer, JxlParallelRunner, JxlParallelRunnerFun, JxlPixelFormat,
    JxlTransferFunction, JxlWhitePoint,
};

pub use hashgate_decoder::{Error, Header, Limits, Sink};
use hashgate_decoder::{STRIP, at_most};

/// The decoder computes in steps of a group of pixels: at least 128 x 128, unless the frame is smaller. A frame takes a
/// step or two per group. A picture may be composed of several frames, and of frames that are larger than it. So this
/// many steps are granted per 128 x 128 pixels of the picture.
const STEPS_PER_GROUP: usize = 8;
/// Steps that every picture is granted: small frames may hold parts that repeat.
const MIN_STEPS: usize = 256;
/// Pixels of a frame that every picture is granted.
const MIN_FRAME_PIXELS: usize = 1 << 20;
/// Bytes of the numbers that a channel of a pixel is decoded to.
const SAMPLE: u64 = 4;

const CUT: Error = Error::Unreadable("the file ends before its picture does");
const BROKEN: Error = Error::Unreadable("the codestream is broken");

/// Decodes the first frame of a JPEG XL file, which is a codestream alone or one in a container.
///
/// # Errors
/// The file can't be read, or is larger than the limits. Rows that were handed over before are then not the whole
/// picture.
pub fn decode(file: &[u8], limits: &Limits, sink: &mut dyn Sink) -> Result<(), Error> {
    let has_sequence = has_sequence(file);
    let (mut decoder, mut input) = (JxlDecoder::new(options(None)), file);
    let info = read_header(&mut decoder, &mut input)?;
    let (width, height) = info.size;
    at_most("width in pixels", width as u64, limits.max_width.into())?;
    at_most("height in pixels", height as u64, limits.max_height.into())?;
    let pixels = width as u64 * height as u64;
    at_most("number of pixels", pixels, limits.max_pixels)?;
    let channels = 3 + info.extra_channels.len();
    at_most("bytes of memory to decode it", pixels * (4 + SAMPLE * channels as u64), limits.max_alloc)?;

    // Now the size is known, frames of other sizes can be refused before they take memory.
    let samples = MIN_FRAME_PIXELS.max(4 * width * height).saturating_mul(channels);
    (decoder, input) = (JxlDecoder::new(options(Some(samples.saturating_add(1)))), file);
    read_header(&mut decoder, &mut input)?;
    let embedded = decoder.embedded_color_profile().ok_or(BROKEN)?;
    if embedded.is_cmyk() {
        return Err(Error::Unsupported("CMYK pictures"));
    }
    if matches!(embedded, JxlColorProfile::Simple(JxlColorEncoding::XYB { .. })) && info.uses_original_profile {
        return Err(Error::Unsupported("these colours"));
    }
    let has_alpha = info.extra_channels.iter().any(|channel| channel.ec_type == ExtraChannel::Alpha);
    let color_type = match (embedded.channels(), has_alpha) {
        (1, false) => JxlColorType::Grayscale,
        (1, true) => JxlColorType::GrayscaleAlpha,
        (_, false) => JxlColorType::Rgb,
        (_, true) => JxlColorType::Rgba,
    };
    let pixel = color_type.samples_per_pixel();
    let format = JxlPixelFormat {
        color_type,
        color_data_format: Some(JxlDataFormat::U8 { bit_depth: 8 }),
        extra_channel_format: vec![None; info.extra_channels.len()],
    };
    decoder.set_pixel_format(format).map_err(|error| refused(&error, limits))?;
    let profile = decoder.output_color_profile().filter(|profile| !is_srgb(profile));
    let profile = profile.and_then(JxlColorProfile::try_as_icc);
    let header = Header {
        width: width as u32,
        height: height as u32,
        channels: pixel as u32,
        profile: profile.as_ref().map(|icc| icc.as_slice()),
        has_sequence,
    };
    if !sink.begin(&header) {
        return Ok(());
    }

    let mut samples = Vec::new();
    let memory = pixel * width * height;
    samples.try_reserve_exact(memory).map_err(|_| no_memory(limits))?;
    samples.resize(memory, 0);
    let groups = width.div_ceil(128) * height.div_ceil(128);
    let mut steps = Steps { left: MIN_STEPS + STEPS_PER_GROUP * groups };
    loop {
        let mut buffers = [JxlOutputBuffer::new(&mut samples, height, pixel * width)];
        match decoder.process(&mut input, Some(&mut buffers), Some(&mut steps)) {
            Ok(Event::FrameComplete { .. }) => break,
            Ok(Event::BasicInfo | Event::FrameHeader) => {}
            Ok(Event::NeedMoreInput { .. }) => return Err(CUT),
            Ok(Event::Complete) => return Err(Error::Unreadable("it has no frame")),
            Err(_) if steps.left == 0 => return Err(FAR_MORE),
            Err(error) => return Err(refused(&error, limits)),
        }
    }
    samples.chunks(STRIP * pixel * width).for_each(|strip| sink.rows(strip));
    Ok(())
}

const FAR_MORE: Error = Error::Unreadable("far more pixels are coded than are shown");

fn options(sample_limit: Option<usize>) -> JxlDecoderOptions {
    let mut options = JxlDecoderOptions::default();
    options.adjust_orientation = false;
    options.alpha_mode = AlphaMode::Unpremultiplied;
    options.sample_limit = sample_limit;
    options
}

/// Reads up to the first frame.
fn read_header(decoder: &mut JxlDecoder, input: &mut &[u8]) -> Result<JxlBasicInfo, Error> {
    match decoder.process(input, None, None) {
        Ok(Event::BasicInfo) => decoder.basic_info().cloned().ok_or(BROKEN),
        Ok(Event::NeedMoreInput { .. }) => Err(Error::Unsupported("files without a whole header")),
        Ok(_) => Err(BROKEN),
        Err(error) => Err(category(&error)),
    }
}

/// Returns whether a file has more than one visible frame. If that can't be told, returns true for an animation.
fn has_sequence(file: &[u8]) -> bool {
    let mut options = options(None);
    options.scan_frames_only = true;
    let (mut decoder, mut input) = (JxlDecoder::new(options), file);
    loop {
        match decoder.process(&mut input, None, None) {
            Ok(Event::BasicInfo) if decoder.basic_info().is_some_and(|info| info.animation.is_none()) => return false,
            Ok(Event::Complete) => return decoder.scanned_frames().len() > 1,
            Ok(Event::NeedMoreInput { .. }) | Err(_) => return true,
            Ok(_) if decoder.scanned_frames().len() > 1 => return true,
            Ok(_) => {}
        }
    }
}

fn is_srgb(profile: &JxlColorProfile) -> bool {
    match profile {
        JxlColorProfile::Simple(JxlColorEncoding::GrayscaleColorSpace { white_point, transfer_function, .. }) => {
            *white_point == JxlWhitePoint::D65 && *transfer_function == JxlTransferFunction::SRGB
        }
        _ => profile.same_color_encoding(&JxlColorProfile::Simple(JxlColorEncoding::srgb(false))),
    }
}

fn no_memory(limits: &Limits) -> Error {
    let (limit, got) = (limits.max_alloc, limits.max_alloc.saturating_add(1));
    Error::TooLarge { field: "bytes of memory to decode it", limit, got }
}

/// Returns why a frame could not be decoded.
fn refused(error: &jxl::error::Error, limits: &Limits) -> Error {
    match error {
        jxl::error::Error::OutOfMemory(_) | jxl::error::Error::ImageOutOfMemory(..) => no_memory(limits),
        _ => category(error),
    }
}

fn category(error: &jxl::error::Error) -> Error {
    match error {
        jxl::error::Error::ImageSizeTooLarge(..) => FAR_MORE,
        jxl::error::Error::UnexpectedCodestreamBoxEnd | jxl::error::Error::OutOfBounds(_) => CUT,
        _ => BROKEN,
    }
}

/// Runs the steps of the decoder one after another, and no more than are left.
struct Steps {
    left: usize,
}

impl JxlParallelRunner for Steps {
    fn run(&mut self, num: usize, fun: &JxlParallelRunnerFun<'_>) -> jxl::error::Result<()> {
        for step in 0..num {
            self.left = self.left.saturating_sub(1);
            if self.left == 0 {
                return Err(jxl::error::Error::InvalidBox);
            }
            fun(step)?;
        }
        Ok(())
    }

    fn num_threads(&self) -> usize {
        1
    }

    fn run_ordered(
        &mut self,
        num: usize,
        _max_threads: Option<usize>,
        fun: &JxlParallelRunnerFun<'_>,
    ) -> jxl::error::Result<()> {
        self.run(num, fun)
    }
}
