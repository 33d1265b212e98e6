//! What the world must be able to do: small traits in domain words.
//!
//! Each port states its laws in its documentation, has a conformance suite that any
//! implementation can be put through, and a fake in memory that passes it. Services
//! (`control`, `agent`) know only these traits; adapters implement them.
//!
//! ```text
//!  api        what a caller may ask of weft      (control implements, api's client implements from afar)
//!  link       control ⇄ agent                    (control: Placements, agent: Reach)
//!  hypervisor one VMM or estate                  (vmm)
//!  processes  processes that outlive us          (host)
//!  claims     the journal: claim first, make second (host)
//!  meters     counters of running processes (host)
//!  spool      what was used on a node, written down first (host)
//!  ledger     what was used in a fleet, in buckets (store)
//!  volumes    disks, folders and callers' paths  (host)
//!  sightings  what is on a host of all that weft can make (host)
//!  images     the default kernel and root        (image)
//!  store      objects by key and revision        (store), with its codec (api)
//!  documents  text ⇄ domain                      (api)
//!  export     usage as lines of JSON, CSV and CloudEvents: the same from every service
//!  clock      time and randomness, the machine's own too
//!  fault      named instants at which a test may end or hold us; nothing in a build that is shipped
//!  task       the one way to spawn: named, awaited
//! ```
//!
//! What it does not know: any implementation.

pub mod api;
pub mod claims;
pub mod clock;
pub mod codec;
pub mod documents;
pub mod export;
pub mod fault;
pub mod hypervisor;
pub mod images;
pub mod ledger;
pub mod link;
pub mod meters;
pub mod processes;
pub mod sightings;
pub mod spool;
pub mod store;
pub mod task;
pub mod volumes;
