//! What is packed, unpacked: a bzImage to the ELF kernel within, a compressed module to its bytes.
//!
//! Bytes come in, bytes go out; what is not packed, or packed in an unknown way, goes out as it came, for
//! VMMs boot a bzImage too. Always holds: nothing unpacks to more than its limit, and a kernel that says
//! how large it is unpacks to exactly that.

use std::io::Read;

/// How something could not be unpacked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// It ends too early.
    #[error("it ends too early")]
    Short,
    /// It unpacks to another size than it says.
    #[error("it unpacks to {is} bytes and says {said}")]
    Size { is: usize, said: usize },
    /// It unpacks to more than is allowed.
    #[error("it unpacks to more than {limit} bytes")]
    Large { limit: usize },
    /// What came out is no kernel.
    #[error("what came out is no ELF file")]
    NotElf,
    /// The packed bytes are damaged.
    #[error("the packed bytes are damaged")]
    Damaged(#[source] std::io::Error),
}

/// No kernel is larger than this, in bytes.
const KERNEL_LIMIT: usize = 512 << 20;
/// No module is larger than this, in bytes.
const MODULE_LIMIT: usize = 64 << 20;
const ELF: &[u8] = b"\x7fELF";
const GZIP: &[u8] = b"\x1f\x8b";
const LZ4_LEGACY: &[u8] = b"\x02\x21\x4c\x18";
const XZ: &[u8] = b"\xfd7zXZ\0";
const ZSTD: &[u8] = b"\x28\xb5\x2f\xfd";
/// Blocks of a legacy LZ4 file unpack to at most this many bytes each.
const LZ4_BLOCK: usize = 8 << 20;

/// The ELF kernel in a bzImage.
pub(crate) fn kernel(image: Vec<u8>) -> Result<Vec<u8>, Error> {
    if image.get(0x202..0x206) != Some(b"HdrS") {
        return Ok(image);
    }
    let sectors = match image[0x1f1] {
        0 => 4,
        some => usize::from(some),
    };
    let start = (sectors + 1) * 512 + word(&image, 0x248)?;
    let end = start.checked_add(word(&image, 0x24c)?).ok_or(Error::Short)?;
    let payload = image.get(start..end).ok_or(Error::Short)?;
    let Some((packed, size)) = payload.split_last_chunk::<4>() else { return Ok(image) };
    let said = u32::from_le_bytes(*size) as usize;
    if said > KERNEL_LIMIT {
        return Err(Error::Large { limit: KERNEL_LIMIT });
    }
    // Gzip ends with its size anyway; for the others the kernel's build appends it.
    let packed = if payload.starts_with(GZIP) { payload } else { packed };
    let Some(elf) = any(packed, said.min(KERNEL_LIMIT))? else { return Ok(image) };
    if elf.len() != said {
        return Err(Error::Size { is: elf.len(), said });
    }
    if elf.starts_with(ELF) { Ok(elf) } else { Err(Error::NotElf) }
}

/// The bytes of a module that may be compressed.
pub(crate) fn module(bytes: Vec<u8>) -> Result<Vec<u8>, Error> {
    Ok(any(&bytes, MODULE_LIMIT)?.unwrap_or(bytes))
}

fn any(packed: &[u8], limit: usize) -> Result<Option<Vec<u8>>, Error> {
    if packed.starts_with(LZ4_LEGACY) {
        return lz4(&packed[LZ4_LEGACY.len()..], limit).map(Some);
    }
    if packed.starts_with(GZIP) {
        return read(flate2::read::GzDecoder::new(packed), limit).map(Some);
    }
    if packed.starts_with(XZ) {
        return read(lzma_rust2::XzReader::new(packed, false), limit).map(Some);
    }
    if packed.starts_with(ZSTD) {
        let reader = zstd::stream::read::Decoder::new(packed).map_err(Error::Damaged)?;
        return read(reader.single_frame(), limit).map(Some);
    }
    Ok(None)
}

fn read(reader: impl Read, limit: usize) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    reader.take(limit as u64 + 1).read_to_end(&mut bytes).map_err(Error::Damaged)?;
    if bytes.len() > limit { Err(Error::Large { limit }) } else { Ok(bytes) }
}

fn lz4(mut packed: &[u8], limit: usize) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    while !packed.is_empty() {
        let size = word(packed, 0)?;
        let block = packed.get(4..4 + size).ok_or(Error::Short)?;
        packed = &packed[4 + size..];
        let start = bytes.len();
        bytes.resize(start + LZ4_BLOCK.min(limit - start), 0);
        let wrote = lz4_flex::block::decompress_into(block, &mut bytes[start..])
            .map_err(|why| Error::Damaged(std::io::Error::other(why)))?;
        bytes.truncate(start + wrote);
    }
    Ok(bytes)
}

fn word(bytes: &[u8], at: usize) -> Result<usize, Error> {
    let four = bytes.get(at..).and_then(|rest| rest.first_chunk::<4>()).ok_or(Error::Short)?;
    Ok(u32::from_le_bytes(*four) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn elf() -> Vec<u8> {
        let mut elf = ELF.to_vec();
        elf.extend((0..100_000u32).flat_map(|n| (n / 7).to_le_bytes()));
        elf
    }

    fn bz_image(packed: &[u8], size: Option<usize>) -> Vec<u8> {
        let mut payload = packed.to_vec();
        if let Some(size) = size {
            payload.extend(u32::try_from(size).unwrap().to_le_bytes());
        }
        let mut image = vec![0; 3 * 512 + 0x40];
        image[0x1f1] = 2;
        image[0x202..0x206].copy_from_slice(b"HdrS");
        image[0x248..0x24c].copy_from_slice(&0x40u32.to_le_bytes());
        image[0x24c..0x250].copy_from_slice(&u32::try_from(payload.len()).unwrap().to_le_bytes());
        image.extend(payload);
        image
    }

    fn packed_lz4(bytes: &[u8]) -> Vec<u8> {
        let mut packed = LZ4_LEGACY.to_vec();
        for part in bytes.chunks(200_000) {
            let block = lz4_flex::block::compress(part);
            packed.extend(u32::try_from(block.len()).unwrap().to_le_bytes());
            packed.extend(block);
        }
        packed
    }

    fn packed_gzip(bytes: &[u8]) -> Vec<u8> {
        let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        writer.write_all(bytes).unwrap();
        writer.finish().unwrap()
    }

    #[test]
    fn kernels_come_out_of_every_packing() {
        let elf = elf();
        let cases = [
            bz_image(&packed_lz4(&elf), Some(elf.len())),
            bz_image(&packed_gzip(&elf), None),
            bz_image(&zstd::bulk::compress(&elf, 1).unwrap(), Some(elf.len())),
        ];
        for image in cases {
            assert!(kernel(image).expect("it is whole") == elf);
        }
    }

    #[test]
    fn what_is_not_packed_stays_as_it_is() {
        assert_eq!(kernel(elf()).unwrap(), elf());
        let unknown = bz_image(b"packed by a stranger", Some(1000));
        assert_eq!(kernel(unknown.clone()).unwrap(), unknown);
        assert_eq!(kernel(Vec::new()).unwrap(), Vec::<u8>::new());
    }

    #[test]
    fn damage_is_an_error() {
        let elf = elf();
        let whole = bz_image(&packed_lz4(&elf), Some(elf.len()));
        let mut cut = whole.clone();
        cut.truncate(whole.len() - 10);
        assert!(matches!(kernel(cut), Err(Error::Short)));
        let lies = bz_image(&packed_lz4(&elf), Some(elf.len() + 1));
        assert!(matches!(kernel(lies), Err(Error::Size { .. })));
        let huge = bz_image(&packed_gzip(&elf), Some(usize::try_from(u32::MAX).unwrap()));
        assert!(matches!(kernel(huge), Err(Error::Large { .. })));
        let text = bz_image(&packed_lz4(b"no kernel"), Some(9));
        assert!(matches!(kernel(text), Err(Error::NotElf)));
        let mut broken = packed_gzip(&elf);
        broken.truncate(broken.len() / 2);
        assert!(matches!(module(broken), Err(Error::Damaged(_))));
    }

    #[test]
    fn no_cut_of_a_kernel_makes_it_panic() {
        let elf = elf();
        let whole = bz_image(&packed_lz4(&elf), Some(elf.len()));
        for length in (0..whole.len()).step_by(97) {
            let _ = kernel(whole[..length].to_vec());
        }
    }

    #[test]
    fn modules_come_out_of_every_packing() {
        let bytes = elf();
        assert_eq!(module(packed_gzip(&bytes)).unwrap(), bytes);
        assert_eq!(module(zstd::bulk::compress(&bytes, 1).unwrap()).unwrap(), bytes);
        assert_eq!(module(bytes.clone()).unwrap(), bytes);
        // The word "weft" and a line end, packed by xz with the check that kernel builds use.
        let packed = include_bytes!("unpack/weft.xz");
        assert_eq!(module(packed.to_vec()).unwrap(), b"weft\n");
    }
}
