//! The stand-in of Cloud Hypervisor as a program.

fn main() {
    std::process::exit(weft_standins::cloud_hypervisor::run(std::env::args().skip(1)));
}
