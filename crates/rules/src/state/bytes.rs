//! The state of a patient as bytes: a version, then numbers of variable length; each event that is named stands once with its time, so that a value is
//! mostly five bytes. It is written with every event, and its length is what that costs.

use std::sync::Arc;

use clinical::Number;
use event::Comparator;

use super::{Calm, Entry, Episode, Open, Origin, PatientState, RowState, Track};
use crate::Severity;

const VERSION: u8 = 2;
/// More is not a state that was written here.
const COUNT_MAX: u64 = 100_000;

const COMPARATORS: [Option<Comparator>; 5] = [
    None,
    Some(Comparator::Less),
    Some(Comparator::LessOrEqual),
    Some(Comparator::GreaterOrEqual),
    Some(Comparator::Greater),
];

/// Beside the comparator, in one byte: what follows of a value.
const HAS_MARKS: u8 = 8;
const HAS_RESULT: u8 = 16;
const HAS_FLAGS: u8 = 32;

struct Writer(Vec<u8>);

impl Writer {
    fn whole(&mut self, mut n: u64) {
        while n >= 0x80 {
            self.0.push(n as u8 | 0x80);
            n >>= 7;
        }
        self.0.push(n as u8);
    }

    fn signed(&mut self, n: i64) {
        self.whole(((n << 1) ^ (n >> 63)) as u64);
    }

    fn fixed(&mut self, n: u64) {
        self.0.extend_from_slice(&n.to_le_bytes());
    }

    fn text(&mut self, text: &str) {
        self.whole(text.len() as u64);
        self.0.extend_from_slice(text.as_bytes());
    }

    fn number(&mut self, number: Number) {
        let (digits, scale) = number.parts();
        self.0.push(scale);
        self.signed(digits);
    }

    fn list<T>(&mut self, items: &[T], mut each: impl FnMut(&mut Writer, &T)) {
        self.whole(items.len() as u64);
        items.iter().for_each(|item| each(self, item));
    }
}

pub(super) fn write(state: &PatientState) -> Vec<u8> {
    let mut out = Writer(Vec::with_capacity(256));
    out.0.push(VERSION);
    out.text(&state.patient);
    out.text(state.birth_date.as_deref().unwrap_or(""));
    out.list(&state.seen, |out, hash| out.fixed(*hash));
    out.signed(state.newest);
    out.signed(state.expiry);
    let mut moments: Vec<(&Arc<Origin>, i64)> = Vec::new();
    for entry in state.tracks.iter().flat_map(|track| &track.entries) {
        if place_of(&moments, entry).is_none() {
            moments.push((&entry.origin, entry.at));
        }
    }
    // Times lie near the newest one: the distance is short.
    let near = |at: i64| state.newest.wrapping_sub(at);
    out.list(&moments, |out, (origin, at)| {
        out.text(&origin.event);
        out.text(&origin.source);
        out.signed(near(*at));
    });
    out.list(&state.tracks, |out, track| {
        out.fixed(track.measure);
        out.list(&track.entries, |out, entry| {
            let comparator =
                COMPARATORS.iter().position(|c| *c == entry.comparator).expect("all are in the table");
            let has = |is: bool, bit: u8| if is { bit } else { 0 };
            let more = has(entry.marks != 0, HAS_MARKS)
                | has(entry.result != 0, HAS_RESULT)
                | has(entry.flags.is_some(), HAS_FLAGS);
            out.whole(place_of(&moments, entry).expect("all were gathered") as u64);
            out.number(entry.number);
            out.0.push(comparator as u8 | more);
            if entry.marks != 0 {
                out.0.push(entry.marks);
            }
            if entry.result != 0 {
                out.fixed(entry.result);
            }
            if let Some(flags) = &entry.flags {
                out.text(flags);
            }
        });
    });
    out.list(&state.episodes, |out, episode| write_episode(out, episode, &near));
    out.0
}

/// Entries of one event share its name in memory; of two that only have the same name, each stands by itself.
fn place_of(moments: &[(&Arc<Origin>, i64)], entry: &Entry) -> Option<usize> {
    moments.iter().position(|(origin, at)| *at == entry.at && Arc::ptr_eq(origin, &entry.origin))
}

fn write_episode(out: &mut Writer, episode: &Episode, near: &dyn Fn(i64) -> i64) {
    out.fixed(episode.rule);
    out.fixed(episode.measure);
    out.fixed(episode.about);
    out.fixed(episode.note);
    out.list(episode.open.as_slice(), |out, open| {
        out.text(&open.opening);
        out.0.push(open.severity as u8);
        out.signed(near(open.said_at));
        out.list(&open.rests, |out, result| out.fixed(*result));
        write_worst(out, &open.worst);
    });
    out.list(&episode.rows, |out, row| {
        out.0.push(row.key);
        out.0.push(u8::from(row.active));
        out.signed(near(row.since));
        out.list(row.clear_since.as_slice(), |out, since| out.signed(near(*since)));
        out.number(row.worst);
        out.text(&row.event);
    });
    out.list(episode.calm.as_slice(), |out, calm| {
        out.signed(near(calm.until));
        write_worst(out, &calm.rows);
    });
}

fn write_worst(out: &mut Writer, rows: &[(u8, Number)]) {
    out.list(rows, |out, (key, worst)| {
        out.0.push(*key);
        out.number(*worst);
    });
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, n: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(n)?;
        self.0 = rest;
        Some(taken)
    }

    fn byte(&mut self) -> Option<u8> {
        Some(self.take(1)?[0])
    }

    fn whole(&mut self) -> Option<u64> {
        let (mut n, mut shift) = (0_u64, 0);
        loop {
            let byte = self.byte()?;
            if shift > 63 {
                return None;
            }
            n |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(n);
            }
            shift += 7;
        }
    }

    fn signed(&mut self) -> Option<i64> {
        let n = self.whole()?;
        Some((n >> 1) as i64 ^ -((n & 1) as i64))
    }

    fn fixed(&mut self) -> Option<u64> {
        Some(u64::from_le_bytes(self.take(8)?.try_into().ok()?))
    }

    fn text(&mut self) -> Option<String> {
        let length = usize::try_from(self.whole()?).ok()?;
        Some(std::str::from_utf8(self.take(length)?).ok()?.to_owned())
    }

    fn number(&mut self) -> Option<Number> {
        let scale = self.byte().filter(|scale| *scale <= 18)?;
        Some(Number::of(self.signed()?, scale))
    }

    fn list<T>(&mut self, mut each: impl FnMut(&mut Reader<'a>) -> Option<T>) -> Option<Vec<T>> {
        let count = self.whole().filter(|count| *count <= COUNT_MAX)?;
        (0..count).map(|_| each(self)).collect()
    }

    fn severity(&mut self) -> Option<Severity> {
        let byte = self.byte()?;
        Severity::ALL.into_iter().find(|severity| *severity as u8 == byte)
    }
}

pub(super) fn read(bytes: &[u8]) -> Option<PatientState> {
    let mut input = Reader(bytes);
    if input.byte()? != VERSION {
        return None;
    }
    let patient = input.text()?;
    let birth_date = Some(input.text()?).filter(|date| !date.is_empty());
    let seen = input.list(Reader::fixed)?;
    let newest = input.signed()?;
    let expiry = input.signed()?;
    let far = |distance: i64| newest.wrapping_sub(distance);
    let moments = input.list(|input| {
        let origin = Arc::new(Origin { event: input.text()?, source: input.text()? });
        Some((origin, far(input.signed()?)))
    })?;
    let tracks = input.list(|input| {
        let measure = input.fixed()?;
        let entries = input.list(|input| {
            let (origin, at) = moments.get(usize::try_from(input.whole()?).ok()?)?;
            let number = input.number()?;
            let shape = input.byte()?;
            let has = |bit: u8| shape & bit != 0;
            Some(Entry {
                at: *at,
                number,
                comparator: *COMPARATORS.get(usize::from(shape & 7))?,
                marks: if has(HAS_MARKS) { input.byte()? } else { 0 },
                result: if has(HAS_RESULT) { input.fixed()? } else { 0 },
                origin: Arc::clone(origin),
                flags: if has(HAS_FLAGS) { Some(Arc::from(input.text()?)) } else { None },
            })
        })?;
        Some(Track { measure, entries })
    })?;
    let episodes = input.list(|input| read_episode(input, &far))?;
    input.0.is_empty().then_some(PatientState { patient, birth_date, seen, newest, expiry, tracks, episodes })
}

fn read_worst(input: &mut Reader<'_>) -> Option<Vec<(u8, Number)>> {
    input.list(|input| Some((input.byte()?, input.number()?)))
}

fn read_episode(input: &mut Reader<'_>, far: &dyn Fn(i64) -> i64) -> Option<Episode> {
    let (rule, measure, about, note) = (input.fixed()?, input.fixed()?, input.fixed()?, input.fixed()?);
    let open = input.list(|input| {
        Some(Open {
            opening: input.text()?,
            severity: input.severity()?,
            said_at: far(input.signed()?),
            rests: input.list(Reader::fixed)?,
            worst: read_worst(input)?,
        })
    })?;
    let rows = input.list(|input| {
        Some(RowState {
            key: input.byte()?,
            active: input.byte()? == 1,
            since: far(input.signed()?),
            clear_since: input.list(|input| Some(far(input.signed()?)))?.pop(),
            worst: input.number()?,
            event: input.text()?,
        })
    })?;
    let calm = input.list(|input| Some(Calm { until: far(input.signed()?), rows: read_worst(input)? }))?;
    Some(Episode {
        rule,
        measure,
        about,
        note,
        open: open.into_iter().next().map(Box::new),
        rows,
        calm: calm.into_iter().next().map(Box::new),
        ended: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_was_not_written_here_is_not_understood() {
        let empty = PatientState::default().to_bytes();
        assert_eq!(PatientState::of_bytes(&empty), Some(PatientState::default()));
        assert_eq!(PatientState::of_bytes(&[]), None);
        assert_eq!(PatientState::of_bytes(&[VERSION + 1]), None);
        assert_eq!(PatientState::of_bytes(&empty[..empty.len() - 1]), None);
        assert_eq!(PatientState::of_bytes(&[&empty[..], &[0]].concat()), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut versioned = vec![VERSION];
            versioned.extend(bytes);
            let _ = PatientState::of_bytes(&versioned);
        }

        #[test]
        fn numbers_keep_their_value(n in any::<u64>(), signed in any::<i64>()) {
            let mut out = Writer(Vec::new());
            out.whole(n);
            out.signed(signed);
            let mut input = Reader(&out.0);
            prop_assert_eq!((input.whole(), input.signed()), (Some(n), Some(signed)));
            prop_assert!(input.0.is_empty());
        }
    }
}
