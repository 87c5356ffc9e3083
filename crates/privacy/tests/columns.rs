//! Tables under each profile: nothing unclassified leaves, no identifier leaves, what is wrong is said at once.

#![allow(clippy::unwrap_used, reason = "a test ends where something is not as it should be")]

use std::sync::Arc;

use jiff::civil::date;
use keys::{HmacKey, KeyRing};
use privacy::{
    Cell, Classification, ColumnRule, Context, Effect, Profile, TablePlan, Tally, Transform, Vault,
};
use proptest::prelude::*;
use rand::SeedableRng;
use rand::rngs::StdRng;
use testkit::FixedClock;

struct Study {
    _folder: tempfile::TempDir,
    context: Context,
}

fn study() -> Study {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(FixedClock::at("2026-01-15T00:00:00Z"));
    let ring = Arc::new(KeyRing::init(folder.path().join("keys"), clock).unwrap());
    let vault = Vault::open(folder.path().join("v"), "study", ring, StdRng::seed_from_u64(1)).unwrap();
    let key = HmacKey::from_bytes([7; 32]);
    let context = Context::new("study", date(2026, 1, 15))
        .with_vault(Arc::new(vault))
        .with_key(key, "00112233445566ff".parse().ok());
    Study { _folder: folder, context }
}

/// One column of each class, under the class's name.
fn everything() -> (Vec<ColumnRule>, Vec<&'static str>) {
    let all = Classification::ALL;
    (
        all.iter().map(|class| ColumnRule::new(class.name(), *class)).collect(),
        all.iter().map(|c| c.name()).collect(),
    )
}

#[test]
fn a_column_without_classification_is_denied_by_name_under_every_profile_but_none() {
    let Study { context, .. } = study();
    let rules = [ColumnRule::new("a", Classification::Safe)];
    for name in Profile::names() {
        let profile: Profile = name.parse().unwrap();
        let planned = TablePlan::new(profile, &rules, &["a", "b", "c"], &context);
        if profile == Profile::Identified {
            assert_eq!(planned.unwrap().columns()[1].apply("x", "").text(), Some("x"));
            continue;
        }
        let errors: Vec<String> = planned.unwrap_err().iter().map(ToString::to_string).collect();
        assert_eq!(errors.len(), 2, "{errors:?}");
        assert!(
            errors[0].starts_with(&format!(
                "column `b` has no classification, so it may not leave under `{name}`"
            ))
        );
        assert!(errors[1].contains("`c`"));
    }
}

#[test]
fn all_that_is_wrong_is_said_at_once() {
    let context = Context::new("Study!", date(2026, 1, 15));
    let rules = [
        ColumnRule::new("admitted", Classification::Date).with(Transform::Shift),
        ColumnRule::new("id", Classification::RecordId),
        ColumnRule::new("id", Classification::RecordId),
        ColumnRule::new("absent", Classification::Safe),
        ColumnRule::new("ssn", Classification::Ssn).with(Transform::Keep),
    ];
    let errors = TablePlan::new(Profile::SafeHarbor, &rules, &["admitted", "id", "ssn", "note"], &context)
        .unwrap_err();
    let text = errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    for words in [
        "`study!` is no name",
        "column `id` is classified twice",
        "no column `absent`",
        "`shift` of column `admitted` (date) is not allowed under `safe_harbor`: use `year` or `drop`",
        "`surrogate` of column `id` needs the vault of a project: run `salus keys init`",
        "`keep` of column `ssn` (ssn) is not allowed under `safe_harbor`: use `drop`",
        "column `note` has no classification",
    ] {
        assert!(text.to_lowercase().contains(&words.to_lowercase()), "{words}:\n{text}");
    }
    assert_eq!(errors.len(), 7, "{text}");
    let expert =
        TablePlan::new(Profile::Expert, &rules[..1], &["admitted"], &Context::new("s", date(2026, 1, 15)));
    assert!(expert.unwrap_err()[0].to_string().contains("needs a key"));
    let none_left = TablePlan::new(Profile::KAnonymize, &rules[1..2], &["id"], &study().context);
    assert!(none_left.unwrap_err()[0].to_string().contains("quasi_identifier"));
}

#[test]
fn profiles_do_what_they_say() {
    let Study { context, .. } = study();
    let check =
        |profile: Profile, class: Classification, value: &str, expected: Option<&str>, effect: Effect| {
            let rules = [ColumnRule::new("c", class), ColumnRule::new("q", Classification::QuasiIdentifier)];
            let plan = TablePlan::new(profile, &rules, &["c", "q"], &context).unwrap();
            let cell = plan.columns()[0].apply(value, "P1");
            assert_eq!((cell.text(), cell.effect()), (expected, effect), "{profile} {class}");
            assert_eq!(format!("{cell:?}"), format!("Cell({})", effect.name()));
        };
    use Classification as C;
    check(Profile::SafeHarbor, C::Zip, "03601", Some("000"), Effect::Generalised);
    check(Profile::SafeHarbor, C::City, "Springfield", None, Effect::Dropped);
    check(Profile::SafeHarbor, C::State, "MA", Some("MA"), Effect::Kept);
    check(Profile::SafeHarbor, C::BirthDate, "1936-01-15", Some("<=1936"), Effect::Generalised);
    check(Profile::SafeHarbor, C::Age, "95", Some("90+"), Effect::Generalised);
    check(Profile::SafeHarbor, C::Date, "on Tuesday", None, Effect::Unreadable);
    check(Profile::SafeHarbor, C::Date, " ", None, Effect::Absent);
    check(Profile::LimitedDataSet, C::Zip, "03601", Some("03601"), Effect::Kept);
    check(Profile::LimitedDataSet, C::Date, "2024-02-29", Some("2024-02-29"), Effect::Kept);
    check(Profile::LimitedDataSet, C::Street, "1 Main St", None, Effect::Dropped);
    check(Profile::KAnonymize, C::Date, "2024-02-29", Some("2024"), Effect::Generalised);
    check(Profile::Identified, C::Name, "Zabriskie", Some("Zabriskie"), Effect::Kept);
}

#[test]
fn shifts_keep_intervals_of_a_patient_and_pseudonyms_join_tables() {
    let Study { context, .. } = study();
    let rules = [
        ColumnRule::new("at", Classification::Date),
        ColumnRule::new("pid", Classification::RecordId).in_domain("patient"),
        ColumnRule::new("patient_ref", Classification::RecordId).in_domain("patient"),
        ColumnRule::new("encounter", Classification::RecordId),
    ];
    let plan = TablePlan::new(Profile::Expert, &rules, &["at", "pid", "patient_ref", "encounter"], &context)
        .unwrap();
    let [at, pid, reference, encounter] = plan.columns() else { panic!("four columns") };
    assert!(at.needs_patient() && !pid.needs_patient());
    let day = |value: &str, patient: &str| -> jiff::civil::Date {
        at.apply(value, patient).text().unwrap().parse().unwrap()
    };
    for patient in ["P1", "P2", "P3"] {
        let stay = day("2020-03-09", patient) - day("2020-03-01", patient);
        assert_eq!(stay.get_days(), 8);
        assert_ne!(day("2020-03-01", patient).to_string(), "2020-03-01");
    }
    assert_eq!(
        at.apply("2020-03-01", "").effect(),
        Effect::Unreadable,
        "a date of nobody would leave unshifted"
    );
    assert_eq!(pid.apply("P1", "").text(), reference.apply("P1", "").text());
    assert_ne!(pid.apply("P1", "").text(), encounter.apply("P1", "").text());
}

#[test]
fn the_manifest_says_how_and_how_often() {
    let Study { context, .. } = study();
    let rules = [
        ColumnRule::new("zip", Classification::Zip),
        ColumnRule::new("name", Classification::Name),
        ColumnRule::new("at", Classification::Date),
    ];
    let plan = TablePlan::new(Profile::Expert, &rules, &["name", "zip", "at"], &context).unwrap();
    let mut tallies = vec![Tally::default(), Tally::default(), Tally::default()];
    tallies[0].add_effect(Effect::Dropped, 10);
    tallies[1].add(&plan.columns()[1].apply("02138", ""), 7);
    let mut part = Tally::default();
    part.add(&plan.columns()[1].apply("x", ""), 3);
    tallies[1].merge(&part);
    tallies[2].add(&plan.columns()[2].apply("2020-01-01", "P1"), 10);
    let manifest = serde_json::to_value(plan.manifest(&tallies, 2, None)).unwrap();
    assert_eq!(manifest["profile"], "expert");
    assert!(manifest["statement"].as_str().unwrap().contains("not Safe Harbor"));
    assert_eq!(manifest["key"], "00112233445566ff");
    assert_eq!(manifest["as_of"], "2026-01-15");
    assert_eq!(manifest["suppressed_rows"], 2);
    assert_eq!(manifest["columns"][0]["counts"], serde_json::json!({"dropped": 10}));
    assert_eq!(manifest["columns"][1]["counts"], serde_json::json!({"generalised": 7, "unreadable": 3}));
    assert_eq!(manifest["data_files"][0]["name"], "zip3 union");
    assert_eq!(manifest["data_files"][0]["version"], "2026-11");
    assert_eq!(manifest["data_files"][0]["sha256"].as_str().unwrap().len(), 64);
    let safe = TablePlan::new(Profile::SafeHarbor, &rules[..2], &["name", "zip"], &context).unwrap();
    let manifest = safe.manifest(&[], 0, None);
    assert!(manifest.key.is_none() && manifest.statement.contains("actual knowledge"));
}

/// An identifier of the class as a hospital might write it: capital letters, dashes and digits, never the alphabet of codes.
fn identifier(class: Classification, n: u32) -> String {
    use Classification as C;
    let (year, month, day) = (1930 + n % 90, 1 + n % 12, 1 + n % 28);
    match class {
        C::BirthDate | C::Date => match n % 4 {
            0 => format!("{year}{month:02}{day:02}"),
            1 => format!("{year}-{month:02}-{day:02}T10:{month:02}:00Z"),
            2 => format!("{month:02}/{day:02}/{year}"),
            _ => format!("{year}-{month:02}-{day:02}"),
        },
        C::Zip => format!("{:05}", 1000 + n % 90_000),
        C::Age => format!("{}", n % 130),
        C::Phone | C::Fax => format!("({:03}) 555-{:04}", n % 1000, n % 10_000),
        C::Email => format!("P{n}@MAIL.EXAMPLE"),
        C::Ssn => format!("{:03}-{:02}-{:04}", n % 900, n % 100, n % 10_000),
        C::Ip => format!("10.{}.{}.{}", n % 256, n / 256 % 256, n % 199),
        other => format!("{}-{n:04}", other.name().to_uppercase()),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_identifier_of_four_or_more_characters_is_in_any_cell(
        numbers in prop::collection::vec(any::<u32>(), 1..20),
        padding in prop::sample::select(vec!["", " ", "\t"]),
        name in prop::sample::select(vec!["safe_harbor", "k_anonymize", "expert"]),
    ) {
        let Study { context, .. } = study();
        let (rules, table) = everything();
        let plan = TablePlan::new(name.parse().unwrap(), &rules, &table, &context).unwrap();
        let identifies = |class| !matches!(class,
            Classification::State | Classification::QuasiIdentifier | Classification::Sensitive | Classification::Safe);
        let mut identifiers = Vec::new();
        let mut cells: Vec<String> = Vec::new();
        for n in &numbers {
            let patient = identifier(Classification::RecordId, *n);
            for column in plan.columns() {
                let class = column.classification();
                let value = if identifies(class) { identifier(class, *n) } else { format!("g{}", n % 3) };
                let padded = format!("{padding}{value}{padding}");
                let cell: Cell<'_> = column.apply(&padded, &patient);
                cells.extend(cell.text().map(str::to_owned));
                if identifies(class) && value.len() >= 4 {
                    identifiers.push(value);
                }
            }
        }
        for identifier in &identifiers {
            for cell in &cells {
                // Under `expert` a date of one patient may fall on a date of another.
                let by_shift = name == "expert" && cell.len() >= 8 && cell.starts_with(|c: char| c.is_ascii_digit());
                prop_assert!(by_shift || !cell.contains(identifier.as_str()), "`{}` in `{}`", identifier, cell);
            }
        }
    }

    #[test]
    fn no_text_whatever_panics_or_passes_a_generalising_rule(value in "\\PC{0,40}") {
        let Study { context, .. } = study();
        let (rules, table) = everything();
        let plan = TablePlan::new(Profile::SafeHarbor, &rules, &table, &context).unwrap();
        for column in plan.columns() {
            let cell = column.apply(&value, "P1");
            let short = |text: &str, max| text.len() <= max && text.bytes().all(|b| b"0123456789<=+.".contains(&b));
            match (column.transform(), cell.text()) {
                (Transform::Zip3, Some(text)) => prop_assert!(short(text, 3)),
                (Transform::Year, Some(text)) => prop_assert!(short(text, 6)),
                (Transform::Age, Some(text)) => prop_assert!(short(text, 19)),
                (Transform::Drop, text) => prop_assert!(text.is_none()),
                _ => {}
            }
        }
    }
}
