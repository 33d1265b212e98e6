//! A codec of specifications that remembers them and writes their numbers.

use super::{Error, SpecCodec};
use std::sync::{Arc, Mutex, PoisonError};
use weft_domain::Spec;

/// Remembers what it wrote; clones share it, so that a second agent reads what the first one wrote.
#[derive(Debug, Clone, Default)]
pub struct Specs(Arc<Mutex<Vec<Spec>>>);

impl SpecCodec for Specs {
    fn encode_spec(&self, spec: &Spec) -> Vec<u8> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let number = known.iter().position(|old| old == spec).unwrap_or_else(|| {
            known.push(spec.clone());
            known.len() - 1
        });
        format!("spec {number}").into_bytes()
    }

    fn decode_spec(&self, bytes: &[u8]) -> Result<Spec, Error> {
        let text = std::str::from_utf8(bytes).unwrap_or_default();
        let number: Option<usize> = text.strip_prefix("spec ").and_then(|number| number.parse().ok());
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let spec = number.and_then(|number| known.get(number).cloned());
        spec.ok_or_else(|| Error::Damaged("it is none of ours".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use weft_domain::spec::Draft;

    #[test]
    fn what_is_written_reads_back() {
        let (codec, mut draft) = (Specs::default(), Draft::default());
        draft.cpu.max = 4;
        for spec in [Draft::default().check().unwrap(), draft.check().unwrap()] {
            let bytes = codec.encode_spec(&spec);
            assert_eq!(codec.encode_spec(&spec), bytes);
            assert_eq!(codec.decode_spec(&bytes), Ok(spec));
        }
        assert!(codec.decode_spec(b"spec 9").is_err() && codec.decode_spec(b"").is_err());
    }
}
