//! Farrington against published bounds: Salmonella Agona 1990 to 1995, and the shared reference series.

use super::*;
use crate::statistics::tests::near;

/// Weekly reports of Salmonella Agona in the United Kingdom, 312 weeks from the first of 1990 (R package `surveillance`, data `salmonella.agona`).
const AGONA: [u64; 312] = [
    1, 0, 5, 2, 1, 2, 0, 4, 0, 0, 0, 3, 1, 1, 0, 0, 2, 2, 0, 2, 6, 3, 2, 1, 2, 0, 1, 1, 3, 5, 3, 4, 3, 6, 5,
    8, 6, 3, 6, 2, 5, 2, 1, 5, 7, 1, 10, 3, 4, 0, 0, 1, 6, 0, 2, 2, 0, 0, 2, 2, 0, 6, 7, 1, 0, 0, 0, 1, 1, 4,
    3, 1, 3, 2, 6, 3, 4, 4, 8, 12, 9, 17, 16, 8, 6, 13, 4, 7, 10, 3, 11, 4, 6, 4, 7, 6, 2, 9, 2, 3, 4, 1, 2,
    2, 0, 0, 1, 2, 2, 2, 5, 0, 0, 4, 2, 1, 3, 2, 0, 1, 1, 3, 0, 1, 3, 2, 3, 6, 2, 1, 3, 3, 2, 2, 2, 1, 3, 3,
    2, 3, 0, 2, 4, 6, 7, 3, 1, 4, 1, 2, 5, 1, 3, 1, 0, 1, 3, 3, 0, 0, 1, 1, 0, 1, 4, 1, 1, 0, 0, 1, 1, 4, 1,
    0, 1, 2, 1, 4, 3, 3, 0, 3, 5, 3, 3, 4, 3, 3, 3, 4, 5, 7, 6, 5, 3, 2, 1, 3, 2, 1, 2, 1, 1, 0, 0, 1, 1, 0,
    1, 4, 3, 2, 0, 1, 0, 3, 1, 1, 4, 4, 0, 1, 4, 2, 0, 1, 1, 0, 1, 1, 2, 5, 4, 0, 2, 1, 1, 3, 6, 1, 7, 6, 2,
    5, 7, 5, 4, 5, 6, 6, 1, 2, 2, 5, 4, 1, 6, 2, 5, 3, 4, 7, 6, 10, 2, 4, 0, 3, 0, 1, 3, 0, 1, 1, 0, 1, 0, 1,
    0, 1, 2, 2, 4, 7, 6, 1, 4, 6, 4, 2, 4, 5, 5, 9, 8, 6, 3, 2, 3, 4, 3, 3, 4, 4, 2, 1, 2, 3, 2, 2, 0, 4,
];

/// Options of the reference: four years.
const ORIGINAL: Options = Options { years: 4, ..Options::ORIGINAL };
const FLEXIBLE: Options = Options { years: 4, ..Options::FLEXIBLE };

fn look(counts: &[u64], week_from_one: usize, options: &Options) -> Result<Look, NotTested> {
    farrington(Weekly { counts, first_day: None }, week_from_one - 1, options)
}

/// Week, upper bound of the original (4 places), upper bound and expectation (4 places) of the flexible.
const EXPECTED: [(usize, f64, f64, f64); 26] = [
    (287, 6.2709, 8.0, 2.3217),
    (288, 6.0767, 8.0, 2.4925),
    (289, 4.8484, 9.0, 2.6078),
    (290, 5.2947, 10.0, 3.1523),
    (291, 6.0948, 11.0, 3.5367),
    (292, 7.6803, 10.0, 3.4856),
    (293, 13.2462, 11.0, 3.9862),
    (294, 13.2587, 11.0, 4.2604),
    (295, 11.8171, 11.0, 4.2668),
    (296, 11.4498, 12.0, 4.6988),
    (297, 11.2161, 12.0, 4.6405),
    (298, 11.0887, 12.0, 4.8522),
    (299, 11.0793, 12.0, 4.8992),
    (300, 11.2555, 12.0, 4.7126),
    (301, 9.9679, 11.0, 4.5364),
    (302, 6.8404, 11.0, 4.0988),
    (303, 7.1719, 11.0, 4.0297),
    (304, 9.8130, 10.0, 3.7688),
    (305, 5.8114, 9.0, 3.1381),
    (306, 5.6159, 9.0, 2.9789),
    (307, 7.8621, 8.0, 2.8385),
    (308, 7.6501, 8.0, 2.7302),
    (309, 7.9286, 8.0, 2.6890),
    (310, 6.8724, 8.0, 2.6564),
    (311, 7.3629, 8.0, 2.8270),
    (312, 17.2906, 9.0, 3.2043),
];

#[test]
fn agona_agrees() {
    for (week, upper, flexible_upper, expected) in EXPECTED {
        let original = look(&AGONA, week, &ORIGINAL).unwrap();
        near(original.upper, upper, 5.1e-5);
        assert!(!original.alert);
        let flexible = look(&AGONA, week, &FLEXIBLE).unwrap();
        assert_eq!(flexible.upper, flexible_upper, "week {week}");
        near(flexible.expected, expected, 5.1e-5);
        assert!(!flexible.alert);
    }
}

#[test]
fn a_planted_outbreak_is_found_and_does_not_hide_itself() {
    let mut counts = AGONA;
    (counts[299], counts[300], counts[309]) = (25, 30, 12);
    let alerts = |options: &Options| {
        (287..=312)
            .filter(|week| look(&counts, *week, options).is_ok_and(|look| look.alert))
            .collect::<Vec<usize>>()
    };
    assert_eq!(alerts(&ORIGINAL), [300, 301, 310]);
    assert_eq!(alerts(&FLEXIBLE), [300, 301, 310]);
    let upper = |week, options: &Options| look(&counts, week, options).unwrap().upper;
    for (week, expected) in [(299, 11.0793), (300, 11.2555), (301, 9.9679), (310, 6.8724), (312, 17.2906)] {
        near(upper(week, &ORIGINAL), expected, 5.1e-5);
    }
    assert_eq!([300, 301, 310].map(|week| upper(week, &FLEXIBLE)), [12.0, 11.0, 8.0]);
    let original = look(&counts, 300, &ORIGINAL).unwrap();
    near(original.expected, 4.086_797, 5e-7);
    near(original.dispersion, 1.245_585, 5e-7);
    assert!(!original.trend);
    for (week, dispersion) in [(299, 1.40), (300, 1.37), (301, 1.32), (302, 1.32)] {
        near(look(&counts, week, &FLEXIBLE).unwrap().dispersion, dispersion, 5.1e-3);
    }
    near(look(&counts, 300, &FLEXIBLE).unwrap().p.unwrap(), 2.40e-7, 5e-10);
    // With R's own trend rule the trend is dropped.
    let tested = Options { trend_p_max: 0.05, ..FLEXIBLE };
    let found = look(&counts, 300, &tested).unwrap();
    near(found.expected, 4.4286, 5.1e-5);
    assert_eq!((found.upper, found.trend), (11.0, false));
}

#[test]
fn what_is_not_tested_says_why() {
    assert_eq!(look(&AGONA, 313, &ORIGINAL), Err(NotTested::TooShort));
    assert_eq!(look(&AGONA, 2, &ORIGINAL), Err(NotTested::TooShort));
    assert_eq!(look(&AGONA, 208, &ORIGINAL), Err(NotTested::TooShort));
    assert_eq!(look(&AGONA, 209, &ORIGINAL), Err(NotTested::TooFewCases));
    let mut counts = vec![0; 312];
    assert_eq!(look(&counts, 300, &ORIGINAL), Err(NotTested::TooFewCases));
    counts[299] = 9;
    // A baseline without any case alerts.
    for options in [ORIGINAL, FLEXIBLE] {
        let found = look(&counts, 300, &options).unwrap();
        assert!(found.alert && found.expected < 1e-6 && found.upper < 1.0);
    }
}
