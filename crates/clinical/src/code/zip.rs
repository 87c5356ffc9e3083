//! ZIP codes: five digits, with or without the four behind them.

use super::{Canonical, CodeProblem, check_pattern, raw};

const ZIP: &str = "99999 or 99999-9999";

/// `02138`, `02138-1234` or `021381234`; canonical with the hyphen. Four digits are a ZIP code that lost its zero, and are refused.
pub fn check_zip(text: &str) -> Result<Canonical, CodeProblem> {
    let raw = raw(text, ZIP)?;
    match raw.len() {
        5 => check_pattern(&raw, "99999", ZIP)?,
        9 => check_pattern(&raw, "999999999", ZIP)?,
        10 => check_pattern(&raw, "99999-9999", ZIP)?,
        _ => return Err(CodeProblem::Length { expected: ZIP }),
    }
    let mut canonical = Canonical::of(&raw[..5]);
    if raw.len() > 5 {
        canonical.push(b"-");
        canonical.push(&raw[raw.len() - 4..]);
    }
    Ok(canonical)
}

/// The first five digits of a ZIP code of either form.
pub fn check_zip5(text: &str) -> Result<Canonical, CodeProblem> {
    check_zip(text).map(|zip| Canonical::of(&zip.as_str().as_bytes()[..5]))
}

/// A list of three-digit ZIP areas with at most 20,000 people, which Safe Harbor (45 CFR 164.514(b)(2)(i)(B)) does not let out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Zip3List {
    /// By the census of 2000, as HHS printed it in its guidance of 2012.
    Census2000,
    /// By a later census, as de-identification tools ship it.
    Later,
    /// In either list: the careful choice until a list of today's census is supplied.
    #[default]
    Either,
}

const CENSUS_2000: [&str; 17] = [
    "036", "059", "063", "102", "203", "556", "692", "790", "821", "823", "830", "831", "878", "879", "884",
    "890", "893",
];
const LATER: [&str; 14] =
    ["036", "059", "102", "203", "205", "369", "556", "692", "821", "823", "878", "879", "884", "893"];

/// Military post offices (AA, AE, AP): no census counts their people.
fn is_military(zip3: &str) -> bool {
    zip3 == "340" || ("090"..="099").contains(&zip3) || ("962"..="966").contains(&zip3)
}

/// The three digits that Safe Harbor lets out of a ZIP code: `000` for small and military areas.
///
/// # Errors
/// The text is no ZIP code.
pub fn safe_harbor_zip3(text: &str, list: Zip3List) -> Result<Canonical, CodeProblem> {
    let zip = check_zip(text)?;
    let zip3 = &zip.as_str()[..3];
    let small = match list {
        Zip3List::Census2000 => CENSUS_2000.contains(&zip3),
        Zip3List::Later => LATER.contains(&zip3),
        Zip3List::Either => CENSUS_2000.contains(&zip3) || LATER.contains(&zip3),
    };
    Ok(if small || is_military(zip3) { Canonical::of(b"000") } else { Canonical::of(zip3.as_bytes()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_areas_are_000() {
        let check = |text: &str, expected: [Option<&str>; 3]| {
            let lists = [Zip3List::Census2000, Zip3List::Later, Zip3List::Either];
            let found = lists.map(|list| safe_harbor_zip3(text, list).ok());
            let found = found.each_ref().map(|zip| zip.as_ref().map(Canonical::as_str));
            assert_eq!(found, expected, "{text}");
        };
        check("03601", [Some("000"); 3]);
        check("10001", [Some("100"); 3]);
        check("02138-1234", [Some("021"); 3]);
        check("00501", [Some("005"); 3]);
        check("8305", [None; 3]);
        check("63701", [Some("637"); 3]);
        check("89399", [Some("000"); 3]);
        check("06390", [Some("000"), Some("063"), Some("000")]);
        check("20500", [Some("205"), Some("000"), Some("000")]);
        check("96201", [Some("000"); 3]);
        check("96701", [Some("967"); 3]);
        let n_either = (0..1000).filter(|n| {
            let zip3 = format!("{n:03}");
            CENSUS_2000.contains(&zip3.as_str()) || LATER.contains(&zip3.as_str())
        });
        assert_eq!(n_either.count(), 19);
    }
}
