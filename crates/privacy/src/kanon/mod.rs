//! k-anonymity by strict multidimensional partitioning (Mondrian): rows are split while each part keeps `k` of them and the sensitive
//! column stays diverse; each part then shows one generalised value per quasi-identifier.
//!
//! Works stratum by stratum (a state, a sex), so that only one stratum is in memory; the same rows in the same order give the same result.

mod hierarchy;
mod quasi;
mod sensitive;
mod split;

use crate::{PrivacyError, SUPPRESSED};

pub use hierarchy::Hierarchy;
pub use quasi::Quasi;
pub use sensitive::{Diversity, Sensitive};

/// What must hold for every class.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// Fewest rows of a class.
    pub k: usize,
    /// How diverse the sensitive column must be within a class.
    pub diversity: Option<Diversity>,
    /// How far the sensitive column may be distributed from the whole (earth mover's distance of ordered levels, 0 to 1).
    pub closeness: Option<f64>,
    /// Largest share of rows that may be suppressed, 0 to 1.
    pub suppression_limit: f64,
}

impl Options {
    /// Classes of `k`, and at most 5 % suppressed.
    pub fn new(k: usize) -> Options {
        Options { k, diversity: None, closeness: None, suppression_limit: 0.05 }
    }

    fn check(&self) -> Result<(), PrivacyError> {
        let bad = |name, problem: &str| Err(PrivacyError::BadParameter { name, problem: problem.to_owned() });
        if self.k < 2 {
            return bad("k", "must be at least 2: a class of one is a person");
        }
        if !(0.0..=1.0).contains(&self.suppression_limit) {
            return bad("suppression_limit", "must be from 0 to 1, such as 0.05");
        }
        if self.closeness.is_some_and(|t| !(0.0..=1.0).contains(&t)) {
            return bad("t", "must be from 0 to 1, such as 0.2");
        }
        match self.diversity {
            Some(Diversity::Distinct(l)) if l < 2 => bad("l", "must be at least 2"),
            Some(Diversity::Entropy(l)) if !(l > 1.0 && l.is_finite()) => bad("l", "must be more than 1"),
            _ => Ok(()),
        }
    }
}

/// Rows that are generalised together.
#[derive(Debug)]
pub struct Stratum {
    quasi: Vec<Quasi>,
    sensitive: Option<Sensitive>,
    n_rows: usize,
}

impl Stratum {
    /// Columns of the same length, at least one.
    pub fn new(quasi: Vec<Quasi>, sensitive: Option<Sensitive>) -> Result<Stratum, PrivacyError> {
        let Some(first) = quasi.first() else {
            let problem = "needs at least one quasi-identifier".to_owned();
            return Err(PrivacyError::BadParameter { name: "quasi_identifiers", problem });
        };
        let n_rows = first.len();
        let lengths = quasi.iter().map(|column| (column.name(), column.len()));
        for (column, found) in lengths.chain(sensitive.iter().map(|column| (column.name(), column.len()))) {
            if found != n_rows {
                return Err(PrivacyError::Ragged { column: column.to_owned(), found, rows: n_rows });
            }
        }
        Ok(Stratum { quasi, sensitive, n_rows })
    }
}

/// A stratum after generalisation.
#[derive(Clone, PartialEq, Eq)]
pub struct Generalised {
    /// Labels of a class, one per quasi-identifier.
    classes: Vec<Vec<String>>,
    /// Class of each row; none when it is suppressed.
    rows: Vec<Option<usize>>,
}

impl Generalised {
    /// What a row shows for a quasi-identifier: [`SUPPRESSED`] when it is in no class.
    pub fn label(&self, row: usize, quasi: usize) -> &str {
        self.rows[row].map_or(SUPPRESSED, |class| &self.classes[class][quasi])
    }

    /// A row that must not leave with its other values: leave it out, or blank them.
    pub fn is_suppressed(&self, row: usize) -> bool {
        self.rows[row].is_none()
    }

    /// Rows, suppressed ones too.
    pub fn n_rows(&self) -> usize {
        self.rows.len()
    }

    /// Rows in no class.
    pub fn n_suppressed(&self) -> usize {
        self.rows.iter().filter(|class| class.is_none()).count()
    }

    /// Classes of rows.
    pub fn n_classes(&self) -> usize {
        self.classes.len()
    }
}

/// Counts only: labels are made of values.
impl std::fmt::Debug for Generalised {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Generalised({} rows in {} classes)", self.n_rows(), self.n_classes())
    }
}

/// Generalises one stratum after the other and keeps the sum of what was suppressed.
#[derive(Debug)]
pub struct Anonymizer {
    options: Options,
    /// Rows per level of the sensitive column in the whole table.
    reference: Option<Vec<u64>>,
    n_strata: u64,
    rows: u64,
    suppressed: u64,
}

impl Anonymizer {
    /// Refuses options that promise nothing.
    pub fn new(options: Options) -> Result<Anonymizer, PrivacyError> {
        options.check()?;
        Ok(Anonymizer { options, reference: None, n_strata: 0, rows: 0, suppressed: 0 })
    }

    /// The whole table's rows per level of the sensitive column, for t-closeness over several strata.
    #[must_use]
    pub fn with_reference(mut self, n_rows_of_level: Vec<u64>) -> Anonymizer {
        self.reference = Some(n_rows_of_level);
        self
    }

    /// Generalises a stratum. When it is too small or too uniform as a whole, all its rows are suppressed.
    pub fn generalise(&mut self, stratum: &Stratum) -> Result<Generalised, PrivacyError> {
        let test = self.test_of(stratum)?;
        let parts = split::partition(&stratum.quasi, stratum.n_rows, &test);
        let mut rows = vec![None; stratum.n_rows];
        let mut classes = Vec::with_capacity(parts.len());
        for (class, part) in parts.iter().enumerate() {
            classes.push(stratum.quasi.iter().map(|quasi| quasi.label(part)).collect());
            part.iter().for_each(|row| rows[*row as usize] = Some(class));
        }
        let generalised = Generalised { classes, rows };
        self.n_strata += 1;
        self.rows += stratum.n_rows as u64;
        self.suppressed += generalised.n_suppressed() as u64;
        Ok(generalised)
    }

    /// Rows seen and rows suppressed, if those are few enough.
    pub fn finish(self) -> Result<(u64, u64), PrivacyError> {
        let limit = self.options.suppression_limit;
        if self.suppressed as f64 > limit * self.rows as f64 {
            let (suppressed, rows) = (self.suppressed, self.rows);
            return Err(PrivacyError::SuppressionLimit { suppressed, rows, limit_percent: limit * 100.0 });
        }
        Ok((self.rows, self.suppressed))
    }

    fn test_of<'a>(&'a self, stratum: &'a Stratum) -> Result<split::Test<'a>, PrivacyError> {
        let bad = |name, problem: &str| Err(PrivacyError::BadParameter { name, problem: problem.to_owned() });
        let Options { k, diversity, closeness, .. } = self.options;
        if u32::try_from(stratum.n_rows).is_err() {
            return bad("stratum", "has more than 4,294,967,295 rows: use strata, such as states");
        }
        let Some(sensitive) = &stratum.sensitive else {
            if diversity.is_some() || closeness.is_some() {
                return bad("sensitive", "is missing: `l` and `t` are about a sensitive column");
            }
            return Ok(split::Test { k, sensitive: None });
        };
        let own = sensitive.counts();
        let reference = match (&self.reference, closeness) {
            (Some(reference), _) if reference.len() == own.len() => reference.clone(),
            (Some(_), _) => {
                return bad("reference", "has another number of levels than the sensitive column");
            }
            (None, Some(_)) if self.n_strata > 0 => {
                return bad(
                    "reference",
                    "is missing: `t` over several strata needs the whole table's counts",
                );
            }
            (None, _) => own,
        };
        let rule = sensitive::Rule { column: sensitive, diversity, closeness, reference };
        Ok(split::Test { k, sensitive: Some(rule) })
    }
}
