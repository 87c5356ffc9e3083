//! A small part of UCUM: units with exact factors, prefixes, products, quotients and powers.
//!
//! Not known here: units on other scales than a ratio (`Cel`, `pH`), arbitrary units (`[iU]`) and annotations, which only equal
//! themselves.

use compact_str::CompactString;
use fhir::Decimal;

/// Powers of metre, gram, second, radian, kelvin, coulomb, candela, mole.
pub(crate) type Dimensions = [i8; 8];

const BASE: [&str; 8] = ["m", "g", "s", "rad", "K", "C", "cd", "mol"];

/// How a unit relates to the base units.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Measure {
    pub(crate) factor: Decimal,
    pub(crate) dimensions: Dimensions,
}

impl Measure {
    pub(crate) fn times(&self, other: &Measure) -> Dimensions {
        std::array::from_fn(|at| self.dimensions[at].saturating_add(other.dimensions[at]))
    }

    pub(crate) fn over(&self, other: &Measure) -> Dimensions {
        std::array::from_fn(|at| self.dimensions[at].saturating_sub(other.dimensions[at]))
    }
}

/// Unit, whether it takes prefixes, factor, and the unit that it is made of.
const UNITS: [(&str, bool, &str, &str); 45] = [
    ("m", true, "1", "m"),
    ("g", true, "1", "g"),
    ("s", true, "1", "s"),
    ("rad", true, "1", "rad"),
    ("K", true, "1", "K"),
    ("C", true, "1", "C"),
    ("cd", true, "1", "cd"),
    ("mol", true, "1", "mol"),
    ("%", false, "0.01", ""),
    ("[ppth]", false, "0.001", ""),
    ("[ppm]", false, "0.000001", ""),
    ("min", false, "60", "s"),
    ("h", false, "3600", "s"),
    ("d", false, "86400", "s"),
    ("wk", false, "604800", "s"),
    ("mo", false, "2629800", "s"),
    ("a", false, "31557600", "s"),
    ("L", true, "0.001", "m3"),
    ("l", true, "0.001", "m3"),
    ("ar", true, "100", "m2"),
    ("t", true, "1000000", "g"),
    ("Hz", true, "1", "s-1"),
    ("N", true, "1000", "g.m.s-2"),
    ("Pa", true, "1000", "g.m-1.s-2"),
    ("bar", true, "100000000", "g.m-1.s-2"),
    ("J", true, "1000", "g.m2.s-2"),
    ("W", true, "1000", "g.m2.s-3"),
    ("A", true, "1", "C.s-1"),
    ("V", true, "1000", "g.m2.s-2.C-1"),
    ("eq", true, "1", "mol"),
    ("osm", true, "1", "mol"),
    ("kat", true, "1", "mol.s-1"),
    ("U", true, "1", "umol.min-1"),
    ("cal", true, "4.184", "J"),
    ("m[Hg]", true, "133322", "Pa"),
    ("m[H2O]", true, "9806.65", "Pa"),
    ("[in_i]", false, "2.54", "cm"),
    ("[ft_i]", false, "30.48", "cm"),
    ("[yd_i]", false, "91.44", "cm"),
    ("[mi_i]", false, "1609.344", "m"),
    ("[lb_av]", false, "453.59237", "g"),
    ("[oz_av]", false, "28.349523125", "g"),
    ("[gr]", false, "0.06479891", "g"),
    ("[foz_us]", false, "29.5735295625", "mL"),
    ("[gal_us]", false, "3.785411784", "L"),
];

const PREFIXES: [(&str, i64); 16] = [
    ("da", 1),
    ("Y", 24),
    ("T", 12),
    ("G", 9),
    ("M", 6),
    ("k", 3),
    ("h", 2),
    ("d", -1),
    ("c", -2),
    ("m", -3),
    ("u", -6),
    ("n", -9),
    ("p", -12),
    ("f", -15),
    ("a", -18),
    ("z", -21),
];

/// What a UCUM code measures; `None` when it is not known here.
pub(crate) fn measure(code: &str) -> Option<Measure> {
    // No clinical unit is longer; products of long codes would take long.
    if code.len() > 60 {
        return None;
    }
    let mut total = Measure { factor: 1.into(), dimensions: [0; 8] };
    let mut sign = 1;
    let mut rest = code.strip_prefix('/').inspect(|_| sign = -1).unwrap_or(code);
    while !rest.is_empty() {
        let end = rest.find(['.', '/']).unwrap_or(rest.len());
        let (unit, power) = component(&rest[..end])?;
        raise(&mut total, &unit, power.checked_mul(sign)?)?;
        match rest.as_bytes().get(end) {
            None => break,
            Some(operator) => sign = if *operator == b'/' { -1 } else { 1 },
        }
        rest = &rest[end + 1..];
        if rest.is_empty() {
            return None;
        }
    }
    Some(total)
}

/// `total × unit^power`.
fn raise(total: &mut Measure, unit: &Measure, power: i8) -> Option<()> {
    for _ in 0..power.unsigned_abs() {
        total.factor = if power > 0 {
            total.factor.times(&unit.factor)
        } else {
            total.factor.over(&unit.factor, 60)?.trimmed()
        };
    }
    for (at, dimension) in total.dimensions.iter_mut().enumerate() {
        *dimension = dimension.checked_add(unit.dimensions[at].checked_mul(power)?)?;
    }
    Some(())
}

/// `cm2`: a unit with prefix and power; `10*3`, `1`.
fn component(text: &str) -> Option<(Measure, i8)> {
    let none = |factor: Decimal| Measure { factor, dimensions: [0; 8] };
    if let Some(power) = text.strip_prefix("10*").or_else(|| text.strip_prefix("10^")) {
        return Some((none(Decimal::parse(&format!("1e{}", power.parse::<i8>().ok()?))?), 1));
    }
    if text.bytes().all(|b| b.is_ascii_digit()) {
        return Some((none(Decimal::parse(text)?), 1));
    }
    // An annotation says nothing about the unit before it.
    let text = match text.find('{') {
        Some(0) => return None,
        Some(at) if text.ends_with('}') => &text[..at],
        Some(_) => return None,
        None => text,
    };
    if let Some(unit) = atom(text) {
        return Some((unit, 1));
    }
    let end = text.trim_end_matches(|c: char| c.is_ascii_digit() || c == '-' || c == '+').len();
    let power = text[end..].parse::<i8>().ok().filter(|power| (-9..=9).contains(power))?;
    Some((atom(&text[..end])?, power))
}

fn atom(text: &str) -> Option<Measure> {
    if let Some((_, _, factor, made_of)) = UNITS.iter().find(|(name, ..)| *name == text) {
        return made(factor, made_of, 0);
    }
    PREFIXES.iter().find_map(|(prefix, exponent)| {
        let name = text.strip_prefix(prefix)?;
        let (_, _, factor, made_of) = UNITS.iter().find(|(known, metric, ..)| *known == name && *metric)?;
        made(factor, made_of, *exponent)
    })
}

fn made(factor: &str, made_of: &str, exponent: i64) -> Option<Measure> {
    let factor = Decimal::parse(&format!("{factor}e{exponent}"))?;
    if let Some(at) = BASE.iter().position(|base| *base == made_of) {
        let mut dimensions = [0; 8];
        dimensions[at] = 1;
        return Some(Measure { factor, dimensions });
    }
    let base = measure(made_of)?;
    Some(Measure { factor: factor.times(&base.factor), dimensions: base.dimensions })
}

/// The code of dimensions in base units: `m2`, `g.m-1`; `1` when there is none.
pub(crate) fn name(dimensions: Dimensions) -> CompactString {
    let mut out = CompactString::default();
    for (base, power) in BASE.iter().zip(dimensions) {
        if power == 0 {
            continue;
        }
        out.push_str(if out.is_empty() { "" } else { "." });
        out.push_str(base);
        if power != 1 {
            out.push_str(&power.to_string());
        }
    }
    if out.is_empty() { "1".into() } else { out }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(code: &str, factor: &str, dimensions: &str) {
        let found = measure(code).unwrap_or_else(|| panic!("{code} is known"));
        assert_eq!(
            found.factor.compare(&Decimal::parse(factor).unwrap()),
            std::cmp::Ordering::Equal,
            "{code}"
        );
        assert_eq!(name(found.dimensions), dimensions, "{code}");
    }

    #[test]
    fn codes_are_read() {
        check("mg/dL", "10", "m-3.g");
        check("mm[Hg]", "133322", "m-1.g.s-2");
        check("10*3/uL", "1000000000000", "m-3");
        check("kg/m2", "1000", "m-2.g");
        check("/min", "0.016666666666666666666666666666666666666666666666666666666667", "s-1");
        check("%", "0.01", "1");
        check("mmol/L", "1", "m-3.mol");
        check("m.s-1", "1", "m.s-1");
    }

    #[test]
    fn what_is_not_known_is_refused() {
        for code in [
            "Cel",
            "[iU]",
            "{score}",
            "mL/min/{1.73_m2}",
            "[degF]",
            "mg/",
            "xyz",
            "m99",
            "kmin",
            "mg//L",
            "10*x",
        ] {
            assert_eq!(measure(code), None, "{code}");
        }
    }
}
