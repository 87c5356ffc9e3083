//! Folding of texts: lower case, without accents, single spaces. Both sides of a string search are folded by this one function.

use compact_str::CompactString;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// The folded form of a text.
pub fn fold(text: &str) -> CompactString {
    let mut folded = CompactString::with_capacity(text.len());
    let mut gap = false;
    if text.is_ascii() {
        for byte in text.bytes() {
            push(&mut folded, &mut gap, char::from(byte.to_ascii_lowercase()));
        }
        return folded;
    }
    for c in text.nfkd() {
        if is_combining_mark(c) {
            continue;
        }
        match unaccented(c) {
            Some(plain) => plain.chars().for_each(|c| push(&mut folded, &mut gap, c)),
            // Lower case can bring new marks with it: `İ` was taken apart before, but not every letter can be.
            None => c
                .to_lowercase()
                .filter(|c| !is_combining_mark(*c))
                .for_each(|c| push(&mut folded, &mut gap, c)),
        }
    }
    folded
}

fn push(folded: &mut CompactString, gap: &mut bool, c: char) {
    if c.is_whitespace() {
        *gap = !folded.is_empty();
        return;
    }
    if std::mem::take(gap) {
        folded.push(' ');
    }
    folded.push(c);
}

/// Letters with a stroke or a ligature, which Unicode does not take apart.
fn unaccented(c: char) -> Option<&'static str> {
    Some(match c {
        'ß' | 'ẞ' => "ss",
        'Æ' | 'æ' => "ae",
        'Œ' | 'œ' => "oe",
        'Ø' | 'ø' => "o",
        'Ł' | 'ł' => "l",
        'Đ' | 'đ' | 'Ð' | 'ð' => "d",
        'Ħ' | 'ħ' => "h",
        'ı' => "i",
        'Þ' | 'þ' => "th",
        'ς' => "σ",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::fold;

    fn check(text: &str, expected: &str) {
        assert_eq!(fold(text), expected, "{text}");
    }

    #[test]
    fn case_accents_and_spaces_do_not_count() {
        check("  Peter \t James\n", "peter james");
        check("Müller-Lüdenscheidt", "muller-ludenscheidt");
        check("STRASSE Straße", "strasse strasse");
        check("Ångström Ørsted Łódź", "angstrom orsted lodz");
        check("İstanbul ısı", "istanbul isi");
        check("e\u{301}", "e");
        check("ﬁne", "fine");
        check("山田\u{3000}太郎", "山田 太郎");
        check("ΣΊΣΥΦΟΣ Σίσυφος", "σισυφοσ σισυφοσ");
        check("", "");
    }

    proptest::proptest! {
        #[test]
        fn folding_twice_changes_nothing(text in "\\PC*") {
            let once = fold(&text);
            proptest::prop_assert_eq!(fold(&once), once);
        }
    }
}
