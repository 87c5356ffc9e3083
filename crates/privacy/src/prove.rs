//! The proof of k-anonymity: groups the rows as they were published and counts. Shares no code with the algorithm that made them.

use std::collections::BTreeMap;

const SLACK: f64 = 1e-9;
/// More findings than anybody reads.
const FINDINGS_MAX: usize = 100;

/// What must hold for published rows.
#[derive(Clone, Debug, Default)]
pub struct Requirement<'a> {
    /// Fewest rows that look alike.
    pub k: u64,
    /// What must hold for the sensitive column of each class.
    pub sensitive: Option<SensitiveRequirement<'a>>,
}

/// What must hold for the sensitive column of each class.
#[derive(Clone, Debug, Default)]
pub struct SensitiveRequirement<'a> {
    /// Index of the column.
    pub column: usize,
    /// Fewest different values.
    pub distinct: Option<u64>,
    /// Fewest equally frequent values that would be as uncertain.
    pub entropy: Option<f64>,
    /// Largest distance of a class from the whole.
    pub closeness: Option<f64>,
    /// Levels from low to high; needed for the distance.
    pub order: &'a [&'a str],
    /// Rows per level of the whole table; without it, of the published rows.
    pub reference: Option<&'a [u64]>,
}

/// Why published rows are not what was promised. Classes and rows are named by the first row, from 0.
#[derive(Clone, Debug, PartialEq)]
pub enum Finding {
    /// Too few rows look alike.
    SmallClass {
        /// First row of the class.
        first_row: u64,
        /// Its rows.
        n_rows: u64,
    },
    /// Some quasi-identifiers of a row are suppressed and others are not.
    PartlySuppressed {
        /// Which row.
        row: u64,
    },
    /// A row has too few columns.
    ShortRow {
        /// Which row.
        row: u64,
    },
    /// Too few different values of the sensitive column.
    FewValues {
        /// First row of the class.
        first_row: u64,
        /// Different values.
        distinct: u64,
    },
    /// Too little entropy of the sensitive column.
    LittleEntropy {
        /// First row of the class.
        first_row: u64,
        /// As uncertain as so many equally frequent values.
        equivalent: f64,
    },
    /// Distributed too differently from the whole.
    FarFromWhole {
        /// First row of the class.
        first_row: u64,
        /// Distance, 0 to 1.
        distance: f64,
    },
    /// A value of the sensitive column that the order does not list.
    UnknownLevel {
        /// First row of the class.
        first_row: u64,
    },
}

/// What was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Proof {
    /// Rows looked at.
    pub rows: u64,
    /// Rows whose quasi-identifiers are all `*`: they are no class.
    pub suppressed_rows: u64,
    /// Groups of rows that look alike.
    pub classes: u64,
    /// Rows of the smallest; none when there is no class.
    pub min_class: Option<u64>,
    /// Risk of the row at most risk: one in its class.
    pub max_risk: f64,
    /// Mean risk of the rows in classes: classes per row.
    pub avg_risk: f64,
    /// Rows at the highest risk.
    pub rows_at_max_risk: u64,
    /// What does not hold, at most a hundred.
    pub findings: Vec<Finding>,
    /// How much does not hold.
    pub n_findings: u64,
}

impl Proof {
    /// Everything that was required holds.
    pub fn holds(&self) -> bool {
        self.n_findings == 0
    }

    fn report(&mut self, finding: Finding) {
        self.n_findings += 1;
        if self.findings.len() < FINDINGS_MAX {
            self.findings.push(finding);
        }
    }
}

#[derive(Default)]
struct Group {
    first_row: u64,
    n_rows: u64,
    values: BTreeMap<String, u64>,
}

/// Groups published rows by their quasi-identifiers and checks every group.
pub fn prove<Row, Value>(
    rows: impl IntoIterator<Item = Row>,
    quasi_identifiers: &[usize],
    requirement: &Requirement<'_>,
) -> Proof
where
    Row: AsRef<[Value]>,
    Value: AsRef<str>,
{
    let mut proof = Proof {
        rows: 0,
        suppressed_rows: 0,
        classes: 0,
        min_class: None,
        max_risk: 0.0,
        avg_risk: 0.0,
        rows_at_max_risk: 0,
        findings: Vec::new(),
        n_findings: 0,
    };
    let mut groups: BTreeMap<Vec<String>, Group> = BTreeMap::new();
    for row in rows {
        let (number, row) = (proof.rows, row.as_ref());
        proof.rows += 1;
        let shown: Option<Vec<&str>> =
            quasi_identifiers.iter().map(|column| row.get(*column).map(AsRef::as_ref)).collect();
        let sensitive = requirement.sensitive.as_ref().map(|sensitive| row.get(sensitive.column));
        let (Some(shown), false) = (shown, matches!(sensitive, Some(None))) else {
            proof.report(Finding::ShortRow { row: number });
            continue;
        };
        let n_stars = shown.iter().filter(|value| **value == "*").count();
        if n_stars == shown.len() && n_stars > 0 {
            proof.suppressed_rows += 1;
            continue;
        }
        if n_stars > 0 {
            proof.report(Finding::PartlySuppressed { row: number });
        }
        let key = shown.iter().map(|value| (*value).to_owned()).collect();
        let group = groups.entry(key).or_insert_with(|| Group { first_row: number, ..Group::default() });
        group.n_rows += 1;
        if let Some(Some(value)) = sensitive {
            *group.values.entry(value.as_ref().to_owned()).or_default() += 1;
        }
    }
    judge(&mut proof, &groups, requirement);
    proof
}

fn judge(proof: &mut Proof, groups: &BTreeMap<Vec<String>, Group>, requirement: &Requirement<'_>) {
    let mut whole: BTreeMap<&str, u64> = BTreeMap::new();
    for group in groups.values() {
        for (value, n_rows) in &group.values {
            *whole.entry(value).or_default() += n_rows;
        }
    }
    if let Some(SensitiveRequirement { order, reference: Some(reference), .. }) = &requirement.sensitive {
        whole = order.iter().copied().zip(reference.iter().copied()).collect();
    }
    for group in groups.values() {
        if group.n_rows < requirement.k {
            proof.report(Finding::SmallClass { first_row: group.first_row, n_rows: group.n_rows });
        }
        if let Some(sensitive) = &requirement.sensitive {
            judge_sensitive(proof, group, sensitive, &whole);
        }
    }
    proof.classes = groups.len() as u64;
    proof.min_class = groups.values().map(|group| group.n_rows).min();
    let n_rows: u64 = groups.values().map(|group| group.n_rows).sum();
    if let Some(smallest) = proof.min_class {
        proof.max_risk = 1.0 / smallest as f64;
        proof.avg_risk = proof.classes as f64 / n_rows as f64;
        let at_risk = groups.values().filter(|group| group.n_rows == smallest);
        proof.rows_at_max_risk = at_risk.map(|group| group.n_rows).sum();
    }
}

fn judge_sensitive(
    proof: &mut Proof,
    group: &Group,
    required: &SensitiveRequirement<'_>,
    whole: &BTreeMap<&str, u64>,
) {
    let first_row = group.first_row;
    let distinct = group.values.len() as u64;
    if required.distinct.is_some_and(|l| distinct < l) {
        proof.report(Finding::FewValues { first_row, distinct });
    }
    if let Some(l) = required.entropy {
        let shares = group.values.values().map(|n| *n as f64 / group.n_rows as f64);
        let equivalent = (-shares.map(|p| p * p.ln()).sum::<f64>()).exp();
        if equivalent < l - SLACK * l {
            proof.report(Finding::LittleEntropy { first_row, equivalent });
        }
    }
    let Some(t) = required.closeness else { return };
    if group.values.keys().any(|value| !required.order.contains(&value.as_str())) {
        proof.report(Finding::UnknownLevel { first_row });
        return;
    }
    let own: BTreeMap<&str, u64> = group.values.iter().map(|(value, n)| (value.as_str(), *n)).collect();
    let distance = transport(&own, whole, required.order);
    if distance > t + SLACK {
        proof.report(Finding::FarFromWhole { first_row, distance });
    }
}

/// Moves the shares of one distribution onto the other, lowest to lowest, and adds up share times distance.
fn transport(from: &BTreeMap<&str, u64>, to: &BTreeMap<&str, u64>, order: &[&str]) -> f64 {
    let shares = |counts: &BTreeMap<&str, u64>| -> Vec<f64> {
        let total = counts.values().sum::<u64>() as f64;
        order.iter().map(|level| counts.get(level).copied().unwrap_or(0) as f64 / total).collect()
    };
    let (mut heaps, mut holes) = (shares(from), shares(to));
    let (mut heap, mut hole, mut work) = (0, 0, 0.0);
    while heap < heaps.len() && hole < holes.len() {
        let moved = heaps[heap].min(holes[hole]);
        work += moved * heap.abs_diff(hole) as f64;
        heaps[heap] -= moved;
        holes[hole] -= moved;
        // One of them is exactly zero now.
        if heaps[heap] <= 0.0 {
            heap += 1;
        } else {
            hole += 1;
        }
    }
    work / (order.len().max(2) - 1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> Vec<Vec<&str>> {
        text.lines().map(|line| line.split(',').collect()).collect()
    }

    #[test]
    fn suppressed_rows_are_no_class() {
        let table = rows("20..30,a\n20..30,b\n*,c\n40,a\n40,a\n40,b");
        let proof = prove(&table, &[0], &Requirement { k: 2, sensitive: None });
        assert!(proof.holds());
        assert_eq!((proof.rows, proof.suppressed_rows, proof.classes, proof.min_class), (6, 1, 2, Some(2)));
        assert_eq!((proof.max_risk, proof.avg_risk, proof.rows_at_max_risk), (0.5, 0.4, 2));
        let nothing = prove(rows("*,c"), &[0], &Requirement { k: 2, sensitive: None });
        assert!(nothing.holds() && nothing.min_class.is_none() && nothing.max_risk == 0.0);
    }

    #[test]
    fn every_violation_is_found_with_its_place() {
        let check = |text: &str, requirement: SensitiveRequirement<'_>, expected: Finding| {
            let required = Requirement { k: 2, sensitive: Some(requirement) };
            let proof = prove(rows(text), &[0, 1], &required);
            assert!(proof.findings.contains(&expected), "{:?}", proof.findings);
        };
        let on = |column| SensitiveRequirement { column, ..SensitiveRequirement::default() };
        check("a,b,x\na,b,x\nc,b,x", on(2), Finding::SmallClass { first_row: 2, n_rows: 1 });
        check("a,*,x\na,*,x", on(2), Finding::PartlySuppressed { row: 0 });
        check("a,b,x\na,b", on(2), Finding::ShortRow { row: 1 });
        let distinct = SensitiveRequirement { distinct: Some(2), ..on(2) };
        check("a,b,x\na,b,x", distinct, Finding::FewValues { first_row: 0, distinct: 1 });
        let entropy = SensitiveRequirement { entropy: Some(1.5), ..on(2) };
        check("a,b,x\na,b,x", entropy, Finding::LittleEntropy { first_row: 0, equivalent: 1.0 });
        let close = SensitiveRequirement { closeness: Some(0.2), order: &["x", "y"], ..on(2) };
        check(
            "a,b,x\na,b,x\nc,b,y\nc,b,y",
            close.clone(),
            Finding::FarFromWhole { first_row: 0, distance: 0.5 },
        );
        check("a,b,x\na,b,z", close, Finding::UnknownLevel { first_row: 0 });
    }

    #[test]
    fn distances_of_the_salary_example() {
        let order = ["3", "4", "5", "6", "7", "8", "9", "10", "11"];
        let counts = |levels: &[&'static str]| levels.iter().map(|level| (*level, 1)).collect();
        let check = |levels: &[&'static str], expected: f64| {
            assert!(
                (transport(&counts(levels), &counts(&order), &order) - expected).abs() < 1e-3,
                "{levels:?}"
            );
        };
        check(&["3", "4", "5"], 0.375);
        check(&["6", "8", "11"], 0.167);
        check(&order, 0.0);
    }
}
