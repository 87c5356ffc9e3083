//! One measured value, as rules and the store see it: LOINC, UCUM, comparator, status.

use clinical::Number;

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

/// What was measured.
#[derive(Clone, PartialEq)]
pub enum Value {
    /// A number in the unit of its measurement.
    Number(Number),
    /// A code or a word: consciousness `A`, `C`, `V`, `P`, `U`; breathing `air`, `oxygen`.
    Text(String),
    /// The sender says that there is none; the reason as it was sent.
    Absent(String),
}

/// One measured value. Does not print.
#[derive(Clone, PartialEq)]
pub struct Measurement {
    /// The field's short name: `heart_rate`, `systolic`, `diastolic`, `mean_pressure`, `respiratory_rate`, `spo2`, `temperature`, `consciousness`,
    /// `breathing`, `potassium`, `glucose`, `haemoglobin`, ...; the LOINC code when no short name is known.
    pub name: String,
    /// LOINC code, when one is known.
    pub loinc: Option<String>,
    /// The value in `unit`.
    pub value: Value,
    /// `>10`: the value is a bound.
    pub comparator: Option<Comparator>,
    /// UCUM code of the canonical unit of this measure; `None` for texts and for what has no unit.
    pub unit: Option<String>,
    /// The value and unit as they were sent, when they differ.
    pub sent: Option<String>,
    /// How final.
    pub status: Status,
    /// The sender's identifier of this result (an order's filler number and code): a correction has the same.
    pub result: Option<String>,
    /// Flags of specimen and device: `haemolysed`, `clotted`, `diluted`, `artefact`, `imputed`.
    pub flags: Vec<String>,
}

impl std::fmt::Debug for Measurement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Measurement({})", self.name)
    }
}
