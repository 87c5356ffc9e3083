//! Names of people.

use fhir::Value;

/// The name to show: an official or usual one that still holds, `Family, Given`; else the text it comes with.
pub fn name_of(resource: &Value) -> Option<String> {
    let names = resource.get("name")?;
    if let Some(text) = names.as_str() {
        return Some(text.to_string());
    }
    let rank = |name: &&Value| match name.text("use") {
        Some("official") => 0,
        Some("usual") => 1,
        None => 2,
        Some("old" | "maiden") => 4,
        Some(_) => 3,
    };
    let best = names.each().iter().min_by_key(rank)?;
    let given: Vec<&str> =
        best.get("given").map_or(&[][..], Value::each).iter().filter_map(Value::as_str).collect();
    match (best.text("family"), given.is_empty()) {
        (Some(family), false) => Some(format!("{family}, {}", given.join(" "))),
        (Some(family), true) => Some(family.to_string()),
        (None, false) => Some(given.join(" ")),
        (None, true) => best.text("text").map(String::from),
    }
}

/// One or two capital letters for a round picture.
pub fn initials_of(name: &str) -> String {
    let mut words = name.split([' ', ',']).filter(|word| !word.is_empty());
    let first = words.next().and_then(|word| word.chars().next());
    let second = words.next().and_then(|word| word.chars().next());
    // `Family, Given` is shown as given first, as people say it.
    let pair = if name.contains(',') { [second, first] } else { [first, second] };
    pair.into_iter().flatten().flat_map(char::to_uppercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use fhir::json;

    fn check(resource: &Value, expected: Option<&str>) {
        assert_eq!(name_of(resource).as_deref(), expected);
    }

    #[test]
    fn the_name_that_holds_is_shown() {
        check(
            &json!({"name": [{"use": "old", "family": "Was"}, {"use": "official", "family": "Ng", "given": ["Ana", "B"]}]}),
            Some("Ng, Ana B"),
        );
        check(&json!({"name": [{"text": "Dr. Who"}]}), Some("Dr. Who"));
        check(&json!({"name": "St. Mary"}), Some("St. Mary"));
        check(&json!({"name": [{"use": "official"}]}), None);
        check(&json!({}), None);
    }

    #[test]
    fn initials() {
        assert_eq!(initials_of("Ng, Ana B"), "AN");
        assert_eq!(initials_of("ana ng"), "AN");
        assert_eq!(initials_of(""), "");
    }
}
