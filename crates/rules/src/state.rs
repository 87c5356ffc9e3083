//! What is remembered of a patient between events: recent values, timers of rules, episodes.

mod bytes;

use std::sync::Arc;

use clinical::{Number, Pregnancy};
use event::Comparator;

use crate::Severity;

/// What the store or the door says of a patient. Unknown stays unknown.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Subject {
    /// `YYYY-MM-DD`, or a prefix of it.
    pub birth_date: Option<String>,
    /// Pregnant or post-partum.
    pub pregnancy: Pregnancy,
    /// A prescriber's coded order of SpO2 88 to 92 % (NEWS2 scale 2).
    pub spo2_target_88_92: bool,
    /// On dialysis: no AKI.
    pub dialysis: bool,
    /// RxNorm codes of active medication, without the order that the event is about.
    pub medications: Vec<String>,
    /// Codes of allergies.
    pub allergies: Vec<String>,
}

/// A person does not print.
impl std::fmt::Debug for Subject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Subject")
    }
}

/// Events whose ids are remembered, so that a repeated one changes nothing.
pub(crate) const N_SEEN_MAX: usize = 16;

/// What is remembered of one patient. Kept as bytes with the stream's offsets, in the same transaction.
#[derive(Clone, PartialEq)]
pub struct PatientState {
    pub(crate) patient: String,
    /// As a sender said it: for patients that the store does not know.
    pub(crate) birth_date: Option<String>,
    /// Hashes of the last events, oldest first.
    pub(crate) seen: Vec<u64>,
    /// Time of the newest event.
    pub(crate) newest: i64,
    /// When an input of a score becomes too old; `i64::MAX`: never.
    pub(crate) expiry: i64,
    pub(crate) tracks: Vec<Track>,
    pub(crate) episodes: Vec<Episode>,
}

impl Default for PatientState {
    fn default() -> PatientState {
        PatientState {
            patient: String::new(),
            birth_date: None,
            seen: Vec::new(),
            newest: i64::MIN,
            expiry: i64::MAX,
            tracks: Vec::new(),
            episodes: Vec::new(),
        }
    }
}

/// What is known of a patient does not print.
impl std::fmt::Debug for PatientState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PatientState({} measures, {} episodes)", self.tracks.len(), self.episodes.len())
    }
}

/// Recent values of one measure, in the order of their time.
#[derive(Clone, PartialEq)]
pub(crate) struct Track {
    /// Hash of the measure's name.
    pub(crate) measure: u64,
    pub(crate) entries: Vec<Entry>,
}

/// One remembered value.
#[derive(Clone, PartialEq)]
pub(crate) struct Entry {
    pub(crate) at: i64,
    pub(crate) number: Number,
    pub(crate) comparator: Option<Comparator>,
    /// Bits: [`UNUSABLE`] and its reasons, [`PRELIMINARY`], [`CORRECTED`].
    pub(crate) marks: u8,
    /// Hash of the sender's identifier of the result; 0 when there is none.
    pub(crate) result: u64,
    pub(crate) origin: Arc<Origin>,
    /// Flags as they were sent.
    pub(crate) flags: Option<Arc<str>>,
}

/// The event that brought a value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Origin {
    pub(crate) event: String,
    pub(crate) source: String,
}

/// Flagged by the device.
pub(crate) const ARTEFACT: u8 = 1;
/// Outside what a living person has.
pub(crate) const IMPLAUSIBLE: u8 = 2;
/// The event's quality is below what its source must have.
pub(crate) const LOW_QUALITY: u8 = 4;
/// Not judged, only shown.
pub(crate) const UNUSABLE: u8 = ARTEFACT | IMPLAUSIBLE | LOW_QUALITY;
pub(crate) const PRELIMINARY: u8 = 8;
pub(crate) const CORRECTED: u8 = 16;

/// What a rule remembers of a patient. It exists only while there is something to remember.
#[derive(Clone, PartialEq)]
pub(crate) struct Episode {
    /// Hash of the rule's name: an episode lives on when its rule gets a new version.
    pub(crate) rule: u64,
    /// Hash of the measure; 0 for expressions and orders.
    pub(crate) measure: u64,
    /// Hash of the code that an order's alert is about; else 0.
    pub(crate) about: u64,
    pub(crate) open: Option<Box<Open>>,
    pub(crate) rows: Vec<RowState>,
    pub(crate) calm: Option<Box<Calm>>,
    /// Hash of the reason why the rule was last not evaluated; 0: it was.
    pub(crate) note: u64,
    /// Openings of alerts that ended in this call; empty between calls.
    pub(crate) ended: Vec<String>,
}

/// An alert is open.
#[derive(Clone, PartialEq)]
pub(crate) struct Open {
    /// The event that opened it.
    pub(crate) opening: String,
    pub(crate) severity: Severity,
    /// When the last `Raise` was said.
    pub(crate) said_at: i64,
    /// Hashes of the results that it rests on.
    pub(crate) rests: Vec<u64>,
    /// Rows that were active, with their worst values.
    pub(crate) worst: Vec<(u8, Number)>,
}

/// A row whose condition is met, or was and is not over.
#[derive(Clone, PartialEq)]
pub(crate) struct RowState {
    pub(crate) key: u8,
    pub(crate) active: bool,
    /// Since when the condition is met.
    pub(crate) since: i64,
    /// Since when the clear condition is met.
    pub(crate) clear_since: Option<i64>,
    pub(crate) worst: Number,
    /// The event that first met it.
    pub(crate) event: String,
}

/// After an episode: how bad it was, and until when the same again is not said.
#[derive(Clone, PartialEq)]
pub(crate) struct Calm {
    pub(crate) until: i64,
    /// Rows that were active, with their worst values.
    pub(crate) rows: Vec<(u8, Number)>,
}

impl PatientState {
    /// Of bytes that [`PatientState::to_bytes`] wrote; `None` when they are not understood.
    pub fn of_bytes(bytes: &[u8]) -> Option<PatientState> {
        bytes::read(bytes)
    }

    /// To be kept.
    pub fn to_bytes(&self) -> Vec<u8> {
        bytes::write(self)
    }

    /// The canonical patient of the last event.
    pub fn patient(&self) -> &str {
        &self.patient
    }

    /// Remembers an event; `false` when it was here before.
    pub(crate) fn remember(&mut self, event: u64) -> bool {
        if self.seen.contains(&event) {
            return false;
        }
        if self.seen.len() == N_SEEN_MAX {
            self.seen.rotate_left(1);
            self.seen[N_SEEN_MAX - 1] = event;
        } else {
            self.seen.push(event);
        }
        true
    }

    pub(crate) fn track(&self, measure: u64) -> Option<&Track> {
        self.tracks.iter().find(|track| track.measure == measure)
    }

    pub(crate) fn track_mut(&mut self, measure: u64) -> &mut Track {
        let found = self.tracks.iter().position(|track| track.measure == measure);
        let at = found.unwrap_or_else(|| {
            room_for_one(&mut self.tracks);
            self.tracks.push(Track { measure, entries: Vec::new() });
            self.tracks.len() - 1
        });
        &mut self.tracks[at]
    }

    /// The latest usable value.
    pub(crate) fn latest(&self, measure: u64) -> Option<&Entry> {
        self.track(measure)?.entries.iter().rev().find(|entry| entry.is_usable())
    }

    pub(crate) fn episode(&self, rule: u64, about: u64) -> Option<usize> {
        self.episodes.iter().position(|episode| episode.rule == rule && episode.about == about)
    }

    /// The place of a rule's episode, made when there is none.
    pub(crate) fn episode_or_new(&mut self, rule: u64, about: u64, measure: u64) -> usize {
        self.episode(rule, about).unwrap_or_else(|| {
            self.episodes.push(Episode {
                rule,
                measure,
                about,
                open: None,
                rows: Vec::new(),
                calm: None,
                note: 0,
                ended: Vec::new(),
            });
            self.episodes.len() - 1
        })
    }

    /// Forgets episodes that hold nothing.
    pub(crate) fn tidy(&mut self) {
        let newest = self.newest;
        self.episodes.retain_mut(|episode| {
            episode.ended = Vec::new();
            episode.calm.take_if(|calm| calm.until <= newest && episode.rows.is_empty());
            episode.open.is_some() || episode.calm.is_some() || episode.note != 0 || !episode.rows.is_empty()
        });
        // Tens of thousands of patients are held in memory.
        self.episodes.shrink_to_fit();
    }
}

/// Makes room for one more and, while there are few, for no others: tens of thousands of patients are held in memory, most with
/// one or two of each.
pub(crate) fn room_for_one<T>(list: &mut Vec<T>) {
    if list.len() == list.capacity() && list.len() < 4 {
        list.reserve_exact(1);
    }
}

impl Entry {
    pub(crate) fn is_usable(&self) -> bool {
        self.marks & UNUSABLE == 0
    }
}

impl Track {
    /// Puts a value at its place by time, after others of the same time. `None`: older than all when there is no room.
    pub(crate) fn insert(&mut self, entry: Entry, n_kept: usize) -> Option<usize> {
        let place =
            self.entries.iter().rposition(|other| other.at <= entry.at).map_or(0, |before| before + 1);
        if self.entries.len() >= n_kept {
            if place == 0 {
                return None;
            }
            self.entries[..place].rotate_left(1);
            self.entries[place - 1] = entry;
            return Some(place - 1);
        }
        room_for_one(&mut self.entries);
        self.entries.insert(place, entry);
        Some(place)
    }

    pub(crate) fn of_result(&self, result: u64) -> Option<usize> {
        (result != 0).then(|| self.entries.iter().position(|entry| entry.result == result))?
    }
}
