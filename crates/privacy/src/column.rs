//! One column's rule, ready to be applied value by value; many threads may share it.

use std::fmt;
use std::sync::Arc;

use jiff::civil::Date;

use crate::zip::Zip3;
use crate::{Cell, Classification, DateShift, Effect, Pseudonyms, Transform, Vault, date};

/// What happens to the values of one column.
pub struct ColumnPlan {
    pub(crate) name: String,
    pub(crate) class: Classification,
    pub(crate) transform: Transform,
    pub(crate) action: Action,
}

/// A transformation with what it needs.
pub(crate) enum Action {
    Drop,
    Keep,
    Zip3(Arc<Zip3>),
    Year(Date),
    Age,
    Shift(DateShift),
    Pseudonym(Pseudonyms),
    Surrogate { vault: Arc<Vault>, domain: String },
}

impl ColumnPlan {
    /// Name of the column.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What is in it.
    pub fn classification(&self) -> Classification {
        self.class
    }

    /// What happens to it.
    pub fn transform(&self) -> Transform {
        self.transform
    }

    /// The column does not leave at all.
    pub fn is_dropped(&self) -> bool {
        self.transform == Transform::Drop
    }

    /// The result depends on the patient, so a value cannot be treated once for all rows that hold it.
    pub fn needs_patient(&self) -> bool {
        self.transform == Transform::Shift
    }

    /// What leaves in place of a value. `patient` is the identifier of the row's patient; it counts only where
    /// [`ColumnPlan::needs_patient`]. A date of nobody is not shifted but left out.
    pub fn apply<'a>(&self, value: &'a str, patient: &str) -> Cell<'a> {
        if let Action::Drop = self.action {
            return Cell::empty(Effect::Dropped);
        }
        if value.trim().is_empty() {
            return Cell::empty(Effect::Absent);
        }
        match &self.action {
            Action::Drop => Cell::empty(Effect::Dropped),
            Action::Keep => Cell::new(value, Effect::Kept),
            Action::Zip3(zip3) => zip3.apply(value),
            Action::Year(as_of) => date::year(value, *as_of),
            Action::Age => date::age(value),
            Action::Shift(_) if patient.trim().is_empty() => Cell::empty(Effect::Unreadable),
            Action::Shift(shift) => shift.apply(value, patient),
            Action::Pseudonym(pseudonyms) => Cell::new(pseudonyms.of(value), Effect::Replaced),
            Action::Surrogate { vault, domain } => {
                Cell::new(vault.surrogate(domain, value), Effect::Replaced)
            }
        }
    }
}

impl fmt::Debug for ColumnPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ColumnPlan(`{}`: {} by {})", self.name, self.class, self.transform)
    }
}
