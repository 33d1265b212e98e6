//! Nodes, both ways.

use super::{Found, feature, timestamp};
use crate::convert::vm::{etag, revision};
use crate::proto::weft::v1 as wire;
use weft_domain::Fault;
use weft_domain::capability::Capabilities;
use weft_domain::node::{Facts, Node};
use weft_domain::object::Stored;

/// The node, with the etag of its revision.
pub(crate) fn stored(node: &Stored<Node>) -> wire::Node {
    wire::Node { etag: etag(node.revision), ..self::node(&node.value) }
}

/// The node, without an etag.
pub(crate) fn node(node: &Node) -> wire::Node {
    wire::Node {
        id: node.id.to_string(),
        name: node.name.to_string(),
        labels: node.labels.as_map().clone(),
        create_time: timestamp(node.create_time).into(),
        facts: facts(&node.facts).into(),
        ..Default::default()
    }
}

fn facts(facts: &Facts) -> wire::NodeFacts {
    wire::NodeFacts {
        weft_version: facts.weft_version.clone(),
        kernel: facts.kernel.clone(),
        architecture: facts.architecture.clone(),
        boot_id: facts.boot_id.clone(),
        agent_start_time: timestamp(facts.agent_start).into(),
        cpus: facts.cpus,
        memory_bytes: facts.memory_bytes,
        allocatable_memory_bytes: facts.allocatable_memory_bytes,
        allocatable_disk_bytes: facts.allocatable_disk_bytes,
        cgroups: facts.cgroups.clone(),
        drivers: facts.drivers.iter().map(driver).collect(),
        warnings: facts.warnings.clone(),
        ..Default::default()
    }
}

fn driver(driver: &Capabilities) -> wire::DriverCapabilities {
    wire::DriverCapabilities {
        driver: driver.driver.clone(),
        version: driver.version.clone(),
        features: driver.features.iter().map(|f| feature::name(*f).to_owned()).collect(),
        notes: driver.notes.clone(),
        ..Default::default()
    }
}

/// Reads a node with its revision, as another server told it.
pub(crate) fn read_stored(node: wire::Node) -> Result<Stored<Node>, Fault> {
    let mut found = Found::default();
    let revision = revision(&node.etag, "node.etag", &mut found).unwrap_or_default();
    found.done()?;
    Ok(Stored { value: read(node)?, revision })
}

/// Reads a node.
pub(crate) fn read(node: wire::Node) -> Result<Node, Fault> {
    let mut found = Found::default();
    let id = found.parse(&node.id, "node.id");
    let name = found.parse(&node.name, "node.name");
    let labels = found.labels(node.labels, "node.labels");
    let create_time = found.time(&node.create_time, "node.create_time");
    let facts = read_facts(node.facts.into_option().unwrap_or_default(), &mut found);
    found.done()?;
    let (Some(id), Some(name)) = (id, name) else { return Err(Fault::internal("a name or id was refused unsaid")) };
    Ok(Node { id, name, labels, create_time, facts })
}

fn read_facts(facts: wire::NodeFacts, found: &mut Found) -> Facts {
    Facts {
        agent_start: found.time(&facts.agent_start_time, "node.facts.agent_start_time"),
        weft_version: facts.weft_version,
        kernel: facts.kernel,
        architecture: facts.architecture,
        boot_id: facts.boot_id,
        cpus: facts.cpus,
        memory_bytes: facts.memory_bytes,
        allocatable_memory_bytes: facts.allocatable_memory_bytes,
        allocatable_disk_bytes: facts.allocatable_disk_bytes,
        cgroups: facts.cgroups,
        drivers: facts.drivers.into_iter().map(read_driver).collect(),
        warnings: facts.warnings,
    }
}

/// A newer node may know features that are not known here; they are left out.
fn read_driver(driver: wire::DriverCapabilities) -> Capabilities {
    Capabilities {
        driver: driver.driver,
        version: driver.version,
        features: driver.features.iter().filter_map(|name| feature::parse(name)).collect(),
        notes: driver.notes,
    }
}
