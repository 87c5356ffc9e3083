//! What the writer gave out in memory, so that it can be forgotten when a savepoint is rolled back.

use compact_str::CompactString;

use crate::sqlite::catalog::{Generations, Given};

/// Something that was remembered.
#[derive(Clone, Debug)]
pub(crate) enum Remembered {
    /// A number of the catalog.
    Number(Given),
    /// A name.
    Name(CompactString),
    /// A unit.
    Unit(UnitKey),
    /// What references to a type and id point at.
    Target(u32, CompactString),
    /// An actor.
    Actor(ActorKey),
    /// The generations of the index as they were before, and whether the one that served was of this program's definitions.
    Generations(Generations, bool),
}

/// What a unit is found by: system, code, text, canonical.
pub(crate) type UnitKey = (CompactString, CompactString, CompactString, bool);
/// What an actor is found by: principal, purpose, decision, on behalf of.
pub(crate) type ActorKey = (String, String, String, String);
