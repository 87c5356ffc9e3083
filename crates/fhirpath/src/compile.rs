//! Compiles a tree into a plan. The static type of each path is followed as far as it is certain.

use compact_str::CompactString;
use fhir::definitions::{TypeId, child, is_abstract};
use regex::{Regex, RegexBuilder};

use crate::error::{Problem, Result};
use crate::function::{self, Arguments, Entry, Function};
use crate::item::Item;
use crate::navigate::Step;
use crate::plan::{Call, PathStep, Plan, PlanOp, Start, TextIs};
use crate::quantity::Quantity;
use crate::syntax::{Literal, Node, Op, Term, TypeName};
use crate::types::{Class, TypeTest};

/// Memory of one compiled regular expression.
const REGEX_BYTES_MAX: usize = 1 << 20;

/// A plan and the FHIR type of all that it gives, when that is certain.
pub(crate) type Typed = (Plan, Option<TypeId>);

/// Compiles a tree; `this` is the type of what it will be evaluated on, when that is certain.
pub(crate) fn compile(node: &Node, this: Option<TypeId>) -> Result<Typed> {
    let at = node.at;
    let plan = |op| Plan { at, op };
    let untyped = |op| Ok((plan(op), None));
    match &node.term {
        Term::Literal(literal) => untyped(literal_of(literal)),
        Term::This => Ok((plan(PlanOp::Path(Start::This, Box::default())), this)),
        Term::Index => untyped(PlanOp::Index),
        Term::Total => untyped(PlanOp::Total),
        Term::Variable(name) => untyped(PlanOp::Variable(name.clone())),
        Term::Name(name) => Ok(name_of(at, name, this)),
        Term::Call(name, arguments) => {
            let input = plan(PlanOp::Path(Start::This, Box::default()));
            call(at, name, (input, this), arguments, this)
        }
        Term::Dot(left, right) => {
            let left = compile(left, this)?;
            dot(left, right, this)
        }
        Term::At(left, index) => {
            let (left, ty) = compile(left, this)?;
            let (index, _) = compile(index, this)?;
            Ok((plan(PlanOp::At(Box::new([left, index]))), ty))
        }
        Term::Negative(inner) => untyped(PlanOp::Negative(Box::new(compile(inner, this)?.0))),
        Term::Positive(inner) => untyped(PlanOp::Positive(Box::new(compile(inner, this)?.0))),
        Term::Binary(Op::Union, ..) => union(node, this),
        Term::Binary(op, left, right) => {
            let pair = [compile(left, this)?.0, compile(right, this)?.0];
            untyped(PlanOp::Binary(*op, Box::new(pair)))
        }
        Term::Is(value, name) => {
            let test = TypeTest::parse(name).map_err(|problem| problem.at(at))?;
            untyped(PlanOp::Is(Box::new(compile(value, this)?.0), test))
        }
        Term::As(value, name) => {
            let test = TypeTest::parse(name).map_err(|problem| problem.at(at))?;
            Ok(appended(compile(value, this)?, at, PathStep::OfType(test)))
        }
    }
}

fn literal_of(literal: &Literal) -> PlanOp {
    PlanOp::Literal(match literal {
        Literal::Empty => return PlanOp::Empty,
        Literal::Boolean(truth) => Item::boolean(*truth),
        Literal::String(text) => Item::text(text.as_str()),
        Literal::Integer(number) => Item::integer(*number),
        Literal::Decimal(number) => Item::decimal(number.clone()),
        Literal::Temporal(temporal) => Item::temporal(*temporal),
        Literal::Quantity { value, unit, calendar } => {
            Item::quantity(Quantity::new(value.clone(), unit.clone(), *calendar))
        }
    })
}

/// The type of the context by its name (`Patient`), or an element of `$this`.
fn name_of(at: u32, name: &CompactString, this: Option<TypeId>) -> Typed {
    let ty = if name.starts_with(|c: char| c.is_ascii_uppercase()) { TypeId::named(name) } else { None };
    let Some(ty) = ty else {
        let step = Step::new(name, this);
        let ty = step.ty();
        return (Plan { at, op: PlanOp::Path(Start::This, Box::new([PathStep::Child(step)])) }, ty);
    };
    let test = TypeTest { fhir: Some(ty), system: None };
    let known = if is_abstract(ty) { this } else { Some(ty) };
    (Plan { at, op: PlanOp::Path(Start::Type(test), Box::default()) }, known)
}

fn dot(left: Typed, right: &Node, this: Option<TypeId>) -> Result<Typed> {
    match &right.term {
        Term::Name(name) => {
            let step = Step::new(name, left.1);
            Ok(appended(left, right.at, PathStep::Child(step)))
        }
        Term::Call(name, arguments) => call(right.at, name, left, arguments, this),
        // `a.$this` is `a`; the index and the total do not depend on what stands before them.
        Term::This => Ok(left),
        _ => compile(right, this),
    }
}

/// The path with one more step.
fn appended((plan, ty): Typed, at: u32, step: PathStep) -> Typed {
    let ty = match &step {
        PathStep::Child(step) => step.ty(),
        // A choice of a specialisation (`Age`) is a `Quantity` too, so only what has none is certain.
        PathStep::OfType(test) => test.fhir.filter(|ty| test.system.is_none() && !is_abstract(*ty)),
        PathStep::Where(..) | PathStep::ResolvesTo(_) => ty,
        PathStep::Extension(_) => TypeId::named("Extension"),
        PathStep::Resolve => None,
    };
    let op = match plan.op {
        PlanOp::Path(start, steps) => {
            let mut steps = steps.into_vec();
            let narrowed = match (steps.last(), &step) {
                (Some(PathStep::Child(last)), PathStep::OfType(test)) => last.narrowed(*test),
                _ => None,
            };
            match narrowed {
                Some(narrowed) => {
                    *steps.last_mut().expect("there is a last step") = PathStep::Child(narrowed);
                }
                None => steps.push(step),
            }
            PlanOp::Path(start, steps.into())
        }
        op => PlanOp::Path(Start::Plan(Box::new(Plan { at: plan.at, op })), Box::new([step])),
    };
    (Plan { at, op }, ty)
}

/// `a | b | c` as one list, without recursion for each `|`.
fn union(node: &Node, this: Option<TypeId>) -> Result<Typed> {
    let mut terms = Vec::new();
    let mut at = node;
    while let Term::Binary(Op::Union, left, right) = &at.term {
        terms.push(compile(right, this)?);
        at = left;
    }
    terms.push(compile(at, this)?);
    terms.reverse();
    let ty = terms[0].1.filter(|ty| terms.iter().all(|(_, other)| *other == Some(*ty)));
    let terms = terms.into_iter().map(|(plan, _)| plan).collect();
    Ok((Plan { at: node.at, op: PlanOp::Union(terms) }, ty))
}

fn call(at: u32, name: &str, input: Typed, arguments: &[Node], this: Option<TypeId>) -> Result<Typed> {
    let Some(entry) = function::function(name) else {
        let problem = if function::UNSUPPORTED.contains(&name) {
            Problem::Unsupported(format!("the function `{name}`"))
        } else {
            Problem::UnknownFunction(name.to_string())
        };
        return Err(problem.at(at));
    };
    if arguments.len() < entry.min || arguments.len() > entry.max {
        return Err(Problem::Arguments(entry.usage.to_string()).at(at));
    }
    match entry.function {
        Function::OfType | Function::As => {
            let test = type_argument(&arguments[0])?;
            Ok(appended(input, at, PathStep::OfType(test)))
        }
        Function::Resolve => Ok(appended(input, at, PathStep::Resolve)),
        Function::Extension if literal_text(&arguments[0]).is_some() => {
            let url = literal_text(&arguments[0]).unwrap_or_default();
            Ok(appended(input, at, PathStep::Extension(url.into())))
        }
        Function::Where => where_of(at, input, &arguments[0]),
        _ => called(at, entry, input, arguments, this),
    }
}

fn where_of(at: u32, input: Typed, condition: &Node) -> Result<Typed> {
    if let Term::Is(value, name) = &condition.term
        && matches!(&value.term, Term::Call(function, _) if function == "resolve")
    {
        let test = TypeTest::parse(name).map_err(|problem| problem.at(condition.at))?;
        return Ok(appended(input, at, PathStep::ResolvesTo(test)));
    }
    let (plan, _) = compile(condition, input.1)?;
    if !plan.asks_for_index() {
        let quick = text_is(condition, input.1);
        return Ok(appended(input, at, PathStep::Where(plan, quick)));
    }
    let (input, ty) = input;
    let call = Call {
        function: Function::Where,
        name: "where",
        input,
        arguments: [plan].into(),
        ty: None,
        regex: None,
    };
    Ok((Plan { at, op: PlanOp::Call(Box::new(call)) }, ty))
}

/// `name = 'text'` where the name is a single text of a known type.
fn text_is(condition: &Node, owner: Option<TypeId>) -> Option<TextIs> {
    let Term::Binary(Op::Equal, left, right) = &condition.term else { return None };
    let Term::Name(name) = &left.term else { return None };
    let (owner, text) = (owner?, literal_text(right)?);
    let found = child(owner, name).filter(|found| !found.element.choice && !found.element.repeats())?;
    (Class::of(found.ty) == Class::String).then(|| TextIs { owner, name: name.clone(), text: text.into() })
}

fn called(
    at: u32,
    entry: &'static Entry,
    input: Typed,
    arguments: &[Node],
    this: Option<TypeId>,
) -> Result<Typed> {
    let (input, ty) = input;
    let mut call = Call {
        function: entry.function,
        name: entry.name(),
        input,
        arguments: Box::default(),
        ty: None,
        regex: None,
    };
    match entry.arguments {
        Arguments::Type => call.ty = arguments.first().map(type_argument).transpose()?,
        Arguments::Values | Arguments::Each => {
            // `repeat` feeds its own results back, whose type may be another.
            let repeats = entry.function == Function::Repeat;
            let scope = if entry.arguments == Arguments::Values { this } else { ty.filter(|_| !repeats) };
            let compiled: Result<Vec<Plan>> =
                arguments.iter().map(|argument| Ok(compile(argument, scope)?.0)).collect();
            call.arguments = compiled?.into();
        }
    }
    if let Function::Matches | Function::MatchesFull | Function::ReplaceMatches = entry.function
        && let Some(pattern) = literal_text(&arguments[0])
    {
        let regex = regex_of(pattern, entry.function == Function::MatchesFull);
        call.regex = Some(regex.map_err(|problem| problem.at(arguments[0].at))?);
    }
    let ty = match entry.function {
        Function::First | Function::Last | Function::Tail | Function::Skip | Function::Take => ty,
        Function::Single | Function::Distinct | Function::Trace | Function::Intersect | Function::Exclude => {
            ty
        }
        _ => None,
    };
    Ok((Plan { at, op: PlanOp::Call(Box::new(call)) }, ty))
}

fn literal_text(node: &Node) -> Option<&str> {
    match &node.term {
        Term::Literal(Literal::String(text)) => Some(text),
        _ => None,
    }
}

/// A regular expression of FHIRPath: `.` matches line ends too.
pub(crate) fn regex_of(pattern: &str, full: bool) -> std::result::Result<Regex, Problem> {
    let anchored;
    let pattern = if full {
        anchored = format!("^(?:{pattern})$");
        &anchored
    } else {
        pattern
    };
    RegexBuilder::new(pattern)
        .dot_matches_new_line(true)
        .size_limit(REGEX_BYTES_MAX)
        .dfa_size_limit(REGEX_BYTES_MAX)
        .build()
        .map_err(|error| {
            // The last line says why; the others draw the place.
            let text = error.to_string();
            let why = text.lines().last().unwrap_or("it is malformed");
            Problem::Regex(why.trim_start_matches("error: ").to_string())
        })
}

fn type_argument(node: &Node) -> Result<TypeTest> {
    let name = type_name(node).ok_or_else(|| Problem::Expected("the name of a type").at(node.at))?;
    TypeTest::parse(&name).map_err(|problem| problem.at(node.at))
}

/// `Patient` or `FHIR.Patient`, read as a path.
pub(crate) fn type_name(node: &Node) -> Option<TypeName> {
    match &node.term {
        Term::Name(name) => Some(TypeName { namespace: None, name: name.clone() }),
        Term::Dot(left, right) => match (&left.term, &right.term) {
            (Term::Name(namespace), Term::Name(name)) => {
                Some(TypeName { namespace: Some(namespace.clone()), name: name.clone() })
            }
            _ => None,
        },
        _ => None,
    }
}
