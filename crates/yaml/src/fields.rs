//! Reads a map key by key, and reports the keys that nobody asked for.

use std::str::FromStr;
use std::time::Duration;

use crate::{Node, Point, Problems, Word};

/// The keys of a map. Ask for each key that may stand there, then call [`Fields::end`]: what was not asked for is a problem.
#[must_use = "call `end`, which reports unknown keys"]
pub struct Fields<'a> {
    what: String,
    at: Point,
    entries: &'a [(Word, Node)],
    asked: Vec<&'static str>,
}

impl<'a> Fields<'a> {
    pub(super) fn new(node: &'a Node, what: String, problems: &mut Problems) -> Fields<'a> {
        let entries = node.entries(&what, problems);
        Fields { what, at: node.at, entries, asked: Vec::new() }
    }

    /// Where the map begins.
    pub fn at(&self) -> Point {
        self.at
    }

    /// How the map is called in error texts.
    pub fn what(&self) -> &str {
        &self.what
    }

    /// The node of a key.
    pub fn node(&mut self, key: &'static str) -> Option<&'a Node> {
        if !self.asked.contains(&key) {
            self.asked.push(key);
        }
        self.entries.iter().find(|(name, _)| name.text == key).map(|(_, node)| node)
    }

    /// The node of a key that must be there.
    pub fn required(&mut self, key: &'static str, problems: &mut Problems) -> Option<&'a Node> {
        let node = self.node(key);
        if node.is_none() {
            problems.add(self.at, format!("{} needs the key `{key}`", self.what));
        }
        node
    }

    /// A text.
    pub fn text(&mut self, key: &'static str, problems: &mut Problems) -> Option<Word> {
        let what = format!("`{key}` of {}", self.what);
        self.node(key)?.text(&what, problems)
    }

    /// A text that must be there.
    pub fn required_text(&mut self, key: &'static str, problems: &mut Problems) -> Option<Word> {
        let what = format!("`{key}` of {}", self.what);
        self.required(key, problems)?.text(&what, problems)
    }

    /// A list of texts (one text counts as a list of one); empty when the key is absent.
    pub fn texts(&mut self, key: &'static str, problems: &mut Problems) -> Vec<Word> {
        let what = format!("`{key}` of {}", self.what);
        self.node(key).map(|node| node.texts(&what, problems)).unwrap_or_default()
    }

    /// A value with a form of its own; `form` says how to write it.
    pub fn value<T: FromStr>(&mut self, key: &'static str, form: &str, problems: &mut Problems) -> Option<T> {
        let word = self.text(key, problems)?;
        let value = word.parse().ok();
        if value.is_none() {
            problems.add(word.at, format!("`{key}` of {} must be {form}", self.what));
        }
        value
    }

    /// A whole number, not negative.
    pub fn whole(&mut self, key: &'static str, problems: &mut Problems) -> Option<u64> {
        self.value(key, "a whole number", problems)
    }

    /// A number.
    pub fn number(&mut self, key: &'static str, problems: &mut Problems) -> Option<f64> {
        let word = self.text(key, problems)?;
        let value = word.parse().ok().filter(|n: &f64| n.is_finite());
        if value.is_none() {
            problems.add(word.at, format!("`{key}` of {} must be a number", self.what));
        }
        value
    }

    /// A share: `0.05` or `5%`, from 0 to 1.
    pub fn share(&mut self, key: &'static str, problems: &mut Problems) -> Option<f64> {
        let word = self.text(key, problems)?;
        let value = match word.strip_suffix('%') {
            Some(percent) => percent.trim().parse::<f64>().ok().map(|percent| percent / 100.0),
            None => word.parse().ok(),
        };
        let value = value.filter(|share| (0.0..=1.0).contains(share));
        if value.is_none() {
            problems.add(word.at, format!("`{key}` of {} must be a share such as `0.05` or `5%`", self.what));
        }
        value
    }

    /// `true` or `false`.
    pub fn flag(&mut self, key: &'static str, problems: &mut Problems) -> Option<bool> {
        self.value(key, "`true` or `false`", problems)
    }

    /// A time span: `90s`, `15m`, `12h`, `7d`.
    pub fn span(&mut self, key: &'static str, problems: &mut Problems) -> Option<Duration> {
        let word = self.text(key, problems)?;
        let value = parse_span(&word);
        if value.is_none() {
            problems.add(
                word.at,
                format!("`{key}` of {} must be a time span such as `90s`, `15m`, `12h` or `7d`", self.what),
            );
        }
        value
    }

    /// A size in bytes: `512`, `64KiB`, `256MiB`, `2GiB`.
    pub fn size(&mut self, key: &'static str, problems: &mut Problems) -> Option<u64> {
        let word = self.text(key, problems)?;
        let value = parse_size(&word);
        if value.is_none() {
            problems.add(
                word.at,
                format!("`{key}` of {} must be a size such as `64KiB`, `256MiB` or `2GiB`", self.what),
            );
        }
        value
    }

    /// One of some words.
    pub fn choice<T: Copy>(
        &mut self,
        key: &'static str,
        choices: &[(&str, T)],
        problems: &mut Problems,
    ) -> Option<T> {
        let word = self.text(key, problems)?;
        let found = choices.iter().find(|(name, _)| *name == word.text).map(|(_, value)| *value);
        if found.is_none() {
            let names: Vec<String> = choices.iter().map(|(name, _)| format!("`{name}`")).collect();
            problems.add(word.at, format!("`{key}` of {} must be one of {}", self.what, names.join(", ")));
        }
        found
    }

    /// Reports the keys that nobody asked for.
    pub fn end(self, problems: &mut Problems) {
        for (name, _) in self.entries {
            if !self.asked.contains(&name.text.as_str()) {
                let known: Vec<String> = self.asked.iter().map(|key| format!("`{key}`")).collect();
                problems.add(
                    name.at,
                    format!("unknown key `{name}` in {}: it knows {}", self.what, known.join(", ")),
                );
            }
        }
    }
}

/// A time span such as `90s`, `15m`, `12h`, `7d`.
pub fn parse_span(text: &str) -> Option<Duration> {
    let unit = text.chars().last()?;
    let secs = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return None,
    };
    let count: u64 = text[..text.len() - 1].trim().parse().ok()?;
    Some(Duration::from_secs(count.checked_mul(secs)?))
}

/// A size such as `512`, `64KiB`, `256MiB`, `2GiB`.
fn parse_size(text: &str) -> Option<u64> {
    let (digits, factor) = match text {
        t if t.ends_with("KiB") => (&t[..t.len() - 3], 1 << 10),
        t if t.ends_with("MiB") => (&t[..t.len() - 3], 1 << 20),
        t if t.ends_with("GiB") => (&t[..t.len() - 3], 1 << 30),
        t => (t, 1),
    };
    digits.trim().parse::<u64>().ok()?.checked_mul(factor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse;

    #[test]
    fn what_is_wrong_comes_together_with_its_place() {
        let text = "where: [a]\nmax: 5%\nshare: 2\nspan: 7w\nodd: 1\n";
        let mut problems = Problems::default();
        let node = parse(text, &mut problems).unwrap();
        let mut fields = node.fields("the step `x`", &mut problems);
        assert_eq!(fields.share("max", &mut problems), Some(0.05));
        fields.text("where", &mut problems);
        fields.share("share", &mut problems);
        fields.span("span", &mut problems);
        fields.required_text("by", &mut problems);
        fields.end(&mut problems);
        let found: Vec<String> = problems.into_sorted().iter().map(ToString::to_string).collect();
        assert_eq!(
            found,
            [
                "1:1: the step `x` needs the key `by`",
                "1:8: `where` of the step `x` must be a single value, not a list",
                "3:8: `share` of the step `x` must be a share such as `0.05` or `5%`",
                "4:7: `span` of the step `x` must be a time span such as `90s`, `15m`, `12h` or `7d`",
                "5:1: unknown key `odd` in the step `x`: it knows `max`, `where`, `share`, `span`, `by`",
            ]
        );
    }
}
