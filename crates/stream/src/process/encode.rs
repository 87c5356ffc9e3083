//! What a batch writes, as it stands in the tables: encoded before the transaction, because the writer's thread serves everybody.

use std::fmt::Write as _;

use event::{Event, key_of, partition_of};
use keys::KeyRing;
use rules::RuleSet;

use super::board::text_of;
use super::dead::{self, Sealed};
use super::plan::{Batch, Effect, Held, Key};

/// The row of a patient.
pub(crate) struct State {
    pub(crate) key: Key,
    pub(crate) held: Held,
    pub(crate) partition: u32,
    pub(crate) due: Option<i64>,
    pub(crate) state: Vec<u8>,
    pub(crate) board: String,
}

/// What goes with one effect.
#[derive(Default)]
pub(crate) struct Encoded {
    /// What was measured, when anything was.
    pub(crate) measured: Option<String>,
    /// A dead letter's body.
    pub(crate) sealed: Option<Sealed>,
}

/// The rows of patients that a batch has touched.
pub(crate) fn states(batch: &mut Batch, rules: &RuleSet, n_partitions: u32) -> Vec<State> {
    let encode = |(key, held): (Key, Held)| State {
        partition: partition_of(&key_of(&key.0, &key.1), n_partitions),
        due: rules.next_time(&held.state).map(|due| due.0),
        state: held.state.to_bytes(),
        board: held.board.to_text(),
        key,
        held,
    };
    batch.held.drain().map(encode).collect()
}

/// One for each effect of the batch, in order.
pub(crate) fn effects(batch: &Batch, keys: Option<&KeyRing>) -> Result<Vec<Encoded>, crate::StreamError> {
    let encode = |effect: &Effect| match effect {
        Effect::Event(one) => {
            let measured = (!one.event.measurements().is_empty()).then(|| measured(&one.event));
            Ok(Encoded { measured, ..Encoded::default() })
        }
        Effect::Dead { decoded, .. } => {
            let sealed = dead::seal(keys, &decoded.tenant, &decoded.work.entry.append.body)?;
            Ok(Encoded { sealed: Some(sealed), ..Encoded::default() })
        }
        Effect::Time { .. } => Ok(Encoded::default()),
    };
    batch.effects.iter().map(encode).collect()
}

/// JSON: name, value, unit and flags of each measurement.
fn measured(event: &Event) -> String {
    let mut out = String::with_capacity(48 * event.measurements().len());
    for measurement in event.measurements() {
        out.push(if out.is_empty() { '[' } else { ',' });
        let quoted = |text: &str| serde_json::Value::from(text);
        let unit = measurement.unit.as_deref().map_or(serde_json::Value::Null, quoted);
        let (name, value) = (quoted(&measurement.name), quoted(&text_of(measurement)));
        let flags = serde_json::Value::from(measurement.flags.as_slice());
        write!(out, "[{name},{value},{unit},{flags}]").expect("a string takes everything");
    }
    out.push(']');
    out
}
