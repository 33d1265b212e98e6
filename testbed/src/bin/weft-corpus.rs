//! Makes the corpus of today's formats in the folder that it is told: `cargo xtask corpus` runs it.

#![expect(clippy::print_stdout, reason = "it talks to a terminal")]

use anyhow::{Context, Result};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let folder = std::env::args_os().nth(1).context("give the folder of corpora")?;
    let made = weft_testbed::corpus::add(folder.as_ref()).await?;
    println!("{} is there; check it in, and never change it", made.display());
    Ok(())
}
