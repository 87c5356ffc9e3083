//! Looks for mistakes that show before anything is evaluated: elements that a type does not have, an order that does not exist.

use fhir::definitions::{TypeId, elements, is_abstract};

use crate::compile::type_name;
use crate::error::{PathError, Problem};
use crate::function::{self, Arguments, Function as F};
use crate::navigate::{Found, find};
use crate::syntax::{Literal, Node, Op, Term};
use crate::types::{SystemType, Type, TypeTest, known};

/// What is known about a collection before it is there.
#[derive(Clone)]
struct Shape {
    /// Types that its items can have; `None` when anything may come.
    types: Option<Vec<Type>>,
    many: bool,
    unordered: bool,
}

impl Shape {
    fn unknown() -> Shape {
        Shape { types: None, many: true, unordered: false }
    }

    fn one(ty: Type) -> Shape {
        Shape { types: Some(vec![ty]), many: false, unordered: false }
    }

    fn system(ty: SystemType) -> Shape {
        Shape::one(Type::System(ty))
    }

    fn merged(self, other: Shape) -> Shape {
        let types = self.types.zip(other.types).map(|(mut types, more)| {
            for ty in more {
                // Without this, `$this | $this` would double them.
                if !types.contains(&ty) {
                    types.push(ty);
                }
            }
            types
        });
        Shape { types, many: true, unordered: self.unordered || other.unordered }
    }

    fn single(self) -> Shape {
        Shape { many: false, ..self }
    }
}

/// What is wrong with a tree that will be evaluated on items of a type.
pub(crate) fn check(node: &Node, focus: TypeId) -> Vec<PathError> {
    let focus = Shape::one(Type::Fhir(focus));
    let mut checker = Checker { focus: focus.clone(), repeats: false, found: Vec::new() };
    checker.shape(node, &focus);
    checker.found
}

struct Checker {
    focus: Shape,
    /// Inside a `repeat` another one is not followed: that would double the work with each level.
    repeats: bool,
    found: Vec<PathError>,
}

impl Checker {
    fn shape(&mut self, node: &Node, this: &Shape) -> Shape {
        match &node.term {
            Term::Literal(literal) => literal_shape(literal),
            Term::Name(name) => self.name(node.at, name, this),
            Term::This => this.clone(),
            Term::Index => Shape::system(SystemType::Integer),
            Term::Total => Shape::unknown(),
            Term::Variable(name) if name == "context" => self.focus.clone(),
            Term::Variable(_) => Shape::unknown(),
            Term::Call(name, arguments) => self.call(node.at, name, arguments, this.clone(), this),
            Term::Dot(left, right) => {
                let left = self.shape(left, this);
                match &right.term {
                    Term::Name(name) => self.member(right.at, name, &left),
                    Term::Call(name, arguments) => self.call(right.at, name, arguments, left, this),
                    _ => left,
                }
            }
            Term::At(left, index) => {
                let left = self.shape(left, this);
                self.shape(index, this);
                self.ordered(node.at, "[]", &left);
                left.single()
            }
            Term::Negative(inner) | Term::Positive(inner) => self.shape(inner, this),
            Term::Is(value, _) => {
                self.shape(value, this);
                Shape::system(SystemType::Boolean)
            }
            Term::As(value, name) => {
                let value = self.shape(value, this);
                TypeTest::parse(name).map_or(Shape::unknown(), |test| selected(&value, test))
            }
            Term::Binary(op, left, right) => self.binary(*op, left, right, this),
        }
    }

    fn binary(&mut self, op: Op, left: &Node, right: &Node, this: &Shape) -> Shape {
        let left = self.shape(left, this);
        let right = self.shape(right, this);
        match op {
            Op::Union => left.merged(right),
            Op::Times | Op::Over | Op::Div | Op::Mod | Op::Plus | Op::Minus => Shape::unknown().single(),
            Op::Concat => Shape::system(SystemType::String),
            _ => Shape::system(SystemType::Boolean),
        }
    }

    /// The type of the context by its name, or an element.
    fn name(&mut self, at: u32, name: &str, this: &Shape) -> Shape {
        let named =
            if name.starts_with(|c: char| c.is_ascii_uppercase()) { TypeId::named(name) } else { None };
        let Some(ty) = named else { return self.member(at, name, this) };
        let ty = Type::Fhir(ty);
        match &this.types {
            None => Shape::one(ty),
            Some(types) if types.iter().any(|known| known.is_a(ty)) => this.clone(),
            Some(types) => {
                self.unknown(at, name, types);
                Shape::one(ty)
            }
        }
    }

    fn unknown(&mut self, at: u32, name: &str, types: &[Type]) {
        let owner = types.iter().map(|ty| ty.name()).collect::<Vec<_>>().join("` or `");
        self.found.push(Problem::UnknownElement { owner, name: name.to_string() }.at(at));
    }

    fn member(&mut self, at: u32, name: &str, of: &Shape) -> Shape {
        let Some(types) = &of.types else { return Shape::unknown() };
        let (mut members, mut many, mut open) = (Vec::new(), of.many, types.is_empty());
        for ty in types {
            let Type::Fhir(ty) = *ty else {
                // Parts of computed quantities and types are not looked at.
                open = true;
                continue;
            };
            // Of a resource of any type more may be there than `Resource` defines.
            open |= is_abstract(ty) && ty.is_a(known().resource);
            let element = elements(ty).iter().find(|element| element.name == name);
            many |= element.is_some_and(fhir::definitions::Element::repeats);
            match find(ty, name) {
                Found::Plain { ty, .. } => members.push(Type::Fhir(ty)),
                Found::Resource => members.push(Type::Fhir(known().resource)),
                Found::Choice(element) => members.extend(element.types.iter().map(|ty| Type::Fhir(*ty))),
                Found::Nothing => {}
            }
        }
        members.sort_unstable_by_key(|ty| ty.name());
        members.dedup();
        if members.is_empty() && !open {
            self.unknown(at, name, types);
            return Shape::unknown();
        }
        let types = if open && members.is_empty() { None } else { Some(members) };
        Shape { types, many, unordered: of.unordered }
    }

    fn ordered(&mut self, at: u32, what: &'static str, input: &Shape) {
        if input.unordered {
            self.found.push(Problem::Unordered(what).at(at));
        }
    }

    fn call(&mut self, at: u32, name: &str, arguments: &[Node], input: Shape, this: &Shape) -> Shape {
        let Some(entry) = function::function(name) else { return Shape::unknown() };
        let each = entry.arguments == Arguments::Each;
        let scope = if each { Shape { many: false, ..input.clone() } } else { this.clone() };
        let shapes: Vec<Shape> = match entry.arguments {
            Arguments::Type => Vec::new(),
            // What `repeat` feeds back may be of other types.
            _ if entry.function == F::Repeat => vec![self.repeated(&arguments[0], &scope)],
            _ => arguments.iter().map(|argument| self.shape(argument, &scope)).collect(),
        };
        match entry.function {
            F::First | F::Last | F::Tail | F::Skip | F::Take => {
                self.ordered(at, entry.name(), &input);
                if matches!(entry.function, F::First | F::Last) { input.single() } else { input }
            }
            F::As | F::OfType => {
                if entry.function == F::As && input.many {
                    self.found.push(Problem::Several("as").at(at));
                }
                let test = type_name(&arguments[0]).and_then(|name| TypeTest::parse(&name).ok());
                test.map_or(Shape::unknown(), |test| selected(&input, test))
            }
            F::Where | F::Distinct | F::Trace | F::Sort | F::Intersect | F::Exclude => input,
            F::Single => input.single(),
            F::Select => {
                shapes.into_iter().next().map_or(Shape::unknown(), |shape| Shape { many: true, ..shape })
            }
            F::Union | F::Combine => {
                shapes.into_iter().next().map_or(Shape::unknown(), |other| input.merged(other))
            }
            F::Iif => {
                shapes.into_iter().skip(1).reduce(Shape::merged).map_or(Shape::unknown(), |shape| shape)
            }
            F::Extension => Shape { many: true, ..Shape::one(Type::Fhir(known().extension)) },
            F::Children | F::Descendants => Shape { unordered: true, ..Shape::unknown() },
            F::Count | F::Length | F::IndexOf => Shape::system(SystemType::Integer),
            F::Exists | F::Empty | F::Not | F::All | F::HasValue | F::Is => {
                Shape::system(SystemType::Boolean)
            }
            _ => Shape::unknown(),
        }
    }

    /// The shape of a projection on its input and on its own results; mistakes are those on the input.
    fn repeated(&mut self, projection: &Node, input: &Shape) -> Shape {
        if self.repeats {
            return Shape::unknown();
        }
        let first = self.shape(projection, input);
        let mut quiet = Checker { focus: self.focus.clone(), repeats: true, found: Vec::new() };
        let again = quiet.shape(projection, &first.clone().single());
        first.merged(again)
    }
}

fn literal_shape(literal: &Literal) -> Shape {
    Shape::system(match literal {
        Literal::Empty => return Shape { types: Some(Vec::new()), many: false, unordered: false },
        Literal::Boolean(_) => SystemType::Boolean,
        Literal::String(_) => SystemType::String,
        Literal::Integer(_) => SystemType::Integer,
        Literal::Decimal(_) => SystemType::Decimal,
        Literal::Quantity { .. } => SystemType::Quantity,
        Literal::Temporal(_) => return Shape::unknown().single(),
    })
}

/// What a type test lets through: the types that fit, or the wanted one where a specialisation may come.
fn selected(input: &Shape, test: TypeTest) -> Shape {
    let wanted = test.fhir.map(Type::Fhir).or(test.system.map(Type::System));
    let types = match &input.types {
        Some(types) => {
            let fitting: Vec<Type> = types.iter().copied().filter(|ty| test.selects(*ty)).collect();
            if fitting.is_empty() { wanted.into_iter().collect() } else { fitting }
        }
        None => wanted.into_iter().collect(),
    };
    Shape { types: Some(types), ..input.clone() }
}
