//! The board of a patient as it stands in its row: JSON in which an event that several values are of stands once. It is written with every event.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::board::{Board, Latest};

type Text<'a> = Cow<'a, str>;

#[derive(Default, Serialize, Deserialize)]
struct Written<'a> {
    at: i64,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    unit: Option<Text<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    bed: Option<Text<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    encounter: Option<Text<'a>>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    is_discharged: bool,
    /// Time, identifier and source.
    #[serde(borrow)]
    events: Vec<(i64, Text<'a>, Text<'a>)>,
    #[serde(borrow)]
    values: Vec<Value<'a>>,
    /// The last interval of which an Observation was kept, with its measures.
    #[serde(borrow, default, skip_serializing_if = "BTreeMap::is_empty")]
    kept: BTreeMap<i64, Vec<Text<'a>>>,
}

/// Measure, value, UCUM, the place of its event; then, where there is any, absence and flags.
#[derive(Serialize, Deserialize)]
struct Value<'a>(
    #[serde(borrow)] Text<'a>,
    #[serde(borrow)] Text<'a>,
    #[serde(borrow)] Option<Text<'a>>,
    usize,
    Option<(bool, Vec<String>)>,
);

impl Board {
    /// Of text that [`Board::to_text`] wrote.
    pub(crate) fn of_text(text: &str) -> Board {
        // Derived and for people: one that is not understood begins anew.
        let written: Written<'_> = serde_json::from_str(text).unwrap_or_default();
        let own = |text: Option<Text<'_>>| text.map(Cow::into_owned);
        let value = |Value(name, value, unit, place, more): Value<'_>| {
            let (at, event, source) = written.events.get(place)?;
            let (is_absent, flags) = more.unwrap_or_default();
            let latest = Latest {
                value: value.into_owned(),
                is_absent,
                unit: own(unit),
                at: *at,
                event: event.to_string(),
                source: source.to_string(),
                flags,
            };
            Some((name.into_owned(), latest))
        };
        let kept = written.kept.into_iter().flat_map(|(interval, measures)| {
            measures.into_iter().map(move |measure| (measure.into_owned(), interval))
        });
        Board {
            at: written.at,
            unit: own(written.unit),
            bed: own(written.bed),
            encounter: own(written.encounter),
            is_discharged: written.is_discharged,
            values: written.values.into_iter().filter_map(value).collect(),
            kept: kept.collect(),
        }
    }

    /// To be kept.
    pub(crate) fn to_text(&self) -> String {
        let mut events: Vec<(i64, &str, &str)> = Vec::new();
        let mut values = Vec::with_capacity(self.values.len());
        for (name, latest) in self.values.iter() {
            let event = (latest.at, latest.event.as_str(), latest.source.as_str());
            let place = events.iter().position(|known| *known == event).unwrap_or_else(|| {
                events.push(event);
                events.len() - 1
            });
            let has_more = latest.is_absent || !latest.flags.is_empty();
            values.push(Value(
                name.into(),
                latest.value.as_str().into(),
                latest.unit.as_deref().map(Cow::from),
                place,
                has_more.then(|| (latest.is_absent, latest.flags.clone())),
            ));
        }
        let mut kept: BTreeMap<i64, Vec<Text<'_>>> = BTreeMap::new();
        for (measure, interval) in self.kept.iter() {
            kept.entry(*interval).or_default().push(measure.into());
        }
        let written = Written {
            at: self.at,
            unit: self.unit.as_deref().map(Cow::from),
            bed: self.bed.as_deref().map(Cow::from),
            encounter: self.encounter.as_deref().map(Cow::from),
            is_discharged: self.is_discharged,
            events: events.into_iter().map(|(at, id, source)| (at, id.into(), source.into())).collect(),
            values,
            kept,
        };
        serde_json::to_string(&written).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn latest() -> impl Strategy<Value = Latest> {
        let texts = (".{0,6}", "[ab\"\\\\]{0,2}", "[mn]", proptest::option::of(".{0,4}"));
        (texts, 0_i64..3, any::<bool>(), proptest::collection::vec(".{0,5}", 0..3)).prop_map(
            |((value, event, source, unit), at, is_absent, flags)| Latest {
                value,
                is_absent,
                unit,
                at,
                event,
                source,
                flags,
            },
        )
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            (at, is_discharged) in (any::<i64>(), any::<bool>()),
            places in [proptest::option::of(".{0,5}"), proptest::option::of(".{0,5}"), proptest::option::of(".{0,5}")],
            values in proptest::collection::btree_map(".{0,5}", latest(), 0..6),
            kept in proptest::collection::btree_map(".{0,5}", -2_i64..3, 0..5),
        ) {
            let [unit, bed, encounter] = places;
            let board = Board { at, unit, bed, encounter, is_discharged, values: values.into_iter().collect(), kept: kept.into_iter().collect() };
            prop_assert!(Board::of_text(&board.to_text()) == board);
        }
    }

    #[test]
    fn what_is_not_understood_begins_anew() {
        assert!(Board::of_text("") == Board::default());
        assert!(Board::of_text("{\"at\":1}") == Board::default());
    }
}
