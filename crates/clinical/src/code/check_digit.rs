//! Check digits: Luhn (ISO/IEC 7812) and Verhoeff (dihedral group of ten elements).

/// Is the last digit the Luhn check digit of the others; digits only.
pub(super) fn luhn(digits: impl DoubleEndedIterator<Item = u8>) -> bool {
    let sum: u32 = digits
        .rev()
        .enumerate()
        .map(|(at, digit)| {
            let digit = u32::from(digit - b'0');
            match at % 2 {
                0 => digit,
                _ if digit > 4 => digit * 2 - 9,
                _ => digit * 2,
            }
        })
        .sum();
    sum.is_multiple_of(10)
}

/// Multiplication in the dihedral group of the pentagon: 0 to 4 turn, 5 to 9 mirror.
fn times(a: u8, b: u8) -> u8 {
    match (a < 5, b < 5) {
        (true, true) => (a + b) % 5,
        (true, false) => 5 + (a + b - 5) % 5,
        (false, true) => 5 + (a - 5 + 5 - b) % 5,
        (false, false) => (a + 5 - b) % 5,
    }
}

/// Verhoeff's permutation of one place.
const PERMUTED: [u8; 10] = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];

/// Is the last digit the Verhoeff check digit of the others; digits only.
pub(super) fn verhoeff(digits: &[u8]) -> bool {
    let permuted =
        |digit: u8, times: usize| (0..times % 8).fold(digit, |digit, _| PERMUTED[usize::from(digit)]);
    let product = digits
        .iter()
        .rev()
        .enumerate()
        .fold(0, |product, (at, digit)| times(product, permuted(digit - b'0', at)));
    product == 0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn published_numbers() {
        // 236 with check digit 3 is the worked example of Verhoeff's scheme.
        assert!(verhoeff(b"2363"));
        assert!(verhoeff(b"73211009"));
        assert!(!verhoeff(b"73211008"));
        assert!(luhn(b"808401234567893".iter().copied()));
        assert!(!luhn(b"808401234567890".iter().copied()));
    }

    proptest! {
        #[test]
        fn exactly_one_check_digit_fits(digits in "[0-9]{3,17}") {
            let n_fitting = |fits: &dyn Fn(&[u8]) -> bool| {
                (0..10).filter(|check| fits(format!("{digits}{check}").as_bytes())).count()
            };
            prop_assert_eq!(n_fitting(&verhoeff), 1);
            prop_assert_eq!(n_fitting(&|bytes| luhn(bytes.iter().copied())), 1);
        }

        #[test]
        fn verhoeff_sees_every_swap_of_neighbours(digits in "[0-9]{4,17}", at in 0usize..3) {
            let check = (0..10).map(|check| format!("{digits}{check}")).find(|text| verhoeff(text.as_bytes())).unwrap();
            let mut swapped = check.clone().into_bytes();
            swapped.swap(at, at + 1);
            prop_assert_eq!(verhoeff(&swapped), swapped == check.as_bytes());
        }
    }
}
