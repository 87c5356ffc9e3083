//! Names of topics. Population groups, tenants and patients are never part of one.

use event::Kind;

use super::LogError;

/// What all topics begin with.
pub const TOPIC_PREFIX: &str = "healthcare.";

/// Kafka allows 249 bytes, and metrics are named by them.
const NAME_BYTES_MAX: usize = 200;

/// The topic of a kind.
///
/// # Errors
/// Kafka allows no such name: the embedded log keeps to it, so that a log can move.
pub fn topic_of(kind: &Kind) -> Result<String, LogError> {
    let name = kind.name();
    let is_legal = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    if name.is_empty() || name.len() > NAME_BYTES_MAX || !name.bytes().all(is_legal) {
        return Err(LogError::KindName);
    }
    Ok(format!("{TOPIC_PREFIX}{name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_kafka_takes() {
        let check = |name: &str| topic_of(&Kind::named(name)).ok();
        assert_eq!(check("vital_signs").as_deref(), Some("healthcare.vital_signs"));
        assert_eq!(check("Ward-7.x").as_deref(), Some("healthcare.Ward-7.x"));
        for name in ["", "a b", "å", "a/b", &"x".repeat(201)] {
            assert_eq!(check(name), None, "{name}");
        }
    }
}
