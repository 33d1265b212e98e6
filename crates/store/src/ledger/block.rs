//! Blocks: the buckets of one instance and width that lie in a longer span, as one row.
//!
//! ```text
//!  seconds of a minute · minutes of an hour · hours of a day · a day
//!
//!  <which are there: bits> <how each column is written: two bits> column*
//!  column:  nothing, where all are 0 │ one number, where all are equal │ the first, then differences
//! ```
//! Columns are records, gaps, and each figure in its order; numbers are written as in `pack`. Granted memory is
//! the same every second and most disks are idle most of the time, which is what makes a block short.

use super::pack::{Reader, folded, number, unfolded};
use weft_domain::usage::{Amounts, Bucket, Figure, Width};

/// Records, gaps, figures.
const COLUMNS: usize = 2 + Figure::ALL.len();

/// How many seconds a block of this width spans.
pub(crate) const fn span(width: Width) -> i64 {
    match width {
        Width::Second => 60,
        Width::Minute => 3_600,
        Width::Hour | Width::Day => 86_400,
    }
}

/// When the block begins that this instant lies in.
pub(crate) const fn begin(width: Width, second: i64) -> i64 {
    second.div_euclid(span(width)) * span(width)
}

/// One bucket and its place in its block.
pub(crate) type Placed = (u8, Bucket);

/// The place of a bucket in its block.
pub(crate) fn place(width: Width, begins: i64) -> u8 {
    let place = begins.rem_euclid(span(width)) / width.seconds();
    u8::try_from(place).expect("a block has at most sixty places")
}

/// Buckets by place: both together.
pub(crate) fn merged(mut one: Vec<Placed>, other: &[Placed]) -> Vec<Placed> {
    for (place, bucket) in other {
        match one.binary_search_by_key(place, |(place, _)| *place) {
            Ok(there) => one[there].1 = one[there].1.plus(bucket),
            Err(there) => one.insert(there, (*place, *bucket)),
        }
    }
    one
}

fn column(bucket: &Bucket, which: usize) -> u64 {
    match which {
        0 => bucket.records,
        1 => bucket.gaps,
        figure => bucket.amounts[Figure::ALL[figure - 2]],
    }
}

fn filled(columns: &[u64; COLUMNS]) -> Bucket {
    let mut amounts = Amounts::default();
    for (figure, amount) in Figure::ALL.into_iter().zip(&columns[2..]) {
        amounts[figure] = *amount;
    }
    Bucket { amounts, records: columns[0], gaps: columns[1] }
}

/// The bytes of buckets that are in the order of their places.
pub(crate) fn encode(buckets: &[Placed]) -> Vec<u8> {
    let (mut ways, mut body) = (0u64, Vec::with_capacity(512));
    for which in 0..COLUMNS {
        let mut values = buckets.iter().map(|(_, bucket)| column(bucket, which));
        let Some(first) = values.next() else { continue };
        let is_level = values.clone().all(|value| value == first);
        if is_level && first == 0 {
            continue;
        }
        number(&mut body, first);
        if is_level {
            ways |= 1 << (2 * which);
            continue;
        }
        ways |= 2 << (2 * which);
        let mut before = first;
        for value in values {
            number(&mut body, folded(value.wrapping_sub(before).cast_signed()));
            before = value;
        }
    }
    let mut bytes = Vec::with_capacity(body.len() + 16);
    number(&mut bytes, buckets.iter().fold(0, |bits, (place, _)| bits | 1 << place));
    number(&mut bytes, ways);
    bytes.extend_from_slice(&body);
    bytes
}

/// The buckets of these bytes; nothing where they are none of this width.
pub(crate) fn decode(width: Width, bytes: &[u8]) -> Option<Vec<Placed>> {
    let mut reader = Reader(bytes);
    let (bits, ways) = (reader.number()?, reader.number()?);
    let places = span(width) / width.seconds();
    if bits >> places != 0 || ways >> (2 * COLUMNS) != 0 {
        return None;
    }
    let places = (0..64u8).filter(|place| bits & (1 << place) != 0);
    let mut rows: Vec<(u8, [u64; COLUMNS])> = places.map(|place| (place, [0; COLUMNS])).collect();
    for which in 0..COLUMNS {
        let mut value = match (ways >> (2 * which)) & 3 {
            0 => continue,
            3 => return None,
            _ => reader.number()?,
        };
        let is_level = (ways >> (2 * which)) & 3 == 1;
        for (nth, (_, columns)) in rows.iter_mut().enumerate() {
            if nth > 0 && !is_level {
                value = value.wrapping_add(unfolded(reader.number()?).cast_unsigned());
            }
            columns[which] = value;
        }
    }
    let buckets = rows.iter().map(|(place, columns)| (*place, filled(columns))).collect();
    reader.0.is_empty().then_some(buckets)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn buckets() -> impl Strategy<Value = Vec<Placed>> {
        let amount = prop_oneof![Just(0), Just(1 << 30), 0u64..1000, any::<u64>()];
        let columns = prop::collection::vec(amount, COLUMNS);
        prop::collection::btree_map(0u8..60, columns, 0..60).prop_map(|rows| {
            rows.into_iter()
                .map(|(place, columns)| (place, filled(&columns.try_into().expect("there are as many"))))
                .collect()
        })
    }

    proptest! {
        #[test]
        fn blocks_read_back(buckets in buckets()) {
            prop_assert_eq!(decode(Width::Second, &encode(&buckets)), Some(buckets));
        }

        #[test]
        fn any_bytes_are_no_trouble(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            for width in Width::ALL {
                let _ = decode(width, &bytes);
            }
        }

        #[test]
        fn both_together_are_both(one in buckets(), other in buckets()) {
            let both = merged(one.clone(), &other);
            prop_assert!(both.is_sorted_by(|a, b| a.0 < b.0));
            let all = |buckets: &[Placed]| buckets.iter().fold(Bucket::default(), |sum, (_, bucket)| sum.plus(bucket));
            prop_assert_eq!(all(&both), all(&one).plus(&all(&other)));
        }

        #[test]
        fn a_place_is_where_it_lies(second in -1i64 << 40..1 << 40) {
            for width in Width::ALL {
                let begins = second.div_euclid(width.seconds()) * width.seconds();
                let found = begin(width, begins) + i64::from(place(width, begins)) * width.seconds();
                prop_assert_eq!(found, begins);
            }
        }
    }

    #[test]
    fn a_quiet_minute_is_short() {
        let mut bucket = Bucket { records: 10, ..Bucket::default() };
        bucket.amounts[Figure::MemoryGranted] = 1 << 30;
        let minute: Vec<_> = (0..60).map(|place| (place, bucket)).collect();
        assert!(encode(&minute).len() < 30);
    }
}
