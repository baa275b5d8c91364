//! Picture level decoding: parameter set selection, slice dispatch, filters.

mod ctu;
mod geom;
mod mode;
mod recon;
mod refs;
mod residual;
mod residual_ctx;
mod residual_levels;
mod sao_syn;
mod sets;
mod slice_data;
mod state;
mod tu;

pub use geom::Geometry;
pub use sets::ParameterSets;

use crate::hevc::error::{Error, Result};
use crate::hevc::filter::{CtbFilter, FilterInfo, deblock, sao};
use crate::hevc::frame::Frame;
use crate::hevc::nal::{NalHeader, Rbsp};
use crate::hevc::picture::Picture;
use crate::hevc::ps::scaling;
use crate::hevc::slice::{SliceHeader, parse as parse_slice_header};

/// Which parts of a picture are decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// Luma, chroma, and the loop filters: the picture as the standard defines it.
    Full,
    /// Luma and chroma without loop filters, unless the picture is coarsely quantised.
    Unfiltered,
    /// Luma alone, without loop filters unless the picture is coarsely quantised. Luma is predicted from luma before
    /// the filters, so leaving out chroma changes no luma sample, and leaving out filters doesn't add up.
    Luma,
}

/// Slice QP above which loop filters are applied whatever is wanted. Coarse quantisation leaves edges between blocks,
/// which the filters take away; and such a picture has few coefficients, so there is time for them.
const COARSE_QP: i32 = 37;

/// Decodes one still picture of at most `max_pixels` from its parameter sets and slice NAL units.
pub fn decode(sets: &ParameterSets, slices: &[&[u8]], detail: Detail, max_pixels: u64) -> Result<Frame> {
    if slices.is_empty() {
        return Err(Error::NoSlices);
    }
    let mut parsed: Vec<(NalHeader, Rbsp)> = Vec::with_capacity(slices.len());
    for nal in slices {
        let h = NalHeader::parse(nal)?;
        if !h.is_vcl() || h.layer_id != 0 {
            continue;
        }
        if !h.is_irap() {
            return Err(Error::Unsupported("non-IRAP picture (inter prediction)"));
        }
        parsed.push((h, Rbsp::from_nal(nal)?));
    }
    let first = parsed.first().ok_or(Error::NoSlices)?;
    let probe_pps = {
        let r = &mut crate::hevc::bits::BitReader::new(&first.1.data);
        r.u1()?;
        if first.0.is_irap() {
            r.u1()?;
        }
        r.ue()?
    };
    let pps = sets.pps(probe_pps)?;
    let sps = sets.sps(pps.sps_id)?;
    if sps.implicit_rdpcm {
        return Err(Error::Unsupported("implicit_rdpcm_enabled_flag"));
    }
    if sps.width as u64 * sps.height as u64 > max_pixels {
        return Err(Error::TooLarge);
    }
    let geo = Geometry::new(sps, pps)?;
    let (sub_w, sub_h) = if detail == Detail::Luma { (0, 0) } else { (sps.sub_w, sps.sub_h) };
    let mut pic = Picture::new(sps.width, sps.height, sub_w, sub_h)?;
    let mut coarse = false;
    let factors = scaling_factors(sps, pps);
    let mut fi = FilterInfo {
        bit_depth_y: sps.bit_depth_y,
        bit_depth_c: sps.bit_depth_c,
        chroma_array_type: if sub_w == 0 { 0 } else { sps.chroma_array_type },
        sub_w,
        sub_h,
        ctb_log2: sps.log2_ctb,
        pic_w_ctbs: geo.w_ctbs,
        pic_h_ctbs: geo.h_ctbs,
        pcm_loop_filter_disabled: sps.pcm_loop_filter_disabled,
        across_tiles: pps.across_tiles,
        sao_enabled: false,
        ctb: vec![CtbFilter::default(); geo.size_ctbs],
        tile_id: geo.tile_id.clone(),
        slice_addr: vec![u32::MAX; geo.size_ctbs],
    };
    let mut prev: Option<SliceHeader> = None;
    for (nh, rbsp) in &parsed {
        let h = parse_slice_header(nh, &rbsp.data, sps, pps, prev.as_ref())?;
        if h.pps_id != pps.id {
            return Err(Error::Unsupported("a picture using more than one PPS"));
        }
        fi.sao_enabled |= h.sao_luma || h.sao_chroma;
        coarse |= h.qp > COARSE_QP;
        let hh = h.clone();
        slice_data::decode_slice(sps, pps, &geo, factors.as_deref(), &mut pic, &mut fi, h, rbsp)?;
        prev = Some(hh);
    }
    if fi.slice_addr.contains(&u32::MAX) {
        return Err(Error::InvalidData("picture is not fully covered by slices"));
    }
    if detail == Detail::Full || coarse {
        deblock(&mut pic, &fi);
        sao(&mut pic, &fi);
    }
    Ok(Frame::new(pic, sps))
}

/// Derives the scaling factors in force for the picture, if any.
fn scaling_factors(sps: &crate::hevc::ps::Sps, pps: &crate::hevc::ps::Pps) -> Option<Box<scaling::ScalingFactors>> {
    if !sps.scaling_list_enabled {
        return None;
    }
    let data = match (&pps.scaling, &sps.scaling) {
        (Some(d), _) => d.clone(),
        (None, Some(d)) => d.clone(),
        (None, None) => scaling::ScalingListData::default(),
    };
    Some(scaling::derive(&data, sps.chroma_array_type))
}
