//! The units of UCUM that occur in medicine, each by its definition in smaller ones.

use super::factor::Factor;
use super::{Dimensions, grammar};

/// Base units. Those behind `cd` are plain numbers or amounts of something in UCUM; here nothing is converted into them.
pub(super) const BASES: [&str; 16] = [
    "m", "s", "g", "K", "C", "cd", "rad", "deg", "mol", "eq", "osm", "[IU]", "[arb'U]", "[USP'U]", "[CFU]",
    "[PFU]",
];
/// How many base units there are.
pub(super) const N_BASES: usize = BASES.len();

const METRIC: bool = true;
const PLAIN: bool = false;

/// Code, may it have a prefix, numerator, power of ten, denominator, unit of the definition.
type Row = (&'static str, bool, u128, i32, u128, &'static str);

#[rustfmt::skip]
const UNITS: [Row; 77] = [
    ("%", PLAIN, 1, -2, 1, "1"), ("[ppth]", PLAIN, 1, -3, 1, "1"), ("[ppm]", PLAIN, 1, -6, 1, "1"), ("[ppb]", PLAIN, 1, -9, 1, "1"),
    ("L", METRIC, 1, -3, 1, "m3"), ("l", METRIC, 1, -3, 1, "m3"), ("t", METRIC, 1, 6, 1, "g"), ("ar", METRIC, 1, 2, 1, "m2"),
    ("min", PLAIN, 60, 0, 1, "s"), ("h", PLAIN, 3600, 0, 1, "s"), ("d", PLAIN, 86_400, 0, 1, "s"), ("wk", PLAIN, 7, 0, 1, "d"),
    ("a", PLAIN, 36_525, -2, 1, "d"), ("a_j", PLAIN, 36_525, -2, 1, "d"), ("a_t", PLAIN, 36_524_219, -5, 1, "d"),
    ("a_g", PLAIN, 3_652_425, -4, 1, "d"), ("mo", PLAIN, 1, 0, 12, "a_j"), ("mo_j", PLAIN, 1, 0, 12, "a_j"),
    ("mo_g", PLAIN, 1, 0, 12, "a_g"), ("mo_s", PLAIN, 2_953_059, -5, 1, "d"),
    ("Hz", METRIC, 1, 0, 1, "s-1"), ("N", METRIC, 1, 3, 1, "g.m/s2"), ("Pa", METRIC, 1, 0, 1, "N/m2"), ("J", METRIC, 1, 0, 1, "N.m"),
    ("W", METRIC, 1, 0, 1, "J/s"), ("A", METRIC, 1, 0, 1, "C/s"), ("V", METRIC, 1, 0, 1, "J/C"), ("F", METRIC, 1, 0, 1, "C/V"),
    ("Ohm", METRIC, 1, 0, 1, "V/A"), ("S", METRIC, 1, 0, 1, "A/V"), ("Wb", METRIC, 1, 0, 1, "V.s"), ("T", METRIC, 1, 0, 1, "Wb/m2"),
    ("H", METRIC, 1, 0, 1, "Wb/A"), ("lm", METRIC, 1, 0, 1, "cd"), ("lx", METRIC, 1, 0, 1, "lm/m2"),
    ("Bq", METRIC, 1, 0, 1, "s-1"), ("Ci", METRIC, 37, 9, 1, "Bq"), ("Gy", METRIC, 1, 0, 1, "J/kg"), ("Sv", METRIC, 1, 0, 1, "J/kg"),
    ("RAD", METRIC, 1, -2, 1, "Gy"), ("REM", METRIC, 1, -2, 1, "Sv"), ("R", METRIC, 258, -6, 1, "C/kg"),
    ("bar", METRIC, 1, 5, 1, "Pa"), ("atm", PLAIN, 101_325, 0, 1, "Pa"), ("m[Hg]", METRIC, 133_322, 0, 1, "Pa"),
    ("m[H2O]", METRIC, 980_665, -2, 1, "Pa"), ("dyn", METRIC, 1, -2, 1, "mN"), ("P", METRIC, 1, -1, 1, "Pa.s"),
    ("cal", METRIC, 4_184, -3, 1, "J"), ("cal_th", METRIC, 4_184, -3, 1, "J"), ("[Cal]", PLAIN, 1, 3, 1, "cal"),
    ("kat", METRIC, 1, 0, 1, "mol/s"), ("U", METRIC, 1, -6, 1, "mol/min"), ("[iU]", METRIC, 1, 0, 1, "[IU]"),
    ("g%", METRIC, 1, 0, 1, "g/dL"), ("[drp]", PLAIN, 5, -2, 1, "mL"), ("[MET]", PLAIN, 35, -1, 1, "mL/min/kg"),
    ("[in_i]", PLAIN, 254, -2, 1, "cm"), ("[ft_i]", PLAIN, 12, 0, 1, "[in_i]"), ("[yd_i]", PLAIN, 3, 0, 1, "[ft_i]"),
    ("[mi_i]", PLAIN, 5_280, 0, 1, "[ft_i]"), ("[sin_i]", PLAIN, 1, 0, 1, "[in_i]2"), ("[sft_i]", PLAIN, 1, 0, 1, "[ft_i]2"),
    ("[lb_av]", PLAIN, 45_359_237, -5, 1, "g"), ("[oz_av]", PLAIN, 1, 0, 16, "[lb_av]"), ("[gr]", PLAIN, 6_479_891, -8, 1, "g"),
    ("[stone_av]", PLAIN, 14, 0, 1, "[lb_av]"), ("[ston_av]", PLAIN, 2_000, 0, 1, "[lb_av]"),
    ("[gal_us]", PLAIN, 231, 0, 1, "[in_i]3"), ("[qt_us]", PLAIN, 1, 0, 4, "[gal_us]"), ("[pt_us]", PLAIN, 1, 0, 2, "[qt_us]"),
    ("[cup_us]", PLAIN, 1, 0, 2, "[pt_us]"), ("[foz_us]", PLAIN, 1, 0, 8, "[cup_us]"), ("[tbs_us]", PLAIN, 1, 0, 2, "[foz_us]"),
    ("[tsp_us]", PLAIN, 1, 0, 3, "[tbs_us]"), ("[foz_m]", PLAIN, 30, 0, 1, "mL"), ("Ao", PLAIN, 1, -1, 1, "nm"),
];

#[rustfmt::skip]
const PREFIXES: [(&str, i32); 20] = [
    ("da", 1), ("Y", 24), ("Z", 21), ("E", 18), ("P", 15), ("T", 12), ("G", 9), ("M", 6), ("k", 3), ("h", 2),
    ("d", -1), ("c", -2), ("m", -3), ("u", -6), ("n", -9), ("p", -12), ("f", -15), ("a", -18), ("z", -21), ("y", -24),
];

/// A symbol, perhaps with a prefix.
pub(super) fn unit(symbol: &str) -> Option<(Factor, Dimensions)> {
    if let Some((_, term)) = atom(symbol) {
        return Some(term);
    }
    PREFIXES.iter().find_map(|(prefix, exponent)| {
        let (metric, (factor, dimensions)) = atom(symbol.strip_prefix(prefix)?)?;
        metric.then_some(())?;
        Some((factor.times(Factor::new(1, *exponent, 1)?)?, dimensions))
    })
}

fn atom(symbol: &str) -> Option<(bool, (Factor, Dimensions))> {
    if let Some(at) = BASES.iter().position(|base| *base == symbol) {
        let mut dimensions = [0; N_BASES];
        dimensions[at] = 1;
        return Some((symbol != "deg" && symbol != "[CFU]" && symbol != "[PFU]", (Factor::ONE, dimensions)));
    }
    let (_, metric, n, e, d, definition) = UNITS.iter().find(|row| row.0 == symbol)?;
    let (factor, dimensions) = grammar::parse(definition)?;
    Some((*metric, (factor.times(Factor::new(*n, *e, *d)?)?, dimensions)))
}

/// Units whose zero is elsewhere: factor to kelvin, and what is added before.
pub(super) fn special(code: &str) -> Option<(Factor, &'static str)> {
    match code {
        "Cel" => Some((Factor::ONE, "273.15")),
        "[degF]" => Some((Factor::new(5, 0, 9)?, "459.67")),
        _ => None,
    }
}

/// The dimension of temperature.
pub(super) fn kelvin() -> Dimensions {
    let mut dimensions = [0; N_BASES];
    dimensions[BASES.iter().position(|base| *base == "K").expect("kelvin is a base unit")] = 1;
    dimensions
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_definition_is_understood() {
        for row in UNITS {
            assert!(atom(row.0).is_some(), "{}", row.0);
        }
    }
}
