//! A guest of four bytes: it halts, and goes on halting. QEMU enters it as it would enter Linux.
//!
//! ```text
//!  0     ELF header, two program headers      all of the file is loaded at 1 MiB
//!  0xb0  PVH note: where to enter             cli · again: hlt · jmp again
//!  0xc8  code
//! ```

/// Where it is loaded.
const LOADED: u64 = 0x10_0000;
/// Where the note is in the file.
const NOTE: u64 = 0xb0;
/// The bytes of the note.
const NOTE_BYTES: u64 = 24;
/// `cli`, `hlt`, and a jump back to `hlt`.
const CODE: [u8; 4] = [0xfa, 0xf4, 0xeb, 0xfd];

/// The guest as an ELF file with a PVH note.
pub(crate) fn image() -> Vec<u8> {
    let entry = LOADED + NOTE + NOTE_BYTES;
    let whole = NOTE + NOTE_BYTES + CODE.len() as u64;
    let mut elf = b"\x7fELF\x02\x01\x01".to_vec();
    elf.resize(16, 0);
    // An executable for x86-64, version 1.
    words(&mut elf, &[2, 62]);
    elf.extend(1u32.to_le_bytes());
    longs(&mut elf, &[entry, 64, 0]);
    elf.extend(0u32.to_le_bytes());
    // The sizes of the headers, and how many: two for the program, none for sections.
    words(&mut elf, &[64, 56, 2, 64, 0, 0]);
    program_header(&mut elf, (1, 5), (0, whole, 4096));
    program_header(&mut elf, (4, 4), (NOTE, NOTE_BYTES, 4));
    for word in [4u32, 8, 18] {
        elf.extend(word.to_le_bytes());
    }
    elf.extend(b"Xen\0");
    longs(&mut elf, &[entry]);
    elf.extend(CODE);
    elf
}

fn program_header(elf: &mut Vec<u8>, (kind, flags): (u32, u32), (offset, size, align): (u64, u64, u64)) {
    elf.extend(kind.to_le_bytes());
    elf.extend(flags.to_le_bytes());
    longs(elf, &[offset, LOADED + offset, LOADED + offset, size, size, align]);
}

fn words(elf: &mut Vec<u8>, words: &[u16]) {
    elf.extend(words.iter().flat_map(|word| word.to_le_bytes()));
}

fn longs(elf: &mut Vec<u8>, longs: &[u64]) {
    elf.extend(longs.iter().flat_map(|long| long.to_le_bytes()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_lies_where_the_headers_say() {
        let image = image();
        let at = |offset: usize| u64::from_le_bytes(image[offset..offset + 8].try_into().unwrap());
        assert_eq!(image.len() as u64, NOTE + NOTE_BYTES + CODE.len() as u64);
        let entry = usize::try_from(at(0x18) - LOADED).unwrap();
        assert_eq!(&image[entry..], CODE);
        let note = usize::try_from(NOTE).unwrap();
        assert_eq!(&image[note + 12..note + 16], b"Xen\0");
        assert_eq!(at(note + 16), at(0x18), "the note and the header name one entry");
    }
}
