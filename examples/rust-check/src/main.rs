use hashgate::{Filter, Limits, Orientations, ViewSet, check};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let paths: Vec<_> = std::env::args_os().skip(1).collect();
    let [filter, picture] = &paths[..] else { return Err("usage: rust-check FILTER PICTURE".into()) };
    let filters = [Filter::open(std::fs::read(filter)?)?];
    let verdict = check(&std::fs::read(picture)?, &filters, &Limits::default(), ViewSet::All, Orientations::All);
    println!("{:?}", verdict.outcome);
    Ok(())
}
