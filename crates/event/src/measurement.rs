//! One measured value, as rules and the store see it: LOINC, UCUM, comparator, status.

use clinical::Number;
use compact_str::CompactString;

/// What stands before a value that is only a bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Comparator {
    /// Below.
    Less,
    /// At most.
    LessOrEqual,
    /// At least.
    GreaterOrEqual,
    /// Above.
    Greater,
}

impl Comparator {
    /// `<`, `<=`, `>=`, `>`.
    pub fn sign(self) -> &'static str {
        match self {
            Comparator::Less => "<",
            Comparator::LessOrEqual => "<=",
            Comparator::GreaterOrEqual => ">=",
            Comparator::Greater => ">",
        }
    }

    /// The comparator of a sign.
    pub fn of_sign(sign: &str) -> Option<Comparator> {
        match sign {
            "<" => Some(Comparator::Less),
            "<=" | "\u{2264}" => Some(Comparator::LessOrEqual),
            ">=" | "\u{2265}" => Some(Comparator::GreaterOrEqual),
            ">" => Some(Comparator::Greater),
            _ => None,
        }
    }
}

/// How final a result is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Status {
    /// May change.
    Preliminary,
    /// As it stands.
    #[default]
    Final,
    /// Replaces one that was sent before.
    Corrected,
    /// Not done.
    Cancelled,
    /// Was never true: what it caused is retracted.
    EnteredInError,
}

impl Status {
    /// Its name, as FHIR has it.
    pub fn name(self) -> &'static str {
        match self {
            Status::Preliminary => "preliminary",
            Status::Final => "final",
            Status::Corrected => "corrected",
            Status::Cancelled => "cancelled",
            Status::EnteredInError => "entered-in-error",
        }
    }

    /// The status of a name of FHIR's `ObservationStatus`.
    pub fn named(name: &str) -> Option<Status> {
        match name {
            "preliminary" | "registered" | "partial" | "unknown" => Some(Status::Preliminary),
            "final" => Some(Status::Final),
            "corrected" | "amended" | "appended" => Some(Status::Corrected),
            "cancelled" => Some(Status::Cancelled),
            "entered-in-error" => Some(Status::EnteredInError),
            _ => None,
        }
    }
}

/// What was measured.
#[derive(Clone, PartialEq, Eq)]
pub enum Value {
    /// A number in the unit of its measurement.
    Number(Number),
    /// A code or a word: consciousness `A`, `C`, `V`, `P`, `U`; breathing `air`, `oxygen`.
    Text(String),
    /// The sender says that there is none; the reason as it was sent.
    Absent(String),
}

/// Which of them, not what it says.
impl std::fmt::Debug for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Value::Number(_) => "Number",
            Value::Text(_) => "Text",
            Value::Absent(_) => "Absent",
        })
    }
}

/// One measured value. Does not print.
#[derive(Clone, PartialEq, Eq)]
pub struct Measurement {
    /// The field's short name: `heart_rate`, `systolic`, `diastolic`, `mean_pressure`, `respiratory_rate`, `spo2`, `temperature`, `consciousness`,
    /// `breathing`, `potassium`, `glucose`, `haemoglobin`, ... (all of them: [`measures`](crate::measures)); the LOINC code or the sender's name
    /// when no short name is known. Short texts (up to 24 bytes) cost no allocation.
    pub name: CompactString,
    /// LOINC code, when one is known.
    pub loinc: Option<CompactString>,
    /// The value in `unit`.
    pub value: Value,
    /// `>10`: the value is a bound.
    pub comparator: Option<Comparator>,
    /// UCUM code of the canonical unit of this measure; `None` for texts and for what has no unit.
    pub unit: Option<CompactString>,
    /// The value and unit as they were sent, when they differ.
    pub sent: Option<String>,
    /// How final.
    pub status: Status,
    /// The sender's identifier of this result (an order's filler number and code): a correction has the same.
    pub result: Option<String>,
    /// Flags of specimen and device: `haemolysed`, `clotted`, `diluted`, `artefact`, `imputed`; `unreadable` when the value could not be read and
    /// is `Absent` with the reason (its `sent` has what came); the sender's own judgement as `interpretation:HH`.
    pub flags: Vec<String>,
}

/// The flag of a value that could not be read.
pub const UNREADABLE: &str = "unreadable";

impl Measurement {
    /// Its number, when it has one and it is no bound.
    pub fn number(&self) -> Option<Number> {
        match &self.value {
            Value::Number(number) if self.comparator.is_none() => Some(*number),
            _ => None,
        }
    }

    /// Could it not be read: a worklist that clinicians see.
    pub fn is_unreadable(&self) -> bool {
        self.flags.iter().any(|flag| flag == UNREADABLE)
    }
}

/// Does not print.
impl std::fmt::Debug for Measurement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Measurement({})", self.name)
    }
}
