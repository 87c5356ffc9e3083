//! Moves what a group has still to read from one log to another, so that embedded and Kafka can be changed for each other.

use event::Kind;

use super::{Append, EventLog, FetchLimits, LogError, Offsets};

/// What a move did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Moved {
    /// Where the group begins in the new log. What is absent begins at 0.
    pub offsets: Offsets,
    /// Entries that were moved.
    pub n_entries: u64,
}

/// Appends to `to` what `from` has at and after the group's `offsets`, and says where the group begins in `to`. A patient's entries keep their order:
/// all of them are in one partition of `from`, and are appended one batch after the other.
///
/// Nothing may be appended to either log meanwhile: publishing stops first. After a failure the move is begun again with the same offsets; what is in
/// `to` twice then has the same identifiers, and is recognised when it is processed.
///
/// # Errors
/// Those of reading and appending.
pub async fn move_log(from: &EventLog, to: &EventLog, offsets: &Offsets) -> Result<Moved, LogError> {
    let begin = to.ends().await?.into_iter().map(|ends| ((ends.kind, ends.partition), ends.end));
    let mut moved = Moved { offsets: begin.collect(), n_entries: 0 };
    let ends = from.ends().await?;
    for partition in 0..from.partitions() {
        let here = ends.iter().filter(|ends| ends.partition == partition);
        let mut left: Vec<(Kind, u64, u64)> = here
            .map(|ends| {
                let next = offsets.get(&(ends.kind.clone(), partition)).copied().unwrap_or(ends.start);
                (ends.kind.clone(), next, ends.end)
            })
            .collect();
        loop {
            left.retain(|(_, next, end)| next < end);
            if left.is_empty() {
                break;
            }
            moved.n_entries += move_some(from, to, partition, &mut left).await?;
        }
    }
    Ok(moved)
}

/// Moves one fetch of a partition and advances what is left.
async fn move_some(
    from: &EventLog,
    to: &EventLog,
    partition: u32,
    left: &mut [(Kind, u64, u64)],
) -> Result<u64, LogError> {
    let wanted: Vec<(Kind, u64)> = left.iter().map(|(kind, next, _)| (kind.clone(), *next)).collect();
    let entries = from.fetch(partition, &wanted, FetchLimits::default()).await?;
    let mut appends: Vec<Append> = Vec::with_capacity(entries.len());
    for entry in entries {
        if let Some((_, next, _)) = left.iter_mut().find(|(kind, ..)| *kind == entry.position.kind) {
            *next = entry.position.offset + 1;
        }
        appends.push(entry.append);
    }
    let n = appends.len() as u64;
    match to {
        // They may have been in this log before, and are new to the group all the same.
        EventLog::Embedded(log) => log.append(appends, false).await?,
        EventLog::Kafka(log) => log.append(appends).await?,
    };
    Ok(n)
}
