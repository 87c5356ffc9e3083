//! A table's plan: a profile applied to the classification of every column, with all that is wrong reported together.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use jiff::civil::Date;
use keys::{HmacKey, KeyId};

use crate::column::Action;
use crate::pseudonym::check_name;
use crate::rules::allowed;
use crate::zip::Zip3;
use crate::{
    Classification, ColumnManifest, ColumnPlan, DateShift, Effect, KAnonymityManifest, Manifest,
    PrivacyError, Profile, Pseudonyms, Tally, TimeOfDay, Transform, Vault, Zip3List,
};

/// What somebody said about a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnRule {
    /// Name of the column.
    pub column: String,
    /// What is in it.
    pub classification: Classification,
    /// Another transformation than the profile's first.
    pub transform: Option<Transform>,
    /// Within which codes are the same: `patient` for patient ids in every table. Without it, the column's name.
    pub domain: Option<String>,
}

impl ColumnRule {
    /// The profile's own transformation.
    pub fn new(column: impl Into<String>, classification: Classification) -> ColumnRule {
        ColumnRule { column: column.into(), classification, transform: None, domain: None }
    }

    /// Another transformation, if the profile allows it.
    #[must_use]
    pub fn with(mut self, transform: Transform) -> ColumnRule {
        self.transform = Some(transform);
        self
    }

    /// What happens to the column under a profile: what was asked for, else the profile's first.
    pub fn transform_under(&self, profile: Profile) -> Transform {
        self.transform.unwrap_or(allowed(profile, self.classification)[0])
    }

    /// Codes are the same in all columns of a domain.
    #[must_use]
    pub fn in_domain(mut self, domain: impl Into<String>) -> ColumnRule {
        self.domain = Some(domain.into());
        self
    }
}

/// What transformations need besides the value.
#[derive(Clone, Debug)]
pub struct Context {
    project: String,
    as_of: Date,
    zip3: Zip3List,
    time_of_day: TimeOfDay,
    key: Option<(HmacKey, Option<KeyId>)>,
    vault: Option<Arc<Vault>>,
}

impl Context {
    /// A project without keys; ages count on the day `as_of`.
    pub fn new(project: impl Into<String>, as_of: Date) -> Context {
        let (zip3, time_of_day) = (Zip3List::default(), TimeOfDay::default());
        Context { project: project.into(), as_of, zip3, time_of_day, key: None, vault: None }
    }

    /// Another list of small ZIP areas than the strictest.
    #[must_use]
    pub fn with_zip3(mut self, list: Zip3List) -> Context {
        self.zip3 = list;
        self
    }

    /// What happens to the time of day of shifted dates.
    #[must_use]
    pub fn with_time_of_day(mut self, time_of_day: TimeOfDay) -> Context {
        self.time_of_day = time_of_day;
        self
    }

    /// The key of pseudonyms and date shifts.
    #[must_use]
    pub fn with_key(mut self, key: HmacKey, id: Option<KeyId>) -> Context {
        self.key = Some((key, id));
        self
    }

    /// The vault of surrogates.
    #[must_use]
    pub fn with_vault(mut self, vault: Arc<Vault>) -> Context {
        self.vault = Some(vault);
        self
    }
}

/// The columns of a table with what happens to each, in the order of the table.
pub struct TablePlan {
    profile: Profile,
    columns: Vec<ColumnPlan>,
    context: Context,
}

impl TablePlan {
    /// A plan for a table with these columns. Everything that is wrong comes back together.
    pub fn new(
        profile: Profile,
        rules: &[ColumnRule],
        table: &[&str],
        context: &Context,
    ) -> Result<TablePlan, Vec<PrivacyError>> {
        let mut errors = Vec::new();
        errors.extend(check_name(&context.project).err());
        let mut seen = BTreeSet::new();
        for rule in rules {
            if !table.contains(&rule.column.as_str()) {
                errors.push(PrivacyError::NoSuchColumn(rule.column.clone()));
            }
            if !seen.insert(&rule.column) {
                errors.push(PrivacyError::ClassifiedTwice(rule.column.clone()));
            }
        }
        let zip3 = Arc::new(Zip3::new(context.zip3));
        let mut columns = Vec::new();
        for name in table {
            let planned = match rules.iter().find(|rule| rule.column == *name) {
                Some(rule) => plan_column(profile, rule, context, &zip3),
                // Whoever writes `none` means the table as it is.
                None if profile == Profile::Identified => {
                    plan_column(profile, &ColumnRule::new(*name, Classification::Safe), context, &zip3)
                }
                None => Err(PrivacyError::Unclassified { column: (*name).to_owned(), profile }),
            };
            match planned {
                Ok(column) => columns.push(column),
                Err(error) => errors.push(error),
            }
        }
        let plan = TablePlan { profile, columns, context: context.clone() };
        if errors.is_empty() && profile == Profile::KAnonymize && plan.quasi_identifiers().is_empty() {
            let problem = "needs at least one column that is not dropped: classify one as `quasi_identifier`";
            errors.push(PrivacyError::BadParameter { name: "k_anonymize", problem: problem.to_owned() });
        }
        if errors.is_empty() { Ok(plan) } else { Err(errors) }
    }

    /// The profile.
    pub fn profile(&self) -> Profile {
        self.profile
    }

    /// All columns, dropped ones too.
    pub fn columns(&self) -> &[ColumnPlan] {
        &self.columns
    }

    /// Columns that leave and by which an outsider could find a person: what k-anonymity must cover.
    pub fn quasi_identifiers(&self) -> Vec<&str> {
        use Classification as C;
        let could_be_known = |class| {
            matches!(
                class,
                C::QuasiIdentifier
                    | C::City
                    | C::County
                    | C::Zip
                    | C::State
                    | C::BirthDate
                    | C::Date
                    | C::Age
            )
        };
        let leaving = self.columns.iter().filter(|column| !column.is_dropped());
        leaving.filter(|column| could_be_known(column.class)).map(ColumnPlan::name).collect()
    }

    /// The manifest of the finished table. `tallies` are per column, in the order of [`TablePlan::columns`].
    pub fn manifest(
        &self,
        tallies: &[Tally],
        suppressed_rows: u64,
        k_anonymity: Option<KAnonymityManifest>,
    ) -> Manifest {
        let uses =
            |wanted: &[Transform]| self.columns.iter().any(|column| wanted.contains(&column.transform));
        let nothing = Tally::default();
        let columns = self.columns.iter().enumerate().map(|(index, column)| ColumnManifest {
            name: column.name.clone(),
            classification: column.class.name(),
            transform: column.transform.name(),
            counts: tallies.get(index).unwrap_or(&nothing).named(),
        });
        let key_id = self.context.key.as_ref().and_then(|(_, id)| id.map(|id| id.to_string()));
        let zip3 = uses(&[Transform::Zip3]).then(|| self.context.zip3.data_file());
        let clamped = tallies.iter().any(|tally| tally.count(Effect::Clamped) > 0);
        Manifest {
            format: 1,
            profile: self.profile.name(),
            statement: statement(self.profile, uses(&[Transform::Shift]), clamped),
            project: self.context.project.clone(),
            as_of: self.context.as_of.to_string(),
            key: key_id.filter(|_| uses(&[Transform::Shift, Transform::Pseudonym])),
            data_files: zip3.into_iter().collect(),
            columns: columns.collect(),
            suppressed_rows,
            k_anonymity,
        }
    }
}

impl fmt::Debug for TablePlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TablePlan").field("profile", &self.profile).field("columns", &self.columns).finish()
    }
}

fn statement(profile: Profile, shifts: bool, clamped: bool) -> &'static str {
    match (profile, shifts, clamped) {
        (Profile::Identified, ..) => "not de-identified: protected health information",
        (Profile::SafeHarbor, ..) => {
            "the 18 identifiers of 45 CFR 164.514(b)(2) removed; whoever releases it must also have no actual knowledge that a person could be identified"
        }
        (Profile::KAnonymize, ..) => "identifiers removed as in Safe Harbor, quasi-identifiers generalised",
        (Profile::LimitedDataSet, ..) => {
            "limited data set, still protected health information: needs a data use agreement (45 CFR 164.514(e))"
        }
        (Profile::Expert, true, true) => {
            "dates shifted per patient, not Safe Harbor: needs an expert's determination (45 CFR 164.514(b)(1)); some dates were clamped, their intervals are shortened"
        }
        (Profile::Expert, true, false) => {
            "dates shifted per patient, not Safe Harbor: needs an expert's determination (45 CFR 164.514(b)(1)); intervals are kept"
        }
        (Profile::Expert, false, _) => {
            "not Safe Harbor: needs an expert's determination (45 CFR 164.514(b)(1))"
        }
    }
}

fn plan_column(
    profile: Profile,
    rule: &ColumnRule,
    context: &Context,
    zip3: &Arc<Zip3>,
) -> Result<ColumnPlan, PrivacyError> {
    let class = rule.classification;
    let allowed = allowed(profile, class);
    let transform = rule.transform.unwrap_or(allowed[0]);
    if !allowed.contains(&transform) {
        let names: Vec<String> = allowed.iter().map(|transform| format!("`{transform}`")).collect();
        let column = rule.column.clone();
        return Err(PrivacyError::NotAllowed {
            column,
            class,
            transform,
            profile,
            allowed: names.join(" or "),
        });
    }
    let domain = rule.domain.as_deref().unwrap_or(&rule.column);
    let needs = |needs| PrivacyError::Needs { column: rule.column.clone(), transform, needs };
    let key = || {
        let key = context.key.as_ref().map(|(key, _)| key.clone());
        key.ok_or_else(|| needs("a key: run `salus keys init`"))
    };
    let action = match transform {
        Transform::Drop => Action::Drop,
        Transform::Keep => Action::Keep,
        Transform::Zip3 => Action::Zip3(Arc::clone(zip3)),
        Transform::Year => Action::Year(context.as_of),
        Transform::Age => Action::Age,
        Transform::Shift => Action::Shift(DateShift::new(key()?, context.time_of_day, context.as_of)),
        Transform::Pseudonym => Action::Pseudonym(Pseudonyms::new(key()?, domain)?),
        Transform::Surrogate => {
            check_name(domain)?;
            let vault = context.vault.clone();
            let vault = vault.ok_or_else(|| needs("the vault of a project: run `salus keys init`"))?;
            Action::Surrogate { vault, domain: domain.to_owned() }
        }
    };
    Ok(ColumnPlan { name: rule.column.clone(), class, transform, action })
}
