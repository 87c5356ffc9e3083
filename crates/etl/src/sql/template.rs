//! A query text with parameters `${name}`: each becomes a bound parameter of the database, never text of the query.

use crate::{Problems, Word};

/// Part of a query text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// SQL as it was written.
    Sql(String),
    /// The name of a parameter.
    Parameter(String),
}

/// A query text with its parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Template {
    /// The parts in order.
    pub(crate) pieces: Vec<Piece>,
}

impl Template {
    /// Reads a query. Parameters that are not `known` are a problem.
    pub(crate) fn parse(query: &Word, known: &[&str], problems: &mut Problems) -> Template {
        let text = query.trim().trim_end_matches(';');
        let (mut pieces, mut rest) = (Vec::new(), text);
        while let Some(start) = rest.find("${") {
            let (before, from) = rest.split_at(start);
            pieces.push(Piece::Sql(before.to_owned()));
            let Some(end) = from.find('}') else {
                problems.add(query.at, "a parameter of the query is not closed: write `${name}`");
                return Template { pieces };
            };
            let name = &from[2..end];
            if !known.contains(&name) {
                let names: Vec<String> = known.iter().map(|name| format!("`{name}`")).collect();
                let known = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
                problems.add(
                    query.at,
                    format!(
                        "the query uses the parameter `{name}`, which is not there (there are: {known}): add it to \
                         `parameters`; `watermark` needs a `cursor`"
                    ),
                );
            }
            pieces.push(Piece::Parameter(name.to_owned()));
            rest = &from[end + 1..];
        }
        pieces.push(Piece::Sql(rest.to_owned()));
        Template { pieces }
    }

    /// The text, with `of` for each parameter.
    pub(crate) fn render(&self, mut of: impl FnMut(&str) -> String) -> String {
        let mut text = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Sql(sql) => text.push_str(sql),
                Piece::Parameter(name) => text.push_str(&of(name)),
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Point;

    #[test]
    fn parameters_are_named_and_known() {
        let mut problems = Problems::default();
        let word = |text: &str| Word { text: text.to_owned(), at: Point { line: 3, column: 1 } };
        let template = Template::parse(
            &word("SELECT * FROM x WHERE a > ${watermark} AND b = ${state} ;"),
            &["watermark", "state"],
            &mut problems,
        );
        let mut n = 0;
        let text = template.render(|_| {
            n += 1;
            format!("${n}")
        });
        assert_eq!(text, "SELECT * FROM x WHERE a > $1 AND b = $2 ");
        assert!(problems.is_empty());
        Template::parse(&word("SELECT ${other}"), &[], &mut problems);
        Template::parse(&word("SELECT ${open"), &[], &mut problems);
        let found: Vec<String> = problems.into_sorted().iter().map(ToString::to_string).collect();
        assert!(found[0].contains("`other`") && found[1].contains("not closed"), "{found:?}");
    }
}
