//! The DC-only decoder: the luma of 8x8 blocks, which is all that PDQ needs of a large picture.
//!
//! A JPEG stores the mean of every block of Y as its DC coefficient, and JFIF's Y is PDQ's luma. So AC coefficients are
//! skipped, and of a progressive file only the scans of DC coefficients are read, down to the last bit but one
//! where that is near enough. Chroma counts where colours are so strong that RGB clips them. Written from ITU T.81.
//!
//! Every file that is out of the ordinary is [`Outside`](super::part::Outside), and a decoder that reads all pixels
//! decides what it is: other coding processes, other colours, and everything that is damaged or merely odd.

mod bits;
mod clipping;
mod huffman;
mod plane;
mod reader;
mod scan;

pub(super) use huffman::Code;
pub(super) use reader::{Reader, is_sound};
