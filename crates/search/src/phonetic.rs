//! What a name sounds like in English: American Soundex, word by word. For the parameter `phonetic`.

use compact_str::CompactString;

/// The sounds of the words of a folded text. A word without Latin letters stays as it is.
pub(crate) fn sounds(folded: &str) -> CompactString {
    let mut all = CompactString::default();
    for word in folded.split(' ') {
        if !all.is_empty() {
            all.push(' ');
        }
        all.push_str(&sound(word));
    }
    all
}

fn sound(word: &str) -> CompactString {
    let mut letters = word.bytes().filter(u8::is_ascii_lowercase).peekable();
    let Some(first) = letters.next() else { return word.into() };
    let mut code = CompactString::default();
    code.push(char::from(first));
    let mut last = digit(first);
    for letter in letters {
        let digit = digit(letter);
        if let Some(digit) = digit.filter(|_| digit != last) {
            code.push(digit);
        }
        // Equal sounds on both sides of `h` or `w` count once; a vowel between them keeps them apart.
        if !matches!(letter, b'h' | b'w') {
            last = digit;
        }
    }
    while code.len() < 4 {
        code.push('0');
    }
    code.truncate(4);
    code
}

fn digit(letter: u8) -> Option<char> {
    Some(match letter {
        b'b' | b'f' | b'p' | b'v' => '1',
        b'c' | b'g' | b'j' | b'k' | b'q' | b's' | b'x' | b'z' => '2',
        b'd' | b't' => '3',
        b'l' => '4',
        b'm' | b'n' => '5',
        b'r' => '6',
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::sounds;

    /// Examples of the United States National Archives.
    #[test]
    fn names_that_sound_alike_are_equal() {
        let check = |name: &str, expected: &str| assert_eq!(sounds(name), expected, "{name}");
        check("washington", "w252");
        check("lee", "l000");
        check("gutierrez", "g362");
        check("pfister", "p236");
        check("jackson", "j250");
        check("tymczak", "t522");
        check("ashcraft", "a261");
        check("robert rupert", "r163 r163");
        check("山田 123", "山田 123");
    }
}
