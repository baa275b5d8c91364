//! Colour profiles: whether a profile changes the picture that is shown, and how it converts the stored colours.
//!
//! The pixels that are hashed are the stored ones. Browsers convert them by the embedded profile first, so a profile
//! can show a picture that the stored pixels don't. A profile near a common RGB or grey space changes next to nothing
//! and is ignored. Of the other profiles, this module applies those that consist of curves and a matrix; profiles with
//! tables of several dimensions need a second reading by the browser.
//!
//! The layout is that of ICC.1:2022: a header of 128 bytes, a table of tags, and the tags' data.

use super::caveat::NotOrdinary;
use super::error::{IntakeError, needs_every_format};
use super::format::Format;

/// Largest number of bytes of a profile that is read. Profiles of curves and a matrix have a few kilobytes.
pub(super) const MAX_LENGTH: usize = 1 << 20;

/// The effect of a profile on the colours of its picture.
pub(super) enum Profile {
    /// The profile changes next to nothing: viewers show the stored colours.
    Usual,
    /// Converts them as given.
    Converts(Box<Conversion>),
    /// The profile's effect is unknown: applying the profile takes full colour management.
    Unknown,
}

impl Profile {
    /// Reads an ICC profile.
    pub(super) fn of(icc: &[u8]) -> Self {
        Self::parse(icc).unwrap_or(Self::Unknown)
    }

    fn parse(icc: &[u8]) -> Option<Self> {
        let space = icc.get(16..20)?;
        // Device links, abstract profiles and named-colour profiles don't describe the colours of a picture (ICC.1,
        // 7.2.5).
        let class_converts = !matches!(icc.get(12..16)?, b"link" | b"abst" | b"nmcl");
        if icc.len() > MAX_LENGTH || icc.get(36..40)? != b"acsp" || !class_converts || icc.get(20..24)? != b"XYZ " {
            return None;
        }
        // A profile may have both a table of several dimensions and curves with a matrix. The table then counts (ICC.1,
        // 8.10), and this module can't apply it.
        if (0..3).any(|n| tag(icc, &[b'A', b'2', b'B', b'0' + n]).is_some()) || tag(icc, b"D2B0").is_some() {
            return None;
        }
        if space == b"GRAY" {
            let curve = curve(tag(icc, b"kTRC")?)?;
            return Some(Self::with([curve, curve, curve], IDENTITY));
        }
        if space != b"RGB " {
            return None;
        }
        let curves = [curve(tag(icc, b"rTRC")?)?, curve(tag(icc, b"gTRC")?)?, curve(tag(icc, b"bTRC")?)?];
        let columns = [xyz(tag(icc, b"rXYZ")?)?, xyz(tag(icc, b"gXYZ")?)?, xyz(tag(icc, b"bXYZ")?)?];
        let mut matrix = [[0.0; 3]; 3];
        for (row, weights) in matrix.iter_mut().zip(&XYZ_TO_SRGB) {
            for (value, column) in row.iter_mut().zip(&columns) {
                *value = weights.iter().zip(column).map(|(weight, part)| weight * part).sum();
            }
        }
        Some(Self::with(curves, matrix))
    }

    /// Makes a profile with one gamma for all channels: linear light is the stored value (0 to 1) to the power of
    /// `exponent`.
    pub(super) fn of_gamma(exponent: f32) -> Self {
        let curve = std::array::from_fn(|at| (at as f32 / 255.0).powf(exponent));
        Self::with([curve, curve, curve], IDENTITY)
    }

    fn with(curves: [Curve; 3], matrix: [[f32; 3]; 3]) -> Self {
        if curves.iter().all(is_usual_curve) && is_usual_matrix(&matrix) {
            Self::Usual
        } else {
            Self::Converts(Box::new(Conversion { curves, matrix }))
        }
    }

    /// Splits the profile into the conversion to apply (if any), and the reason why the file isn't ordinary (if it
    /// isn't).
    ///
    /// # Errors
    /// `NeedsFormatsEngine` if there is a conversion, in a build without the feature `every-format`.
    pub(super) fn split(self, format: Format) -> Result<(Option<Box<Conversion>>, Option<NotOrdinary>), IntakeError> {
        match self {
            Self::Usual => Ok((None, None)),
            Self::Converts(conversion) => {
                needs_every_format(format)?;
                Ok((Some(conversion), Some(NotOrdinary::ColourProfile { applied: true })))
            }
            Self::Unknown => Ok((None, Some(NotOrdinary::ColourProfile { applied: false }))),
        }
    }
}

/// For each stored value, its linear light from 0 to 1.
type Curve = [f32; 256];

const IDENTITY: [[f32; 3]; 3] = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];

/// Converts XYZ under illuminant D50, in which profiles describe colours, to linear sRGB. It is the inverse of the sRGB
/// profile's matrix.
const XYZ_TO_SRGB: [[f32; 3]; 3] =
    [[3.134_136, -1.617_386, -0.490_662], [-0.978_796, 1.916_254, 0.033_443], [0.071_955, -0.228_977, 1.405_386]];

/// A conversion of stored colours to sRGB.
#[derive(Clone)]
pub(super) struct Conversion {
    curves: [Curve; 3],
    /// Converts the profile's linear colours to those of sRGB.
    matrix: [[f32; 3]; 3],
}

impl Conversion {
    /// Returns the sRGB colour that a viewer shows for a stored colour.
    pub(super) fn convert(&self, stored: [u8; 3]) -> [u8; 3] {
        let linear: [f32; 3] = std::array::from_fn(|i| self.curves[i][usize::from(stored[i])]);
        self.matrix.map(|row| {
            let value = row[0] * linear[0] + row[1] * linear[1] + row[2] * linear[2];
            (encoded(value) * 255.0 + 0.5) as u8
        })
    }
}

/// Returns the value that sRGB stores for linear light (IEC 61966-2-1), clipped to 0 to 1.
fn encoded(linear: f32) -> f32 {
    let linear = linear.clamp(0.0, 1.0);
    if linear <= 0.003_130_8 { 12.92 * linear } else { 1.055 * linear.powf(1.0 / 2.4) - 0.055 }
}

/// Returns whether a curve is near the curve of sRGB, or near a gamma between 1.6 and 2.6, where the curves of Rec.
/// 709, Adobe RGB, Apple and dot gains lie.
fn is_usual_curve(curve: &Curve) -> bool {
    /// Largest difference that counts as near, as a share of the full range: five of 255 levels.
    const TOLERANCE: f32 = 0.02;
    let is_near = |usual: &dyn Fn(f32) -> f32| {
        let differs = |at: usize| (encoded(curve[at]) - usual(at as f32 / 255.0)).abs() > TOLERANCE;
        // Near black, curves with a straight part differ from every gamma, but nobody sees the difference.
        !(24..256).any(differs) && curve[..24].iter().all(|&value| encoded(value) < 0.2)
    };
    is_near(&|stored| stored) || (16..=26).any(|tenths| is_near(&|stored| encoded(stored.powf(tenths as f32 / 10.0))))
}

/// Returns whether a matrix is near that of sRGB, Display P3, Adobe RGB or a monitor: each channel depends mainly on
/// itself, and white stays white.
fn is_usual_matrix(matrix: &[[f32; 3]; 3]) -> bool {
    (0..3).all(|i| {
        let row = matrix[i];
        let sum: f32 = row.iter().sum();
        let off_diagonal = (0..3).filter(|&j| j != i).all(|j| (-0.42..=0.12).contains(&row[j]));
        (0.85..=1.45).contains(&row[i]) && off_diagonal && (sum - 1.0).abs() < 0.06
    })
}

fn long(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn short(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// Reads a fixed-point number with 16 bits after the point (ICC.1, s15Fixed16Number).
fn fixed(bytes: &[u8], at: usize) -> Option<f32> {
    Some(long(bytes, at)?.cast_signed() as f32 / 65_536.0)
}

/// Returns the data of a tag (ICC.1, 7.3); `None` if the profile lacks it. Profiles have about ten tags; only the first
/// hundred are searched.
fn tag<'a>(icc: &'a [u8], name: &[u8; 4]) -> Option<&'a [u8]> {
    let count = long(icc, 128)?.min(100) as usize;
    let entries = icc.get(132..)?.as_chunks::<12>().0;
    let entry = entries.iter().take(count).find(|entry| entry.starts_with(name))?;
    let (offset, length) = (long(entry, 4)? as usize, long(entry, 8)? as usize);
    icc.get(offset..offset.checked_add(length)?)
}

/// Reads a colour as XYZ (ICC.1, 10.31).
fn xyz(data: &[u8]) -> Option<[f32; 3]> {
    let data = data.strip_prefix(b"XYZ ")?;
    Some([fixed(data, 4)?, fixed(data, 8)?, fixed(data, 12)?])
}

/// Reads a curve, which is a table (ICC.1, 10.6) or a formula (10.18).
fn curve(data: &[u8]) -> Option<Curve> {
    if let Some(data) = data.strip_prefix(b"curv") {
        let count = long(data, 4)? as usize;
        let table = data.get(8..)?;
        if count < 2 {
            let exponent = if count == 0 { 1.0 } else { f32::from(short(table, 0)?) / 256.0 };
            return Some(std::array::from_fn(|at| (at as f32 / 255.0).powf(exponent)));
        }
        let table = table.get(..count.checked_mul(2)?)?.as_chunks::<2>().0;
        let value = |at: usize| f32::from(u16::from_be_bytes(table[at])) / 65_535.0;
        return Some(std::array::from_fn(|at| {
            let place = at as f32 / 255.0 * (count - 1) as f32;
            let low = (place as usize).min(count - 2);
            let share = place - low as f32;
            value(low) * (1.0 - share) + value(low + 1) * share
        }));
    }
    let data = data.strip_prefix(b"para")?;
    let kind = short(data, 4)?;
    let number = |i: usize| fixed(data, 8 + 4 * i);
    let count = [1, 3, 4, 5, 7].get(usize::from(kind))?;
    let mut numbers = [0.0; 7];
    for (i, value) in numbers.iter_mut().enumerate().take(*count) {
        *value = number(i)?;
    }
    let [gamma, a, b, c, d, e, f] = numbers;
    // From `from` on, the curve is a power plus `after`. Below `from`, it is a straight line.
    let (a, b, from, slope, after, below) = match kind {
        0 => (1.0, 0.0, 0.0, 0.0, 0.0, 0.0),
        1 => (a, b, -b / a, 0.0, 0.0, 0.0),
        2 => (a, b, -b / a, 0.0, c, c),
        3 => (a, b, d, c, 0.0, 0.0),
        _ => (a, b, d, c, e, f),
    };
    let formula = |x: f32| if x >= from { (a * x + b).max(0.0).powf(gamma) + after } else { slope * x + below };
    let curve: Curve = std::array::from_fn(|at| formula(at as f32 / 255.0).clamp(0.0, 1.0));
    // Rejects curves whose numbers divide by zero or overflow.
    curve.iter().all(|value| value.is_finite()).then_some(curve)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Makes a profile of curves and a matrix: a gamma, and the XYZ values of red, green and blue.
    fn profile(columns: [[f32; 3]; 3], gamma: f32) -> Vec<u8> {
        let number = |value: f32| ((value * 65_536.0).round() as i32).to_be_bytes();
        let mut tags: Vec<(&[u8; 4], Vec<u8>)> = Vec::new();
        for (name, column) in [b"rXYZ", b"gXYZ", b"bXYZ"].into_iter().zip(columns) {
            tags.push((name, [b"XYZ \0\0\0\0".as_slice(), column.map(number).as_flattened()].concat()));
        }
        for name in [b"rTRC", b"gTRC", b"bTRC"] {
            tags.push((name, [b"para\0\0\0\0\0\0\0\0".as_slice(), &number(gamma)].concat()));
        }
        let mut icc = vec![0; 132 + 12 * tags.len()];
        icc[12..24].copy_from_slice(b"mntrRGB XYZ ");
        icc[36..40].copy_from_slice(b"acsp");
        icc[128..132].copy_from_slice(&(tags.len() as u32).to_be_bytes());
        for (at, (name, data)) in tags.iter().enumerate() {
            let entry =
                [name.as_slice(), &(icc.len() as u32).to_be_bytes(), &(data.len() as u32).to_be_bytes()].concat();
            icc[132 + 12 * at..144 + 12 * at].copy_from_slice(&entry);
            icc.extend(data);
        }
        icc
    }

    // XYZ values under D50, copied from profiles in common use.
    const SRGB: [[f32; 3]; 3] = [[0.4361, 0.2225, 0.0139], [0.3851, 0.7169, 0.0971], [0.1431, 0.0606, 0.7141]];
    const P3: [[f32; 3]; 3] = [[0.5151, 0.2412, -0.0011], [0.2920, 0.6922, 0.0419], [0.1571, 0.0666, 0.7841]];
    const ADOBE: [[f32; 3]; 3] = [[0.6097, 0.3111, 0.0195], [0.2053, 0.6257, 0.0609], [0.1492, 0.0632, 0.7446]];
    const PROPHOTO: [[f32; 3]; 3] = [[0.7977, 0.2880, 0.0], [0.1352, 0.7119, 0.0], [0.0313, 0.0001, 0.8249]];

    #[test]
    fn common_spaces_change_nothing() {
        for (name, columns, gamma) in [
            ("sRGB", SRGB, 2.2),
            ("Display P3", P3, 2.2),
            ("Adobe RGB", ADOBE, 2.2),
            ("Apple's gamma", SRGB, 1.8),
            ("a darker monitor", P3, 2.4),
        ] {
            assert!(matches!(Profile::of(&profile(columns, gamma)), Profile::Usual), "{name}");
        }
        assert!(matches!(Profile::of_gamma(2.2), Profile::Usual));
    }

    #[test]
    fn the_curve_of_srgb_is_usual_as_a_formula_and_as_a_table() {
        let number = |value: f32| ((value * 65_536.0).round() as i32).to_be_bytes();
        let numbers = [2.4, 1.0 / 1.055, 0.055 / 1.055, 1.0 / 12.92, 0.04045].map(number);
        let formula = curve(&[b"para\0\0\0\0\0\x03\0\0".as_slice(), numbers.as_flattened()].concat()).unwrap();
        assert!(is_usual_curve(&formula));
        let values: Vec<u8> = formula.iter().flat_map(|value| ((value * 65_535.0) as u16).to_be_bytes()).collect();
        let table = curve(&[b"curv\0\0\0\0\0\0\x01\0".as_slice(), &values].concat()).unwrap();
        assert!(is_usual_curve(&table));
        assert!(formula.iter().zip(table).all(|(a, b)| (a - b).abs() < 1e-4));
    }

    #[test]
    fn other_profiles_are_applied() {
        let conversion = |icc: &[u8]| match Profile::of(icc) {
            Profile::Converts(conversion) => conversion,
            Profile::Usual => panic!("usual"),
            Profile::Unknown => panic!("unknown"),
        };
        // In this profile only the blue channel gives light, and its light is white.
        let white = [0.9642, 1.0, 0.8249];
        let blue = conversion(&profile([[0.0; 3], [0.0; 3], white], 2.2));
        assert_eq!(blue.convert([200, 100, 0]), [0, 0, 0]);
        let [red, green, shown] = blue.convert([0, 30, 128]);
        assert!(red.abs_diff(128) < 4 && green.abs_diff(128) < 4 && shown.abs_diff(128) < 4, "{red} {green} {shown}");
        // Linear light looks lighter.
        let linear = conversion(&profile(SRGB, 1.0));
        assert!(linear.convert([128; 3]).iter().all(|value| value.abs_diff(188) < 2));
        let wide = conversion(&profile(PROPHOTO, 1.8));
        assert_eq!(wide.convert([255; 3]), [255; 3]);
        assert_eq!(wide.convert([0; 3]), [0; 3]);
    }

    #[test]
    fn what_cannot_be_told_is_unknown() {
        let sound = profile(SRGB, 2.2);
        let mut table = sound.clone();
        table[132..136].copy_from_slice(b"A2B0");
        let mut cmyk = sound.clone();
        cmyk[16..20].copy_from_slice(b"CMYK");
        let cut = &sound[..sound.len() - 1];
        for icc in [&table, &cmyk, cut, b"", &[0; 200], &[0xff; 200]] {
            assert!(matches!(Profile::of(icc), Profile::Unknown), "{:02x?}", &icc[..icc.len().min(24)]);
        }
        for at in 0..sound.len() {
            for value in [0, 1, 0x7f, 0xff] {
                let mut broken = sound.clone();
                broken[at] = value;
                if let Profile::Converts(conversion) = Profile::of(&broken) {
                    let _ = conversion.convert([255, 128, 0]);
                }
            }
        }
    }
}
