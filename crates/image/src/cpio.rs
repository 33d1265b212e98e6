//! The `newc` archive that a kernel unpacks as its first root file system.
//!
//! Nodes go in one after another, bytes come out at the end. Always holds: every header and every
//! content starts at a multiple of four, all times are zero, so equal nodes give equal bytes.

/// An archive under construction.
#[derive(Debug, Default)]
pub(crate) struct Archive {
    bytes: Vec<u8>,
    inode: u32,
}

const DIRECTORY: u32 = 0o040_755;
const PROGRAM: u32 = 0o100_755;
const PLAIN: u32 = 0o100_644;
const LINK: u32 = 0o120_777;
const DEVICE: u32 = 0o020_600;

impl Archive {
    /// A folder; those above it must be there.
    pub(crate) fn directory(&mut self, path: &str) {
        self.node(path, DIRECTORY, (0, 0), &[]);
    }

    /// A file that can be run.
    pub(crate) fn program(&mut self, path: &str, content: &[u8]) {
        self.node(path, PROGRAM, (0, 0), content);
    }

    /// A file that can be read.
    pub(crate) fn plain(&mut self, path: &str, content: &[u8]) {
        self.node(path, PLAIN, (0, 0), content);
    }

    /// A symbolic link.
    pub(crate) fn link(&mut self, path: &str, target: &str) {
        self.node(path, LINK, (0, 0), target.as_bytes());
    }

    /// A character device.
    pub(crate) fn device(&mut self, path: &str, number: (u32, u32)) {
        self.node(path, DEVICE, number, &[]);
    }

    /// The whole archive.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        self.node("TRAILER!!!", 0, (0, 0), &[]);
        self.pad(512);
        self.bytes
    }

    fn node(&mut self, path: &str, mode: u32, device: (u32, u32), content: &[u8]) {
        self.inode += 1;
        let size = u32::try_from(content.len()).expect("what goes into a guest is read with a limit below 4 GiB");
        let name = u32::try_from(path.len() + 1).expect("paths in a guest are short");
        let fields = [self.inode, mode, 0, 0, 1, 0, size, 0, 0, device.0, device.1, name, 0];
        self.bytes.extend_from_slice(b"070701");
        for field in fields {
            self.bytes.extend_from_slice(format!("{field:08X}").as_bytes());
        }
        self.bytes.extend_from_slice(path.as_bytes());
        self.bytes.push(0);
        self.pad(4);
        self.bytes.extend_from_slice(content);
        self.pad(4);
    }

    fn pad(&mut self, to: usize) {
        self.bytes.resize(self.bytes.len().next_multiple_of(to), 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_written_as_the_kernel_reads_it() {
        let mut archive = Archive::default();
        archive.program("init", b"hello");
        let bytes = archive.finish();
        let header = "070701 00000001 000081ED 00000000 00000000 00000001 00000000 00000005 \
                      00000000 00000000 00000000 00000000 00000005 00000000";
        let mut expected = header.replace(' ', "").into_bytes();
        expected.extend_from_slice(b"init\0\0hello\0\0\0");
        assert_eq!(&bytes[..expected.len()], expected);
        assert_eq!(&bytes[expected.len()..expected.len() + 6], b"070701");
        assert_eq!(bytes.len() % 512, 0);
    }

    #[test]
    fn every_part_starts_at_a_multiple_of_four() {
        for length in 0..9 {
            let mut archive = Archive::default();
            archive.plain(&"n".repeat(length + 1), &vec![7; length]);
            assert_eq!(archive.bytes.len() % 4, 0);
        }
        let mut archive = Archive::default();
        archive.directory("dev");
        archive.device("dev/console", (5, 1));
        archive.link("bin", "usr/bin");
        let bytes = archive.finish();
        let magics = bytes.chunks(4).filter(|four| four == b"0707").count();
        assert_eq!(magics, 4, "three nodes and the trailer, all aligned");
    }
}
