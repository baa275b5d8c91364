//! Compares our hashes with a reference CSV.
fn main() {
    let dir = std::env::args().nth(1).unwrap();
    let csv = std::fs::read_to_string(format!("{dir}/reference.csv")).unwrap();
    for line in csv.lines().skip(1) {
        let f: Vec<_> = line.split(',').collect();
        let bytes = std::fs::read(format!("{dir}/{}", f[0])).unwrap();
        match hashgate::image::read(&bytes, &Default::default()) {
            Ok(p) => {
                let s = &p.frames[0].luma.small;
                let h = hashgate::pdq::Coefficients::of(s).hash();
                let r: hashgate::pdq::PdqHash = f[3].parse().unwrap();
                println!("{:3} q {} {} {}", h.distance(&r), hashgate::pdq::quality(s), f[4], f[0]);
            }
            Err(e) => println!("{} {e}", f[0]),
        }
    }
}
