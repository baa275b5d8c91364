//! Writes the hostile files of the tests to a folder: `cargo run -p hashgate-testkit --bin make-hostile DIR`.

use hashgate_testkit::hostile;

fn main() -> std::io::Result<()> {
    let Some(folder) = std::env::args_os().nth(1) else {
        eprintln!("usage: make-hostile DIR");
        std::process::exit(2);
    };
    std::fs::create_dir_all(&folder)?;
    let files = hostile::files();
    for file in &files {
        std::fs::write(std::path::Path::new(&folder).join(&file.name), &file.bytes)?;
        println!("{:?} {}", file.expect, file.name);
    }
    Ok(())
}
