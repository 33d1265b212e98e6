//! Arms fault points, in a build that has them: a harness says by the environment where this program dies,
//! breaks or waits.
//!
//! ```text
//!  WEFT_FAULT         point:nth:act, …   `*` is any point; acts are kill, panic, hold
//!  WEFT_FAULT_SOCKET  where a point that holds is told, and waits until it is hung up
//!  WEFT_FAULT_COUNTS  a file that says how often each point was passed
//! ```

use crate::settings::Outside;
use anyhow::Result;

/// What the variables of this room begin with.
const PREFIX: &str = "WEFT_FAULT";

/// Arms what the environment names; answers what to tell.
///
/// # Errors
/// A plan is not understood, or this build has no fault points.
#[cfg(feature = "faults")]
pub(crate) fn arm(outside: &Outside) -> Result<Option<String>> {
    use anyhow::{Context, anyhow};
    use std::path::PathBuf;
    let named = |end: &str| outside.variables.get(&format!("{PREFIX}{end}"));
    let (plans, counts) = (named("").map_or("", String::as_str), named("_COUNTS").map(PathBuf::from));
    if plans.is_empty() && counts.is_none() {
        return Ok(None);
    }
    let plans: Result<Vec<_>, String> =
        plans.split(',').map(str::trim).filter(|plan| !plan.is_empty()).map(str::parse).collect();
    let plans = plans.map_err(|why| anyhow!("{PREFIX} is not understood: {why}"))?;
    let notice = format!("fault points are armed, as a test wants it: {plans:?}");
    let socket = named("_SOCKET").map(PathBuf::from);
    weft_ports::fault::arm(plans, socket, counts.as_deref()).context("fault points cannot be armed")?;
    Ok(Some(notice))
}

/// Refuses what the environment names.
///
/// # Errors
/// Something is named.
#[cfg(not(feature = "faults"))]
pub(crate) fn arm(outside: &Outside) -> Result<Option<String>> {
    match outside.variables.keys().find(|name| name.starts_with(PREFIX)) {
        Some(name) => {
            anyhow::bail!("{name} is set, and this build has no fault points; build weft with `--features faults`")
        }
        None => Ok(None),
    }
}
