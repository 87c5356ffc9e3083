//! The indices against published tables, the vectors of the reference program, and properties.

use proptest::prelude::*;

use super::*;

const ALL: [Variant; 3] = [Variant::Charlson1987, Variant::CharlsonQuan2011, Variant::VanWalraven2009];
const OFF: Options = Options { hierarchy: Hierarchy::Off, age_points_max: None };
const AGED: Options = Options { hierarchy: Hierarchy::On, age_points_max: Some(4) };

fn score(variant: Variant, codes: &[&str], age: Option<u16>, options: Options) -> i32 {
    assess(variant, codes.iter().copied(), age, options).score
}

#[test]
fn the_tables_are_complete() {
    let n_prefixes = |map: &Map| map.groups().iter().map(|group| group.prefixes.len()).sum::<usize>();
    assert_eq!((charlson().groups().len(), n_prefixes(charlson())), (17, 289));
    assert_eq!((elixhauser().groups().len(), n_prefixes(elixhauser())), (31, 399));
    let ranked = |map: &'static Map| {
        let pairs = map
            .groups()
            .iter()
            .filter_map(|group| Some((group.code, map.groups()[group.outranked_by?].code)));
        pairs.collect::<Vec<_>>()
    };
    assert_eq!(ranked(charlson()), [("mld", "msld"), ("diab", "diabwc"), ("canc", "metacanc")]);
    assert_eq!(ranked(elixhauser()), [("hypunc", "hypc"), ("diabunc", "diabc"), ("solidtum", "metacanc")]);
    for (map, n_weights) in [(charlson(), 2), (elixhauser(), 1)] {
        assert!(map.groups().iter().all(|group| group.weights.len() == n_weights));
    }
    // Van Walraven's range is -19 to 89 (with tumours and metastases both).
    let sum = |map: &Map, at: usize| map.groups().iter().map(|group| group.weights[at]).sum::<i32>();
    assert_eq!((sum(charlson(), 0), sum(charlson(), 1)), (33, 28));
    let (low, high): (Vec<i32>, Vec<i32>) =
        elixhauser().groups().iter().map(|group| group.weights[0]).partition(|w| *w < 0);
    assert_eq!((low.iter().sum::<i32>(), high.iter().sum::<i32>()), (-19, 89));
}

/// Quan's two tables define these conditions by the same codes.
#[test]
fn the_tables_agree_where_they_should() {
    let prefixes = |map: &'static Map, code: &str| {
        &map.groups().iter().find(|group| group.code == code).unwrap().prefixes
    };
    let same = [
        ("chf", "chf"),
        ("pvd", "pvd"),
        ("cpd", "cpd"),
        ("hp", "para"),
        ("metacanc", "metacanc"),
        ("aids", "aids"),
    ];
    for (of_charlson, of_elixhauser) in same {
        assert_eq!(prefixes(charlson(), of_charlson), prefixes(elixhauser(), of_elixhauser));
    }
    // All of E10 to E14 with a fourth character: split by complication in both, `.6` and `.8` differently.
    let all = |map: &'static Map, codes: [&str; 2]| {
        let mut all: Vec<&str> = codes.iter().flat_map(|code| prefixes(map, code)).copied().collect();
        all.sort_unstable();
        all
    };
    let diabetes = all(charlson(), ["diab", "diabwc"]);
    assert_eq!(diabetes, all(elixhauser(), ["diabunc", "diabc"]));
    assert_eq!(diabetes.len(), 50);
}

#[test]
fn charlson_vectors() {
    // 1987, 1987 without hierarchy, 2011, 1987 with the points of 67 years, groups that count.
    let check = |codes: &[&str], expected: [i32; 4], groups: &[&str]| {
        let found = assess(Variant::Charlson1987, codes.iter().copied(), Some(67), AGED);
        let scores = [
            score(Variant::Charlson1987, codes, None, Options::default()),
            score(Variant::Charlson1987, codes, None, OFF),
            score(Variant::CharlsonQuan2011, codes, None, Options::default()),
            found.score,
        ];
        assert_eq!(scores, expected, "{codes:?}");
        let mut counted: Vec<&str> = found
            .groups
            .iter()
            .filter(|found| found.outranked_by.is_none())
            .map(|found| found.group.code)
            .collect();
        counted.sort_unstable();
        assert_eq!(counted, groups, "{codes:?}");
    };
    check(&["I21.4", "I50.9"], [2, 2, 2, 4], &["chf", "mi"]);
    check(&["E11.9", "E11.22"], [2, 3, 1, 4], &["diabwc"]);
    check(&["K70.30", "K72.90"], [3, 4, 4, 5], &["msld"]);
    check(&["C50.911", "C78.00"], [6, 8, 6, 8], &["metacanc"]);
    check(&["N18.3", "I12.0"], [2, 2, 1, 4], &["rend"]);
    check(&["B20"], [6, 6, 4, 8], &["aids"]);
    check(&["E11.65"], [1, 1, 0, 3], &["diab"]);
    check(&["F03.90", "G81.90", "J44.9"], [4, 4, 5, 6], &["cpd", "dementia", "hp"]);
    check(&["I25.2"], [1, 1, 0, 3], &["mi"]);
    check(&["C44.01"], [0, 0, 0, 2], &[]);
    check(&["C7B.01"], [0, 0, 0, 2], &[]);
    check(&["C80.1"], [6, 6, 6, 8], &["metacanc"]);
    check(&["I85.01", "K74.60"], [3, 4, 4, 5], &["msld"]);
    check(&["I85.11", "K74.60"], [1, 1, 2, 3], &["mld"]);
    check(&["E08.9", "E09.9"], [0, 0, 0, 2], &[]);
    check(&["K70", "I25", "E11"], [0, 0, 0, 2], &[]);
    check(&[], [0, 0, 0, 2], &[]);
}

#[test]
fn elixhauser_vectors() {
    let check = |codes: &[&str], expected: i32, groups: &[&str]| {
        let found = assess(Variant::VanWalraven2009, codes.iter().copied(), Some(90), AGED);
        assert_eq!((found.score, found.age_points), (expected, 0), "{codes:?}");
        let found: Vec<&str> = found.groups.iter().map(|found| found.group.code).collect();
        assert_eq!(found, groups, "{codes:?}");
    };
    check(&["I50.9", "I10"], 7, &["chf", "hypunc"]);
    check(&["C50.911", "C78.00"], 12, &["metacanc", "solidtum"]);
    check(&["E66.01", "F11.20"], -11, &["obes", "drug"]);
    check(&["K70.30"], 11, &["ld", "alcohol"]);
    check(&["I42.6"], 7, &["chf", "alcohol"]);
    check(&["E11.65"], 0, &["diabc"]);
    check(&["N18.6", "Z99.2"], 5, &["rf"]);
    check(&["D69.6", "E87.1", "R64"], 14, &["coag", "wloss", "fed"]);
    let many = ["I48.91", "J44.9", "I50.22", "N18.4", "E11.22", "I13.0"];
    check(&many, 20, &["chf", "carit", "hypc", "cpd", "diabc", "rf"]);
    check(&[], 0, &[]);
}

#[test]
fn points_for_age_end_at_the_cap() {
    let points = |age, points_max| {
        let options = Options { age_points_max: Some(points_max), ..Options::default() };
        score(Variant::Charlson1987, &[], Some(age), options)
    };
    let found: Vec<i32> = [49, 50, 59, 60, 69, 70, 79, 80, 89, 90, 95].map(|age| points(age, 4)).to_vec();
    assert_eq!(found, [0, 1, 1, 2, 2, 3, 3, 4, 4, 4, 4]);
    assert_eq!((points(89, 5), points(90, 5), points(100, 5)), (4, 5, 5));
    assert_eq!(score(Variant::Charlson1987, &["B20"], None, AGED), 6);
}

#[test]
fn everything_at_once_gives_the_published_maximum() {
    let all = |map: &Map| {
        (0..map.groups().len()).fold(Groups::default(), |all, n| all.union(Groups::of_bits(1 << n)))
    };
    let most = |variant: Variant| score_of(variant, all(variant.map()), None, Options::default());
    assert_eq!(ALL.map(most), [29, 24, 66]);
}

#[test]
fn a_code_counts_once_and_says_what_it_gave() {
    let found = assess(
        Variant::Charlson1987,
        ["E1122", "e11.22", " E11.9 ", "E11.", "none"],
        None,
        Options::default(),
    );
    assert_eq!((found.score, found.n_unreadable), (2, 2));
    let groups: Vec<_> = found
        .groups
        .iter()
        .map(|found| (found.group.code, found.outranked_by, found.codes.join(" ")))
        .collect();
    assert_eq!(groups, [("diab", Some("diabwc"), "E11.9".to_owned()), ("diabwc", None, "E11.22".to_owned())]);
    assert_eq!(format!("{found:?}"), "Assessment(charlson-quan2005-weights1987)");
}

/// Every prefix gives its group, also with characters behind it.
#[test]
fn prefixes_match_from_the_start() {
    for variant in ALL {
        for group in variant.map().groups() {
            for prefix in &group.prefixes {
                for code in [(*prefix).to_owned(), format!("{prefix}0"), format!("{prefix}11X")] {
                    let found = groups_of(variant, &code).unwrap();
                    assert!(found.contains(group.number), "{code} is {}", group.code);
                }
            }
        }
    }
}

fn some_codes() -> impl Strategy<Value = Vec<String>> {
    proptest::collection::vec("[A-Z][0-9][0-9]\\.[0-9]{1,2}|[EIKCN][0-9][0-9]\\.[0-9]", 0..12)
}

proptest! {
    #[test]
    fn the_hierarchy_never_raises_a_score(codes in some_codes()) {
        for variant in ALL {
            let of = |options| assess(variant, codes.iter().map(String::as_str), None, options).score;
            prop_assert!(of(Options::default()) <= of(OFF));
        }
    }

    #[test]
    fn another_code_never_lowers_the_number_of_groups(codes in some_codes(), more in "[A-Z][0-9][0-9]\\.[0-9]") {
        for variant in ALL {
            let n_groups = |codes: &[String]| assess(variant, codes.iter().map(String::as_str), None, OFF).groups.len();
            let mut longer = codes.clone();
            longer.push(more.clone());
            prop_assert!(n_groups(&codes) <= n_groups(&longer));
        }
    }

    #[test]
    fn order_and_repetition_do_not_matter(codes in some_codes()) {
        for variant in ALL {
            let twice: Vec<&str> = codes.iter().rev().chain(&codes).map(String::as_str).collect();
            let found = assess(variant, twice, Some(70), AGED);
            prop_assert!(found == assess(variant, codes.iter().map(String::as_str), Some(70), AGED));
            let groups = codes.iter().map(|code| groups_of(variant, code).unwrap()).fold(Groups::default(), Groups::union);
            prop_assert_eq!(found.score, score_of(variant, groups, Some(70), AGED));
            prop_assert_eq!(Groups::of_bits(groups.bits()).count() as usize, found.groups.len());
        }
    }
}
