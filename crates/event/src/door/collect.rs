//! The measurements of one event: those that can be read, and those that stay in it as unreadable.

use super::Reading;
use crate::{Data, Measurement, Refusal, SourceConfig, Why};

/// Most values of one event.
const VALUES_MAX: usize = 1000;

/// Values of an event, one after the other.
pub(crate) struct Collected<'s> {
    source: &'s SourceConfig,
    /// Names that nobody knows are kept rather than unreadable.
    keep_unknown: bool,
    measurements: Vec<Measurement>,
    first_refusal: Option<Refusal>,
    n_readable: usize,
}

impl<'s> Collected<'s> {
    pub(crate) fn new(source: &'s SourceConfig, keep_unknown: bool) -> Collected<'s> {
        let (measurements, first_refusal, n_readable) = (Vec::new(), None, 0);
        Collected { source, keep_unknown, measurements, first_refusal, n_readable }
    }

    /// Adds a value; one that cannot be read stays with its reason.
    pub(crate) fn add(
        &mut self,
        reading: &Reading<'_>,
        place: impl FnOnce() -> String,
    ) -> Result<(), Refusal> {
        if self.measurements.len() == VALUES_MAX {
            return Err(Refusal::at(place(), Why::TooLarge { max: VALUES_MAX, of: "values" }));
        }
        match reading.measured(self.source, self.keep_unknown) {
            Ok(measurement) => {
                self.n_readable += 1;
                self.measurements.push(measurement);
            }
            Err(why) => self.refuse(reading, Refusal::at(place(), why)),
        }
        Ok(())
    }

    /// Adds a value that is known to be unreadable.
    pub(crate) fn refuse(&mut self, reading: &Reading<'_>, refusal: Refusal) {
        self.measurements.push(reading.unreadable(&refusal));
        self.first_refusal.get_or_insert(refusal);
    }

    /// All of it, the first refusal, and how many could be read: for a message of several events.
    pub(crate) fn parts(self) -> (Data, Option<Refusal>, usize) {
        (Data::Measurements(self.measurements), self.first_refusal, self.n_readable)
    }

    /// The event's data. An event in which nothing can be read is refused.
    pub(crate) fn finish(self, place: &str) -> Result<Data, Refusal> {
        match self.first_refusal {
            Some(refusal) if self.n_readable == 0 => Err(refusal),
            None if self.n_readable == 0 => Err(Refusal::at(place, Why::Nothing)),
            _ => Ok(Data::Measurements(self.measurements)),
        }
    }
}
