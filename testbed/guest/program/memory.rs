//! What the VMM says of memory (PVH's start info), and memory taken from it.

use crate::cpu::{forget_translations, write};
use core::slice;

const PAGE: u64 = 4096;
const PAGES_PER_MIB: u64 = 256;
/// What entry.s maps.
const MAPPED: u64 = 4 << 30;
/// The last 2 MiB of it, where firmware would lie, show what is asked for instead.
const WINDOW: usize = 0xffe0_0000;
const WINDOW_SIZE: u64 = 2 << 20;

/// PVH's `hvm_start_info`, version 1.
#[repr(C)]
pub struct Handover {
    magic: u32,
    version: u32,
    flags: u32,
    modules: u32,
    modules_at: u64,
    command_line: u64,
    /// Where ACPI begins.
    pub acpi: u64,
    map: u64,
    map_length: u32,
    reserved: u32,
}

/// One entry of its memory map.
#[repr(C)]
pub struct Region {
    from: u64,
    size: u64,
    kind: u32,
    reserved: u32,
}

impl Handover {
    /// The kernel command line.
    pub fn command_line(&self) -> &'static [u8] {
        let from = self.command_line as *const u8;
        if from.is_null() {
            return &[];
        }
        let mut length = 0;
        // SAFETY: the protocol promises text that ends in a zero.
        unsafe {
            while *from.add(length) != 0 {
                length += 1;
            }
            slice::from_raw_parts(from, length)
        }
    }

    fn usable(&self) -> impl Iterator<Item = &'static Region> + use<> {
        let length = if self.version >= 1 && self.map != 0 { self.map_length as usize } else { 0 };
        let from = if length > 0 { self.map as *const Region } else { core::ptr::NonNull::dangling().as_ptr() };
        // SAFETY: the protocol promises that many entries.
        unsafe { slice::from_raw_parts(from, length) }.iter().filter(|region| region.kind == 1)
    }

    /// Memory in MiB, begun ones counted whole: firmware keeps some for itself.
    pub fn mebibytes(&self) -> u64 {
        (self.usable().map(|region| region.size).sum::<u64>() + (1 << 20) - 1) >> 20
    }

    /// Writes a byte to each further page of memory from `next` on; how many pages there were, and what comes
    /// next.
    pub fn touch(&self, next: u64, mebibytes: u64) -> (u64, u64) {
        let mut missing = mebibytes.saturating_mul(PAGES_PER_MIB);
        let asked = missing;
        let mut next = next.max(first_free());
        for region in self.usable() {
            let end = (region.from + region.size).min(MAPPED) & !(PAGE - 1);
            let mut page = next.max((region.from + PAGE - 1) & !(PAGE - 1));
            while page < end && missing > 0 {
                write(page as usize, 0xa5_u8);
                page += PAGE;
                missing -= 1;
                next = page;
            }
        }
        (asked - missing, next)
    }
}

/// The first page that is not part of this program.
fn first_free() -> u64 {
    unsafe extern "C" {
        static image_end: u8;
    }
    (&raw const image_end as u64 + PAGE - 1) & !(PAGE - 1)
}

/// Where a register of a device is to be reached, wherever it lies; one such at a time.
pub fn reach(address: u64) -> usize {
    unsafe extern "C" {
        static page_directory: u8;
    }
    if address < MAPPED {
        return address as usize;
    }
    let entry = &raw const page_directory as usize + WINDOW / WINDOW_SIZE as usize * 8;
    write(entry, address & !(WINDOW_SIZE - 1) | 0x83);
    forget_translations();
    WINDOW + (address & (WINDOW_SIZE - 1)) as usize
}
