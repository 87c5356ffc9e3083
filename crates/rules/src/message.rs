//! Message templates: text with `{names}`, checked when the file is read.

/// What a template may name.
pub(crate) const NAMES: [&str; 9] =
    ["says", "measure", "value", "unit", "limit", "previous", "explanation", "order", "code"];

/// A checked template.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Template(Vec<Part>);

#[derive(Clone, Debug, PartialEq)]
enum Part {
    Text(String),
    /// Index into [`NAMES`].
    Name(usize),
}

impl Template {
    /// Reads a template; an unknown name is an error.
    pub(crate) fn parse(text: &str) -> Result<Template, String> {
        let (mut parts, mut rest) = (Vec::new(), text);
        while let Some(open) = rest.find('{') {
            let close = rest[open..].find('}').ok_or("a `{` has no `}`: close it")? + open;
            let name = &rest[open + 1..close];
            let Some(known) = NAMES.iter().position(|known| *known == name) else {
                let names = NAMES.map(|name| format!("`{{{name}}}`")).join(", ");
                return Err(format!("`{{{name}}}` is not known: use {names}"));
            };
            parts.push(Part::Text(rest[..open].to_owned()));
            parts.push(Part::Name(known));
            rest = &rest[close + 1..];
        }
        parts.push(Part::Text(rest.to_owned()));
        Ok(Template(parts))
    }

    /// The text with each name replaced.
    pub(crate) fn fill(&self, value_of: &dyn Fn(&str) -> String) -> String {
        self.0.iter().fold(String::new(), |text, part| match part {
            Part::Text(fixed) => text + fixed,
            Part::Name(name) => text + &value_of(NAMES[*name]),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_replaced_and_unknown_ones_are_refused() {
        let template = Template::parse("{measure} is {value} {unit}!").unwrap();
        let filled = template.fill(&|name| name.to_uppercase());
        assert_eq!(filled, "MEASURE is VALUE UNIT!");
        assert!(
            Template::parse("{colour}").unwrap_err().starts_with("`{colour}` is not known: use `{says}`")
        );
        assert_eq!(Template::parse("{value").unwrap_err(), "a `{` has no `}`: close it");
    }
}
