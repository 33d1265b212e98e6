//! A guest of a few bytes: a 64-bit kernel that counts down and pulls the reset line.

/// Where its only segment is loaded; below lies what the VMM needs itself.
const BASE: u64 = 0x10_0000;
/// The length of an ELF header.
const HEADER: u16 = 64;
/// The length of what describes a segment.
const SEGMENT: u16 = 56;

/// Counts down from `turns`, resets the machine, and halts.
pub(super) fn counting(turns: u32) -> Vec<u8> {
    let mut code = vec![0xB9]; // mov ecx, turns
    code.extend(turns.to_le_bytes());
    code.extend([0xFF, 0xC9]); // dec ecx
    code.extend([0x75, 0xFC]); // jnz to the dec
    code.extend([0xB0, 0xFE]); // mov al, the controller's word for a reset
    code.extend([0xE6, 0x64]); // out 0x64, al
    code.extend([0xF4, 0xEB, 0xFD]); // hlt; jmp to it
    elf(&code)
}

fn elf(code: &[u8]) -> Vec<u8> {
    let mut file = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
    file.extend(2u16.to_le_bytes()); // a program
    file.extend(62u16.to_le_bytes()); // for x86-64
    file.extend(1u32.to_le_bytes());
    for word in [BASE, u64::from(HEADER), 0] {
        file.extend(word.to_le_bytes()); // entry, segments, no sections
    }
    file.extend(0u32.to_le_bytes());
    for half in [HEADER, SEGMENT, 1, 0, 0, 0] {
        file.extend(half.to_le_bytes());
    }
    for half in [1u32, 5] {
        file.extend(half.to_le_bytes()); // loaded, read and executed
    }
    let (offset, length) = (0x1000u64, code.len() as u64);
    for word in [offset, BASE, BASE, length, length, 0x1000] {
        file.extend(word.to_le_bytes());
    }
    file.resize(0x1000, 0);
    file.extend(code);
    file
}

#[test]
fn the_guest_is_an_elf_that_begins_at_its_code() {
    let image = counting(7);
    assert_eq!(&image[..4], b"\x7fELF");
    assert_eq!(image[24..32], BASE.to_le_bytes());
    assert_eq!(image[0x1000..0x1005], [0xB9, 7, 0, 0, 0]);
}
