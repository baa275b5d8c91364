//! Prints the index of a film as JSON lines: first what the film is, then each sample of each video track.
//!
//! `cargo run -p hashgate-film --example film-index -- film.mp4`

use std::fs::File;

use hashgate_film::Film;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).ok_or("expected the path of a film")?;
    let file = File::open(path)?;
    let size = file.metadata()?.len();
    let mut film = Film::open(file, size)?;
    let info = film.info();
    println!("{}", serde_json::to_string(&info)?);
    for track in 0..info.tracks.len() {
        println!("{:?} {:?}", film.description(track).map(<[u8]>::len), film.prefix(track));
        let keys = film.keyframes(track, 0, usize::MAX)?;
        println!("{}", serde_json::to_string(&keys.iter().map(|key| key.index).collect::<Vec<_>>())?);
        let mut from = 0;
        loop {
            let samples = film.samples(track, from, 100)?;
            let Some(last) = samples.last() else { break };
            from = last.index + 1;
            for it in samples {
                println!("{track} {} {} {} {} {} {}", it.index, it.offset, it.size, it.pts_s, it.duration_s, it.key);
            }
        }
    }
    Ok(())
}
