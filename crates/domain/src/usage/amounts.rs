//! What is counted, in integer base units, and where each figure comes from.

use std::ops::{Index, IndexMut};

/// How many figures there are.
const FIGURES: usize = 11;

macro_rules! figures {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        /// One thing that is counted.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Figure { $($(#[$doc])* $name,)* }

        impl Figure {
            /// All of them, in their order.
            pub const ALL: [Self; FIGURES] = [$(Self::$name,)*];

            /// Its name, which carries its unit.
            #[must_use]
            pub const fn as_str(self) -> &'static str { match self { $(Self::$name => $text,)* } }
        }
    };
}

figures! {
    /// Processor time of the VMM with its virtual CPUs, in nanoseconds.
    Cpu = "cpu_nanos";
    /// Memory of the host that it held, in byte-seconds.
    MemoryResident = "memory_resident_byte_seconds";
    /// Memory that it was granted, in byte-seconds.
    MemoryGranted = "memory_granted_byte_seconds";
    /// Bytes read from its disks.
    DiskRead = "disk_read_bytes";
    /// Reads of its disks.
    DiskReads = "disk_read_operations";
    /// Bytes written to its disks.
    DiskWritten = "disk_written_bytes";
    /// Writes to its disks.
    DiskWrites = "disk_write_operations";
    /// Bytes that its guest received.
    NetReceived = "network_received_bytes";
    /// Packets that its guest received.
    NetReceivedPackets = "network_received_packets";
    /// Bytes that its guest sent.
    NetSent = "network_sent_bytes";
    /// Packets that its guest sent.
    NetSentPackets = "network_sent_packets";
}

impl Figure {
    /// Whether it is a level held over time, and not a counter.
    #[must_use]
    pub const fn is_level(self) -> bool {
        matches!(self, Self::MemoryResident | Self::MemoryGranted)
    }
}

/// An amount of each figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Amounts([u64; FIGURES]);

impl Amounts {
    /// What this is more than `earlier`; `None` where any figure is less.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Option<Self> {
        let mut more = Self::default();
        for figure in Figure::ALL {
            more[figure] = self[figure].checked_sub(earlier[figure])?;
        }
        Some(more)
    }

    /// Both together; a figure stays at its largest value.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        let mut sum = *self;
        for figure in Figure::ALL {
            sum[figure] = sum[figure].saturating_add(other[figure]);
        }
        sum
    }

    /// Whether nothing was used.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        self.0.iter().all(|amount| *amount == 0)
    }

    /// Each figure with its amount.
    pub fn iter(&self) -> impl Iterator<Item = (Figure, u64)> + '_ {
        Figure::ALL.into_iter().map(|figure| (figure, self[figure]))
    }
}

impl Index<Figure> for Amounts {
    type Output = u64;

    fn index(&self, figure: Figure) -> &u64 {
        &self.0[figure as usize]
    }
}

impl IndexMut<Figure> for Amounts {
    fn index_mut(&mut self, figure: Figure) -> &mut u64 {
        &mut self.0[figure as usize]
    }
}

/// Where a figure comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Source {
    /// Nobody counts it here: its amount is 0 and means nothing.
    #[default]
    None,
    /// A control group of the older hierarchies.
    CgroupV1,
    /// A control group of the unified hierarchy.
    CgroupV2,
    /// The process's own counters: its clock of processor time, its files in `/proc`.
    Proc,
    /// The host's statistics of a tap, seen from the guest.
    Tap,
    /// The VMM's own counters.
    Vmm,
    /// What was granted.
    Grant,
}

impl Source {
    /// All of them, in their order.
    pub const ALL: [Self; 7] =
        [Self::None, Self::CgroupV1, Self::CgroupV2, Self::Proc, Self::Tap, Self::Vmm, Self::Grant];

    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::CgroupV1 => "cgroup-v1",
            Self::CgroupV2 => "cgroup-v2",
            Self::Proc => "proc",
            Self::Tap => "tap",
            Self::Vmm => "vmm",
            Self::Grant => "grant",
        }
    }
}

/// The source of each figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Sources([Source; FIGURES]);

impl Index<Figure> for Sources {
    type Output = Source;

    fn index(&self, figure: Figure) -> &Source {
        &self.0[figure as usize]
    }
}

impl IndexMut<Figure> for Sources {
    fn index_mut(&mut self, figure: Figure) -> &mut Source {
        &mut self.0[figure as usize]
    }
}
