//! The stand-in of Firecracker as a program.

fn main() {
    std::process::exit(weft_standins::firecracker::run(std::env::args().skip(1)));
}
