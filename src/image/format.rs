//! The picture formats that hashgate knows by name.

use serde::{Deserialize, Serialize};

/// A picture format. The content decides which one a file has, never its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub enum Format {
    /// JPEG (ITU T.81).
    Jpeg,
    /// PNG, animated or not.
    Png,
    /// GIF.
    Gif,
    /// WebP.
    Webp,
    /// Windows bitmap.
    Bmp,
    /// Windows icon or cursor: a folder of small BMP and PNG pictures.
    Ico,
    /// SVG. Only the raster pictures that it embeds are read; the drawing itself is not.
    Svg,
    /// TIFF; only native builds read it (feature `tiff`).
    Tiff,
    /// AVIF; only browsers read it.
    Avif,
    /// HEIC and other HEIF; read by a decoder of its own (feature `heic` in native builds), or by browsers.
    Heic,
    /// JPEG XL; read by a decoder of its own (feature `jxl` in native builds), or by browsers.
    Jxl,
}

impl std::fmt::Display for Format {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Jpeg => "JPEG",
            Self::Png => "PNG",
            Self::Gif => "GIF",
            Self::Webp => "WebP",
            Self::Bmp => "BMP",
            Self::Ico => "ICO",
            Self::Svg => "SVG",
            Self::Tiff => "TIFF",
            Self::Avif => "AVIF",
            Self::Heic => "HEIC",
            Self::Jxl => "JPEG XL",
        })
    }
}
