//! What can go wrong with the log, by what the caller can do about it.

use db::DbError;

use super::Position;

/// Why the log refused or failed. Names positions, never contents.
#[derive(Clone, Debug, thiserror::Error)]
pub enum LogError {
    /// Too much is on its way to the disk; HTTP says 429.
    #[error("the log is busy: more than `{bytes_max}` bytes wait to be written, send again in a moment")]
    Full {
        /// The limit that would be passed.
        bytes_max: usize,
    },
    /// One entry is too long; HTTP says 413.
    #[error("an event of `{bytes}` bytes is longer than `{bytes_max}`: send less at once")]
    TooLarge {
        /// How long it is.
        bytes: usize,
        /// How long it may be.
        bytes_max: usize,
    },
    /// The kind cannot be the name of a topic.
    #[error(
        "the name of this kind of event cannot be that of a topic: use at most 200 of letters, digits, `.`, `_`, `-`"
    )]
    KindName,
    /// There are as many kinds as there may be.
    #[error("there are `{n_max}` kinds of events already: use one of them")]
    KindsFull {
        /// How many there may be.
        n_max: usize,
    },
    /// The number of partitions cannot be changed: patients would change their partition.
    #[error(
        "the log has `{stored}` partitions, not `{asked}`: set `partitions: {stored}`, or move to a new log"
    )]
    Partitions {
        /// What it was made with.
        stored: u32,
        /// What was asked for.
        asked: u32,
    },
    /// There is no such partition.
    #[error("there is no partition `{partition}`: there are `{n_partitions}`, from 0")]
    NoPartition {
        /// What was asked for.
        partition: u32,
        /// How many there are.
        n_partitions: u32,
    },
    /// The offset was removed by retention, or lies beyond the end: the log or the offsets are of another time.
    #[error(
        "`{position}` is not in the log, which has `{start}` up to `{end}` there: begin at one of these, or restore the log"
    )]
    OutOfRange {
        /// What was asked for.
        position: Position,
        /// The first offset there.
        start: u64,
        /// The offset after the last.
        end: u64,
    },
    /// An entry is not what was written.
    #[error("the entry `{position}` is damaged ({why}): restore a backup, or skip it knowingly")]
    Corrupt {
        /// The first one that is damaged.
        position: Position,
        /// What does not agree.
        why: &'static str,
    },
    /// The disk is full; writing works again when there is space.
    #[error("the disk is full: nothing was appended, free some space")]
    NoSpace,
    /// A write failed, and what is on disk is not certain: nothing more is appended until the log is opened again.
    #[error("the log failed and takes nothing more ({0}): look at the disk, then start again")]
    Poisoned(DbError),
    /// The file cannot be read or written.
    #[error(transparent)]
    Db(#[from] DbError),
    /// The log is closed.
    #[error("the log is closed")]
    Closed,
    /// The brokers did not answer in time; nothing was acknowledged.
    #[error("Kafka does not answer, nothing was acknowledged: {0}")]
    Unavailable(String),
    /// Kafka refused.
    #[error("Kafka refused: {0}")]
    Kafka(String),
    /// A setting of the client that is not the configuration's to make.
    #[error("`{name}` cannot be set: it decides whether acknowledged events are kept, in order")]
    KafkaSetting {
        /// Its name.
        name: String,
    },
    /// The binary was built without TLS for Kafka.
    #[error(
        "`{name}` needs TLS, and this binary was built without it for Kafka: build with `--features kafka-tls`"
    )]
    TlsNotBuilt {
        /// The setting that needs it.
        name: String,
    },
    /// A setting is there that would not be used: the connection would be less safe than it looks.
    #[error(
        "`{name}` has no effect while `security.protocol` is `{protocol}`: set that to a protocol with `{part}` in its name (`sasl_ssl` has both), or remove it"
    )]
    KafkaProtocol {
        /// The setting without effect.
        name: String,
        /// What is set, or what librdkafka takes when nothing is.
        protocol: String,
        /// What the protocol must have: `sasl` or `ssl`.
        part: &'static str,
    },
    /// The client does not know a setting, or not its value.
    #[error("`{name}` is not a setting that the client of Kafka takes: {why}")]
    KafkaWrongSetting {
        /// Its name; the value may be a secret.
        name: String,
        /// What the client says.
        why: String,
    },
    /// Kafka does not know who signs in, or not so.
    #[error("Kafka refused the sign-in, look at `sasl.username`, `sasl.password` and `sasl.mechanism`: {0}")]
    KafkaSignIn(String),
    /// Whoever answers did not prove to be the broker.
    #[error(
        "no trusted TLS connection to Kafka: `ssl.ca.location` must name the authority that signed the broker's certificate, \
         `brokers` the host that it is for: {0}"
    )]
    KafkaTls(String),
    /// What Kafka cannot do for us.
    #[error("{what} is not supported with Kafka: set it on the topic, or use the embedded log")]
    NotWithKafka {
        /// What was asked for.
        what: &'static str,
    },
}

impl LogError {
    /// What became of entries whose transaction failed.
    pub(super) fn of_write(error: DbError) -> LogError {
        match error {
            DbError::Full => LogError::NoSpace,
            DbError::Closed => LogError::Closed,
            DbError::Io(_) | DbError::Corrupt(_) => LogError::Poisoned(error),
            _ => LogError::Db(error),
        }
    }
}
