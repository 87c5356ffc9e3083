//! Charts as SVG: positions are shares of the width, so that text keeps its size on every screen.

use maud::{Markup, html};

/// A bar that says how much of a whole.
pub fn meter(part: u64, whole: u64) -> Markup {
    // What there is a little of is still seen.
    let width = if part == 0 { 0.0 } else { (percent(part, whole)).max(0.6) };
    html! {
        svg.meter aria-hidden="true" { rect width=(share(width)) height="6" rx="3" {} }
    }
}

/// `part` of `whole` in percent.
pub(crate) fn percent(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 * 100.0 }
}

/// A length as a share of the width.
pub(crate) fn share(percent: f64) -> String {
    let text = format!("{percent:.2}");
    format!("{}%", text.trim_end_matches('0').trim_end_matches('.'))
}

/// Two or three round numbers for an axis from 0 that reaches at least `most`.
pub(crate) fn ticks(most: u64) -> Vec<u64> {
    let most = most.max(1);
    let mut step = 1;
    'found: for power in 0..18 {
        for factor in [1, 2, 5] {
            step = factor * 10_u64.pow(power);
            if step.saturating_mul(3) >= most {
                break 'found;
            }
        }
    }
    (0..=most.div_ceil(step)).map(|n| n * step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_have_round_numbers_and_reach_the_longest_bar() {
        for most in [0, 1, 3, 4, 17, 61, 100, 999, 1_000_000] {
            let ticks = ticks(most);
            assert!(*ticks.last().unwrap() >= most && (2..=4).contains(&ticks.len()), "{most}: {ticks:?}");
        }
        assert_eq!(ticks(17), [0, 10, 20]);
        assert_eq!(ticks(61), [0, 50, 100]);
    }

    #[test]
    fn shares_are_short() {
        assert_eq!([0.0, 12.5, 33.333, 100.0].map(share), ["0%", "12.5%", "33.33%", "100%"]);
    }
}
