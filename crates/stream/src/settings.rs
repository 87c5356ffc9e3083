//! How streams are run: limits with their units, what is kept and for how long.

/// What becomes of measurements in the FHIR store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Observations {
    /// Every measurement becomes an Observation.
    All,
    /// The first of each measure and interval, and all that raised, changed or cleared an alert.
    #[default]
    Downsample,
    /// None.
    None,
}

/// What becomes of clinical notes in the FHIR store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Notes {
    /// DocumentReferences with the text.
    #[default]
    All,
    /// DocumentReferences without the text: that there is a note, of what kind, by whom.
    WithoutText,
    /// None.
    None,
}

/// What happens to a patient's further events when one cannot be processed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Poison {
    /// They are processed; the one is a dead letter.
    #[default]
    Skip,
    /// They are held, in order, until the one is run again or waived.
    Park,
}

/// Settings of a platform. Begin with the default and change what differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Partitions of a new embedded log; one that exists keeps its own number.
    pub partitions: u32,
    /// What becomes of measurements in the FHIR store.
    pub observations: Observations,
    /// The interval of [`Observations::Downsample`].
    pub downsample_secs: u32,
    /// What becomes of clinical notes in the FHIR store.
    pub notes: Notes,
    /// Answers and needs of social circumstances become Observations and Conditions.
    pub social: bool,
    /// What happens to a patient's further events when one cannot be processed.
    pub poison: Poison,
    /// Events that may wait to become durable.
    pub queue_events_max: usize,
    /// Bytes of events that may wait to become durable.
    pub queue_bytes_max: usize,
    /// Events of one publish.
    pub publish_events_max: usize,
    /// Events that are processed in one transaction.
    pub batch_events_max: usize,
    /// Patients whose state is held in memory, for each partition: about 3 kB each. Others are read when an event of theirs comes.
    pub states_max: usize,
    /// For so long an event that is sent again is recognised.
    pub dedup_days: u32,
    /// For so long events and measurements are kept.
    pub retention_days: u32,
    /// The store's change log is a stream.
    pub follow_store: bool,
    /// Longest wait between attempts to restart what has stopped.
    pub restart_secs_max: u32,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            partitions: 8,
            observations: Observations::Downsample,
            downsample_secs: 300,
            notes: Notes::All,
            social: true,
            poison: Poison::Skip,
            queue_events_max: 50_000,
            queue_bytes_max: 64 << 20,
            publish_events_max: 10_000,
            batch_events_max: 1_000,
            states_max: 2_500,
            dedup_days: 7,
            retention_days: 30,
            follow_store: true,
            restart_secs_max: 30,
        }
    }
}
