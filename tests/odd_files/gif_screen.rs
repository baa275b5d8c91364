//! GIFs whose first frame and screen have different sizes. Chromium and Firefox show different parts of them.

use super::{SIDE, blotches, gif, image, is_odd, picture, surfaces_like};
use hashgate::image::{Caveat, Surface};

/// Makes a GIF image block that lies at (`x`, `y`) of the screen.
fn image_at(x: u16, y: u16, number: u32) -> Vec<u8> {
    let mut block = image(SIDE as u16, &blotches(number));
    block[1..3].copy_from_slice(&x.to_le_bytes());
    block[3..5].copy_from_slice(&y.to_le_bytes());
    block
}

#[test]
fn a_first_frame_outside_the_screen_is_read_as_every_browser_reads_it() {
    let side = SIDE as u16;
    let file = gif(side, &[image_at(side + 9, 5, 2), image_at(0, 0, 1), b";".to_vec()]);
    // Firefox keeps the screen as it is, so it shows only the second frame there.
    assert!(surfaces_like(&file, 1).contains(&Surface::Plain));
    let read = picture(&file);
    // Chromium enlarges the screen.
    assert_eq!((read.width, read.height), (2 * SIDE + 9, SIDE + 5));
    assert!(is_odd(&read));
    assert_eq!(read.caveats, [Caveat::Malformed], "no second reading takes the caveat away");
}

#[test]
fn a_larger_first_frame_is_also_the_whole_screen() {
    let file = gif(16, &[image_at(40, 40, 1), b";".to_vec()]);
    assert!(surfaces_like(&file, 1).contains(&Surface::Plain));
}

#[test]
fn the_first_frame_of_an_old_gif_is_also_the_whole_screen() {
    let mut file = gif(5 * SIDE as u16, &[image_at(100, 150, 1), b";".to_vec()]);
    assert!(surfaces_like(&file, 1).is_empty());
    assert!(!is_odd(&picture(&file)));
    file[4] = b'7';
    assert!(surfaces_like(&file, 1).contains(&Surface::Plain));
    assert!(is_odd(&picture(&file)));
    let mut ordinary = gif(SIDE as u16, &[image_at(0, 0, 1), b";".to_vec()]);
    ordinary[4] = b'7';
    assert!(!is_odd(&picture(&ordinary)));
}
