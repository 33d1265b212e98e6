//! A guest of a few bytes, as a kernel that is entered in 32-bit mode (PVH).

/// What it says on its serial line.
pub(super) const WORD: &str = "weft-tiny: ready";
/// Where its only segment is loaded.
const BASE: u32 = 0x10_0000;
/// The file's offset of the segment.
const OFFSET: u32 = 0x1000;
/// The length of an ELF header.
const HEADER: u16 = 64;
/// The length of what describes a segment.
const SEGMENT: u16 = 56;

/// Counts down from `turns`, says its word, powers the machine off, and halts.
pub(super) fn counting(turns: u32) -> Vec<u8> {
    let mut code = vec![0xB9]; // mov ecx, turns
    code.extend(turns.to_le_bytes());
    code.extend([0x49, 0x75, 0xFD]); // dec ecx; jnz to it
    code.extend([0x66, 0xBA, 0xF8, 0x03]); // mov dx, 0x3f8
    for byte in WORD.bytes().chain(*b"\n") {
        code.extend([0xB0, byte, 0xEE]); // mov al, byte; out dx, al
    }
    code.extend([0x66, 0xBA, 0x00, 0x06]); // mov dx, 0x600
    code.extend([0xB0, 0x34, 0xEE]); // mov al, sleep state 5 and its enable bit; out dx, al
    code.extend([0xF4, 0xEB, 0xFD]); // hlt; jmp to it
    elf(&code)
}

fn elf(code: &[u8]) -> Vec<u8> {
    // The note that names where a 32-bit entry is: type 18 of the owner "Xen".
    let mut note = Vec::new();
    for word in [4u32, 4, 18] {
        note.extend(word.to_le_bytes());
    }
    note.extend(b"Xen\0");
    note.extend(BASE.to_le_bytes());
    let mut file = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
    file.extend(2u16.to_le_bytes()); // a program
    file.extend(62u16.to_le_bytes()); // for x86-64
    file.extend(1u32.to_le_bytes());
    for word in [u64::from(BASE), u64::from(HEADER), 0] {
        file.extend(word.to_le_bytes()); // entry, segments, no sections
    }
    file.extend(0u32.to_le_bytes());
    for half in [HEADER, SEGMENT, 2, 0, 0, 0] {
        file.extend(half.to_le_bytes());
    }
    let at = u64::from(HEADER) + 2 * u64::from(SEGMENT);
    segment(&mut file, (1, 7), (u64::from(OFFSET), u64::from(BASE)), code.len() as u64);
    segment(&mut file, (4, 4), (at, 0), note.len() as u64);
    file.extend(note);
    file.resize(OFFSET as usize, 0);
    file.extend(code);
    file
}

/// One segment: its type and rights, where it is in the file and in memory, and how long.
fn segment(file: &mut Vec<u8>, (kind, rights): (u32, u32), (offset, address): (u64, u64), length: u64) {
    file.extend(kind.to_le_bytes());
    file.extend(rights.to_le_bytes());
    for word in [offset, address, address, length, length, 4] {
        file.extend(word.to_le_bytes());
    }
}
