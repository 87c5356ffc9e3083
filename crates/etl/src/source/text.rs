//! Options of files of text: encoding, packing, limits. Shared by the sources of delimited text and of JSON lines.

use table::csv::{Compression, Encoding, Limits};

use crate::Problems;
use crate::yaml::Fields;

/// Reads `encoding`, `compression` and `limits`.
pub(crate) fn decode(fields: &mut Fields<'_>, problems: &mut Problems) -> (Encoding, Compression, Limits) {
    let mut encoding = Encoding::Utf8;
    if let Some(word) = fields.text("encoding", problems) {
        match Encoding::parse(&word) {
            Some(known) => encoding = known,
            None => problems.add(
                word.at,
                format!("unknown encoding `{word}`: there are `utf-8`, `utf-16`, `latin1` and those with one byte per character, such as `windows-1252`"),
            ),
        }
    }
    let kinds = [
        ("detect", Compression::Detect),
        ("none", Compression::None),
        ("gzip", Compression::Gzip),
        ("zstd", Compression::Zstd),
    ];
    let compression = fields.choice("compression", &kinds, problems).unwrap_or_default();
    (encoding, compression, limits(fields, problems))
}

fn limits(fields: &mut Fields<'_>, problems: &mut Problems) -> Limits {
    let mut limits = Limits::default();
    let Some(node) = fields.node("limits") else { return limits };
    let mut inner = node.fields("`limits`", problems);
    let at = inner.at();
    let mut size = |key, into: &mut usize, allowed: std::ops::RangeInclusive<u64>, form: &str| {
        let Some(given) = inner.size(key, problems) else { return };
        match usize::try_from(given) {
            Ok(size) if allowed.contains(&given) => *into = size,
            _ => problems.add(at, format!("`{key}` of `limits` must be between {form}")),
        }
    };
    size("record_bytes_max", &mut limits.record_bytes_max, 1 << 10..=1 << 30, "1KiB and 1GiB");
    size("raw_bytes_max", &mut limits.raw_bytes_max, 0..=1 << 30, "0 and 1GiB");
    size("block_bytes", &mut limits.block_bytes, 1 << 10..=64 << 20, "1KiB and 64MiB");
    limits.unpacked_bytes_max =
        inner.size("unpacked_bytes_max", problems).unwrap_or(limits.unpacked_bytes_max);
    limits.unpacked_ratio_max =
        inner.whole("unpacked_ratio_max", problems).unwrap_or(limits.unpacked_ratio_max);
    if let Some(rows) = inner.whole("batch_rows", problems) {
        match usize::try_from(rows) {
            Ok(rows) if (1..=1 << 20).contains(&rows) => limits.batch_rows = rows,
            _ => problems.add(at, "`batch_rows` of `limits` must be between 1 and 1048576"),
        }
    }
    inner.end(problems);
    limits
}
