//! The low-terms decoder: the lowest terms of the luma of 8x8 blocks, which are all that PDQ needs of a large picture.
//!
//! A JPEG stores the mean of every block of Y as its DC coefficient, and JFIF's Y is PDQ's luma. Where the picture
//! isn't very large, the five lowest AC coefficients count, too. The decoder skips the others. Of a progressive file it
//! reads only the scans of DC coefficients, and even their last bit only if the quantization is coarse, and the first
//! scans of AC coefficients. Chroma is needed where colours are so strong that the conversion to RGB clips them.
//! Written from ITU T.81.
//!
//! The decoder gives up on every unusual file, with the error [`Outside`](super::part::Outside): on other coding
//! processes and colour models, and on files that are damaged or merely odd. A decoder that reads all pixels then reads
//! the file.

mod bits;
mod clipping;
mod huffman;
mod low;
mod plane;
mod reader;
mod scan;

pub(super) use huffman::Code;
pub(super) use reader::{Reader, is_sound};
