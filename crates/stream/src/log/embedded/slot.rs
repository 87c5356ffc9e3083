//! A slot is a partition of a topic; an entry's place in the file is its slot and its offset in one number.

use rusqlite::{Error, ffi};

/// Partitions of one topic at most.
pub(super) const PARTITIONS_MAX: u32 = 1 << PARTITION_BITS;
/// Topics at most. Their kinds are named by senders, who must not fill the disk with names.
pub(super) const TOPICS_MAX: usize = 256;

const PARTITION_BITS: u32 = 10;
const OFFSET_BITS: u32 = 44;

/// A partition of a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Slot(pub(super) i64);

impl Slot {
    pub(super) fn of(topic: i64, partition: u32) -> Slot {
        Slot(topic << PARTITION_BITS | i64::from(partition))
    }

    pub(super) fn topic(self) -> i64 {
        self.0 >> PARTITION_BITS
    }

    pub(super) fn partition(self) -> u32 {
        u32::try_from(self.0 & (i64::from(PARTITIONS_MAX) - 1)).expect("ten bits are left")
    }

    /// Where the entry of an offset is. The offset that follows the last one is the first of the next slot.
    pub(super) fn place(self, offset: u64) -> i64 {
        // 44 bits last for twenty years at 25,000 events a second in one partition.
        (self.0 << OFFSET_BITS) + i64::try_from(offset.min(1 << OFFSET_BITS)).expect("44 bits fit")
    }

    /// The first place that belongs to the next slot.
    pub(super) fn end_place(self) -> i64 {
        self.place(1 << OFFSET_BITS)
    }

    /// The offset of a place of this slot.
    pub(super) fn offset(self, place: i64) -> u64 {
        place.abs_diff(self.place(0))
    }
}

/// What SQLite says of a damaged page, said of what stands in it.
pub(super) fn corrupt(what: &str) -> Error {
    Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_CORRUPT), Some(what.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_slot_and_offset() {
        for (topic, partition, offset) in [(0, 0, 0), (1, 15, 17), (255, 1023, (1 << 44) - 1)] {
            let slot = Slot::of(topic, partition);
            let place = slot.place(offset);
            assert_eq!((slot.topic(), slot.partition(), slot.offset(place)), (topic, partition, offset));
            assert!(place < slot.end_place());
            assert_eq!(slot.end_place(), Slot(slot.0 + 1).place(0));
        }
    }
}
