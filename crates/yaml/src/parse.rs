//! Text to nodes. Anchors, aliases and tags are refused: a file says what it means where it says it.

use granit_parser::{Event, Parser, ScalarStyle, Span};

use crate::{Kind, Node, Point, Problems, Word};

const DEPTH_MAX: usize = 32;

/// The document in a text. `None` when it cannot be read at all; what is wrong is in `problems` then.
pub fn parse(text: &str, problems: &mut Problems) -> Option<Node> {
    let mut open: Vec<Open> = Vec::new();
    let mut document = None;
    for next in Parser::new_from_str(text) {
        let (event, span) = match next {
            Ok(next) => next,
            Err(error) => {
                let marker = error.marker();
                let at = Point { line: marker.line(), column: marker.col() + 1 };
                problems.add(at, format!("this is not YAML: {}", error.info()));
                return None;
            }
        };
        let at = point_of(&span);
        let done = match event {
            Event::Scalar(text, style, _, _) => Some(Node { at, kind: scalar(&text, style) }),
            Event::SequenceStart(..) => {
                open.push(Open { at, kind: Kind::List(Vec::new()), key: None });
                None
            }
            Event::MappingStart(..) => {
                open.push(Open { at, kind: Kind::Map(Vec::new()), key: None });
                None
            }
            Event::SequenceEnd | Event::MappingEnd => {
                open.pop().map(|open| Node { at: open.at, kind: open.kind })
            }
            Event::Alias(_) => {
                problems.add(at, "aliases are not supported: write the value out");
                Some(Node { at, kind: Kind::Null })
            }
            Event::DocumentStart(..) if document.is_some() => {
                problems.add(at, "a second document: a file holds one");
                return None;
            }
            _ => None,
        };
        if open.len() > DEPTH_MAX {
            problems.add(at, format!("nested deeper than {DEPTH_MAX} levels"));
            return None;
        }
        let Some(node) = done else { continue };
        match open.last_mut() {
            Some(parent) => parent.take(node, problems),
            None => document = Some(node),
        }
    }
    if document.is_none() {
        problems.add(Point { line: 1, column: 1 }, "the file is empty");
    }
    document
}

/// A list or map whose end has not come.
struct Open {
    at: Point,
    kind: Kind,
    key: Option<Word>,
}

impl Open {
    fn take(&mut self, node: Node, problems: &mut Problems) {
        match &mut self.kind {
            Kind::List(items) => items.push(node),
            Kind::Map(entries) => match self.key.take() {
                Some(key) => {
                    if entries.iter().any(|(other, _)| other.text == key.text) {
                        problems.add(key.at, format!("the key `{key}` stands here twice"));
                    } else {
                        entries.push((key, node));
                    }
                }
                None => match node.kind {
                    Kind::Scalar { text, .. } => self.key = Some(Word { text, at: node.at }),
                    _ => {
                        problems.add(node.at, "a key must be a single value");
                        self.key = Some(Word { text: String::new(), at: node.at });
                    }
                },
            },
            Kind::Null | Kind::Scalar { .. } => {}
        }
    }
}

fn point_of(span: &Span) -> Point {
    Point { line: span.start.line(), column: span.start.col() + 1 }
}

fn scalar(text: &str, style: ScalarStyle) -> Kind {
    let plain = style == ScalarStyle::Plain;
    if plain && matches!(text, "" | "~" | "null" | "Null" | "NULL") {
        return Kind::Null;
    }
    Kind::Scalar { text: text.to_owned(), plain }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems_of(text: &str) -> Vec<String> {
        let mut problems = Problems::default();
        parse(text, &mut problems);
        problems.into_sorted().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn every_node_has_its_place() {
        let mut problems = Problems::default();
        let node = parse("a:\n  - {b: 'null', c: null}\n", &mut problems).unwrap();
        let Kind::Map(entries) = &node.kind else { panic!() };
        let Kind::List(items) = &entries[0].1.kind else { panic!() };
        assert_eq!(items[0].at, Point { line: 2, column: 5 });
        let Kind::Map(inner) = &items[0].kind else { panic!() };
        assert_eq!(inner[0].1.kind, Kind::Scalar { text: "null".to_owned(), plain: false });
        assert_eq!(inner[1].1.kind, Kind::Null);
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        assert_eq!(problems_of("a: 1\na: 2\n"), ["2:1: the key `a` stands here twice"]);
        assert_eq!(problems_of(""), ["1:1: the file is empty"]);
        assert_eq!(problems_of("a: &x 1\nb: *x\n"), ["2:4: aliases are not supported: write the value out"]);
        assert!(problems_of("a: [1\n")[0].contains("this is not YAML"));
        let deep = format!("{}{}", "[".repeat(40), "]".repeat(40));
        assert!(problems_of(&deep)[0].contains("nested deeper"));
    }
}
