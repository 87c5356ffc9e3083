//! Base32 of RFC 4648 in lower case without padding: safe in file names, URLs and case-blind databases.

/// The text of the bytes.
pub(crate) fn base32(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let mut text = String::with_capacity(bytes.len().div_ceil(5) * 8);
    let (mut bits, mut n_bits) = (0u32, 0);
    let mut push = |five: u32| text.push(char::from(ALPHABET[(five & 31) as usize]));
    for byte in bytes {
        bits = (bits << 8 | u32::from(*byte)) & 0xfff;
        n_bits += 8;
        while n_bits >= 5 {
            n_bits -= 5;
            push(bits >> n_bits);
        }
    }
    if n_bits > 0 {
        push(bits << (5 - n_bits));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::base32;

    #[test]
    fn vectors_of_the_rfc() {
        let check = |bytes: &str, expected: &str| assert_eq!(base32(bytes.as_bytes()), expected);
        check("", "");
        check("f", "my");
        check("fo", "mzxq");
        check("foo", "mzxw6");
        check("foob", "mzxw6yq");
        check("fooba", "mzxw6ytb");
        check("foobar", "mzxw6ytboi");
    }
}
