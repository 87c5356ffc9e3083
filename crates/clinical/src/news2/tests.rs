//! NEWS2 against the reference cases, every boundary, and the rules for what is missing.

use proptest::prelude::*;

use super::*;
use crate::Pregnancy;
use crate::quantity::tests::number;
use crate::subject::tests::person;

/// Sets one parameter by its name in the cases.
fn set(vitals: &mut Vitals, name: &str, value: &str) {
    match name {
        "rr" => vitals.respirations = Some(RespirationsPerMin::of(number(value)).unwrap()),
        "spo2" => vitals.spo2 = Some(Spo2Percent::of(number(value)).unwrap()),
        "breathing" => {
            vitals.breathing = Some(if value == "oxygen" { Breathing::Oxygen } else { Breathing::Air });
        }
        "sbp" => vitals.systolic = Some(SystolicMmHg::of(number(value)).unwrap()),
        "pulse" => vitals.pulse = Some(PulsePerMin::of(number(value)).unwrap()),
        "consciousness" => {
            vitals.consciousness = Some(match value {
                "A" => Consciousness::Alert,
                "C" => Consciousness::Confusion,
                "V" => Consciousness::Voice,
                "P" => Consciousness::Pain,
                "U" => Consciousness::Unresponsive,
                _ => panic!("{value} is not ACVPU"),
            });
        }
        "temperature" => vitals.temperature = Some(TemperatureCelsius::of(number(value)).unwrap()),
        _ => panic!("{name} is no parameter"),
    }
}

fn answer(input: &str) -> String {
    let (mut vitals, mut scale) = (Vitals::default(), Scale::One);
    for line in input.lines().skip(1) {
        match line.split_once(' ').expect("name and value") {
            ("scale", value) => scale = if value == "2" { Scale::Two } else { Scale::One },
            (name, value) => set(&mut vitals, name, value),
        }
    }
    let found = news2(&vitals, scale, person(70, true)).unwrap();
    let points = found.points.named().map(|(name, points)| {
        format!("{name} {}", points.map_or("missing".to_owned(), |points| points.to_string()))
    });
    let band = found.band.map_or("no answer yet", Band::code);
    match found.total {
        Some(total) => format!("{}\ntotal {total}, {band}", points.join(", ")),
        None => format!(
            "{}\nno total, at least {}, {} missing, {band}",
            points.join(", "),
            found.partial,
            found.n_missing
        ),
    }
}

#[test]
fn golden_cases() {
    assert!(testkit::cases(concat!(env!("CARGO_MANIFEST_DIR"), "/cases/news2"), answer) >= 14);
}

/// Points of one parameter alone.
fn points(name: &str, value: &str, breathing: &str, scale: Scale) -> Option<u8> {
    let mut vitals = Vitals::default();
    set(&mut vitals, "breathing", breathing);
    set(&mut vitals, name, value);
    let found = news2(&vitals, scale, person(70, true)).unwrap();
    found.points.named().into_iter().find(|(found, _)| *found == name).unwrap().1
}

#[test]
fn every_boundary_and_its_neighbours() {
    let check = |name: &str, breathing: &str, scale: Scale, expected: &[(&str, u8)]| {
        for (value, expected) in expected {
            assert_eq!(
                points(name, value, breathing, scale),
                Some(*expected),
                "{name} {value} on {breathing}, {scale:?}"
            );
        }
    };
    let rr = [("0", 3), ("8", 3), ("9", 1), ("11", 1), ("12", 0), ("20", 0), ("21", 2), ("24", 2), ("25", 3)];
    check("rr", "air", Scale::One, &rr);
    let one = [("0", 3), ("91", 3), ("92", 2), ("93", 2), ("94", 1), ("95", 1), ("96", 0), ("100", 0)];
    check("spo2", "air", Scale::One, &one);
    check("spo2", "oxygen", Scale::One, &one);
    let low = [("83", 3), ("84", 2), ("85", 2), ("86", 1), ("87", 1), ("88", 0), ("92", 0)];
    check("spo2", "air", Scale::Two, &low);
    check("spo2", "oxygen", Scale::Two, &low);
    check("spo2", "air", Scale::Two, &[("93", 0), ("97", 0), ("100", 0)]);
    check("spo2", "oxygen", Scale::Two, &[("93", 1), ("94", 1), ("95", 2), ("96", 2), ("97", 3), ("100", 3)]);
    let sbp = [
        ("0", 3),
        ("90", 3),
        ("91", 2),
        ("100", 2),
        ("101", 1),
        ("110", 1),
        ("111", 0),
        ("219", 0),
        ("220", 3),
    ];
    check("sbp", "air", Scale::One, &sbp);
    let pulse =
        [("0", 3), ("40", 3), ("41", 1), ("50", 1), ("51", 0), ("90", 0), ("91", 1), ("110", 1), ("111", 2)];
    check("pulse", "air", Scale::One, &pulse);
    check("pulse", "air", Scale::One, &[("130", 2), ("131", 3)]);
    let cold = [("35.0", 3), ("35.1", 1), ("36.0", 1), ("36.1", 0)];
    check("temperature", "air", Scale::One, &cold);
    check("temperature", "air", Scale::One, &[("38.0", 0), ("38.1", 1), ("39.0", 1), ("39.1", 2)]);
    for level in ["C", "V", "P", "U"] {
        check("consciousness", "air", Scale::One, &[(level, 3)]);
    }
}

#[test]
fn fractions_go_to_the_worse_side() {
    let check = |name: &str, value: &str, breathing: &str, scale: Scale, expected: u8| {
        assert_eq!(points(name, value, breathing, scale), Some(expected), "{name} {value}");
    };
    check("rr", "8.5", "air", Scale::One, 3);
    check("rr", "20.1", "air", Scale::One, 2);
    check("rr", "11.9", "air", Scale::One, 1);
    check("spo2", "95.9", "air", Scale::One, 1);
    check("spo2", "92.1", "oxygen", Scale::Two, 1);
    check("spo2", "87.5", "oxygen", Scale::Two, 1);
    check("sbp", "90.5", "air", Scale::One, 3);
    check("sbp", "219.5", "air", Scale::One, 3);
    check("pulse", "130.2", "air", Scale::One, 3);
    check("pulse", "40.9", "air", Scale::One, 3);
    check("temperature", "38.04", "air", Scale::One, 0);
    check("temperature", "38.05", "air", Scale::One, 1);
    check("temperature", "35.04", "air", Scale::One, 3);
    check("temperature", "35.05", "air", Scale::One, 1);
}

#[test]
fn bands_change_by_one_point() {
    for (partial, red, whole, expected) in [
        (4, false, true, Some(Band::Low)),
        (4, false, false, None),
        (4, true, true, Some(Band::LowMedium)),
        (3, true, false, Some(Band::LowMedium)),
        (5, false, true, Some(Band::Medium)),
        (5, true, false, Some(Band::Medium)),
        (6, true, true, Some(Band::Medium)),
        (7, false, false, Some(Band::High)),
        (0, false, true, Some(Band::Low)),
        (0, false, false, None),
    ] {
        assert_eq!(band_of(partial, red, whole), expected, "{partial} {red} {whole}");
    }
}

#[test]
fn adults_who_are_not_pregnant() {
    let score = |subject| news2(&Vitals::default(), Scale::One, subject).map(|found| found.n_missing);
    assert_eq!(score(person(16, true)), Ok(7));
    assert_eq!(score(person(15, true)), Err(NotComputed::TooYoung { age_years_min: 16 }));
    assert_eq!(score(Subject::default()), Err(NotComputed::AgeUnknown { age_years_min: 16 }));
    let pregnant = Subject { pregnancy: Pregnancy::PregnantOrPostPartum, ..person(30, true) };
    assert_eq!(score(pregnant), Err(NotComputed::Pregnant));
}

proptest! {
    /// What is missing never lowers the answer below what the whole score gives with it, and never invents points.
    #[test]
    fn a_missing_parameter_only_takes_away(rr in 0i32..60, spo2 in 60i32..=100, sbp in 40i32..250, pulse in 20i32..200, tenths in 330i64..420, oxygen: bool, two: bool, missing in 0usize..7) {
        let scale = if two { Scale::Two } else { Scale::One };
        let values = [
            ("rr", rr.to_string()), ("spo2", spo2.to_string()), ("breathing", if oxygen { "oxygen" } else { "air" }.to_owned()),
            ("sbp", sbp.to_string()), ("pulse", pulse.to_string()), ("consciousness", "A".to_owned()),
            ("temperature", Number::of(tenths, 1).to_string()),
        ];
        let of = |skip: Option<usize>| {
            let mut vitals = Vitals::default();
            for (at, (name, value)) in values.iter().enumerate() {
                if Some(at) != skip { set(&mut vitals, name, value); }
            }
            news2(&vitals, scale, person(70, false)).unwrap()
        };
        let (whole, part) = (of(None), of(Some(missing)));
        prop_assert_eq!(whole.total, Some(whole.partial));
        prop_assert!(whole.partial <= 20 && part.total.is_none() && part.n_missing >= 1);
        prop_assert!(part.partial <= whole.partial);
        prop_assert!(part.band <= whole.band);
        prop_assert!(part.band != Some(Band::Low));
    }
}
