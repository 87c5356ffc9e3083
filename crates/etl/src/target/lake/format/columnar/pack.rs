//! Bits: the hybrid of runs and packed groups in which Parquet writes levels and dictionary keys.

/// The bits that a number needs.
pub(super) fn width_of(largest: u32) -> u8 {
    u8::try_from(32 - largest.leading_zeros()).unwrap_or(32).max(1)
}

fn varint(mut n: u64, out: &mut Vec<u8>) {
    while n >= 0x80 {
        out.push(u8::try_from(n & 0x7f).unwrap_or_default() | 0x80);
        n >>= 7;
    }
    out.push(u8::try_from(n).unwrap_or_default());
}

/// A run of one number.
fn run(value: u32, n: usize, width: u8, out: &mut Vec<u8>) {
    varint((n as u64) << 1, out);
    out.extend_from_slice(&value.to_le_bytes()[..usize::from(width.div_ceil(8))]);
}

/// Writes numbers of a width: as one run when all are the same, else packed.
pub(super) fn hybrid(numbers: &[u32], width: u8, out: &mut Vec<u8>) {
    let Some(first) = numbers.first() else { return };
    if numbers.iter().all(|number| number == first) {
        return run(*first, numbers.len(), width, out);
    }
    let n_groups = numbers.len().div_ceil(8);
    varint((n_groups as u64) << 1 | 1, out);
    let n_bytes = n_groups * usize::from(width);
    out.reserve(n_bytes + 8);
    let start = out.len();
    let (mut held, mut n_bits) = (0_u64, 0_u32);
    for number in numbers {
        held |= u64::from(*number) << n_bits;
        n_bits += u32::from(width);
        if n_bits >= 32 {
            out.extend_from_slice(&held.to_le_bytes()[..4]);
            held >>= 32;
            n_bits -= 32;
        }
    }
    out.extend_from_slice(&held.to_le_bytes());
    out.resize(start + n_bytes, 0);
}

/// Writes levels of one bit from a bitmap, with their length before them.
pub(super) fn levels(present: &[u8], n: usize, n_missing: usize, out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(&[0; 4]);
    if n_missing == 0 || n_missing == n {
        run(u32::from(n_missing == 0), n, 1, out);
    } else {
        let n_groups = n.div_ceil(8);
        varint((n_groups as u64) << 1 | 1, out);
        out.extend_from_slice(&present[..n_groups]);
    }
    let n_bytes = u32::try_from(out.len() - start - 4).unwrap_or(u32::MAX);
    out[start..start + 4].copy_from_slice(&n_bytes.to_le_bytes());
}
