//! CEL expressions of rules: compiled once, bounded, evaluated over what is known of a patient. Missing is unknown, never false.
//!
//! | name | is |
//! |---|---|
//! | `v.NAME` | latest usable value: a number, or the word of a measure of words |
//! | `mins.NAME` | minutes since it was measured |
//! | `history.NAME` | list of `{value, mins}`, oldest first |
//! | `codes` | list of `SYSTEM|CODE`: what a note or an event of social circumstances says in codes; of its text nothing |
//! | `patient.age_years`, `.pregnant`, `.dialysis`, `.spo2_target_88_92` | the person |
//!
//! CEL has no loops. What can grow are macros inside macros over lists, so lists are short ([`LIST_MAX`]), macros are nested at most
//! [`MACRO_DEPTH_MAX`] deep and the text is short: an expression that could run long is refused when its file is read.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, LazyLock};

use cel::common::ast::{EntryExpr, Expr};
use cel::{Context, Env, ExecutionError, IdedExpr, Program, Value};

use crate::limit::Verdict;

const TEXT_BYTES_MAX: usize = 2_000;
const MACRO_DEPTH_MAX: usize = 2;
const MACROS_MAX: usize = 8;
const BRACKET_DEPTH_MAX: usize = 24;
/// Operations inside operations; what is deeper could need more stack than the thread has that judges.
const TREE_DEPTH_MAX: usize = 200;
/// A shorter text cannot be that deep.
const SHALLOW_BYTES_MAX: usize = TREE_DEPTH_MAX;
/// Stack for reading a longer one, however deep it is.
const COMPILE_STACK_BYTES: usize = 32 << 20;
/// Longest list that an expression sees.
pub(crate) const LIST_MAX: usize = 64;

static ENV: LazyLock<Arc<Env>> = LazyLock::new(|| Arc::new(Env::stdlib()));
/// Functions that an expression may call, beside operators.
const FUNCTIONS: [&str; 9] =
    ["size", "contains", "startsWith", "endsWith", "double", "int", "string", "min", "max"];
const PATIENT: [&str; 4] = ["age_years", "pregnant", "dialysis", "spo2_target_88_92"];

/// A compiled expression.
#[derive(Debug)]
pub(crate) struct Expression {
    pub(crate) text: String,
    program: Program,
    /// Measures that it names, sorted.
    pub(crate) measures: Vec<String>,
    /// It asks for the codes of the event.
    pub(crate) reads_codes: bool,
}

/// One remembered value for an expression.
pub(crate) enum Known {
    Number(f64),
    Word(String),
}

/// What an expression can ask for.
pub(crate) trait World {
    /// The latest usable value and its age in minutes.
    fn latest(&self, measure: &str) -> Option<(Known, i64)>;
    /// All remembered usable values with their ages, oldest first.
    fn history(&self, measure: &str) -> Vec<(Known, i64)>;
    /// Age in completed years.
    fn age_years(&self) -> Option<i64>;
    /// Pregnant, dialysis, SpO2 target.
    fn facts(&self) -> [bool; 3];
    /// Codes of the event as `SYSTEM|CODE`.
    fn codes(&self) -> Vec<String>;
}

impl Expression {
    /// Compiles a text.
    ///
    /// # Errors
    /// Line and column within the text with what is wrong.
    pub(crate) fn compile(text: &str) -> Result<Expression, (usize, usize, String)> {
        if text.len() > TEXT_BYTES_MAX {
            return Err((
                1,
                1,
                format!("the expression is longer than {TEXT_BYTES_MAX} bytes: write several rules"),
            ));
        }
        let deep = text.bytes().try_fold(0_usize, |depth, byte| match byte {
            b'(' | b'[' | b'{' if depth == BRACKET_DEPTH_MAX => None,
            b'(' | b'[' | b'{' => Some(depth + 1),
            b')' | b']' | b'}' => Some(depth.saturating_sub(1)),
            _ => Some(depth),
        });
        if deep.is_none() {
            return Err((1, 1, format!("brackets are nested deeper than {BRACKET_DEPTH_MAX}")));
        }
        if text.len() <= SHALLOW_BYTES_MAX {
            return Expression::compile_here(text);
        }
        let all = std::thread::scope(|scope| {
            let thread = std::thread::Builder::new().stack_size(COMPILE_STACK_BYTES);
            thread
                .spawn_scoped(scope, || Expression::compile_here(text))
                .map(std::thread::ScopedJoinHandle::join)
        });
        match all {
            Ok(Ok(compiled)) => compiled,
            Ok(Err(_)) => Err((1, 1, "the expression broke its reader, which is a bug".to_owned())),
            Err(_) => Err((1, 1, "there is no memory to read the expression".to_owned())),
        }
    }

    fn compile_here(text: &str) -> Result<Expression, (usize, usize, String)> {
        let program = ENV.compile(text).map_err(|errors| {
            let first = errors.errors.into_iter().next();
            let (line, column) = first.as_ref().map_or((1, 1), |error| error.pos);
            let message = first.map_or_else(|| "it cannot be read".to_owned(), |error| error.msg);
            let place = |n: isize| usize::try_from(n).unwrap_or(1).max(1);
            (place(line), place(column), format!("the expression does not compile: {message}"))
        })?;
        let mut check = Check::default();
        check.walk(program.expression(), 0, &mut Vec::new());
        if check.tree_depth_max > TREE_DEPTH_MAX {
            check.refuse(format!("operations are nested deeper than {TREE_DEPTH_MAX}: write several rules"));
        }
        if let Some(problem) = check.problem {
            return Err((1, 1, problem));
        }
        check.measures.sort_unstable();
        check.measures.dedup();
        Ok(Expression {
            text: text.to_owned(),
            program,
            measures: check.measures,
            reads_codes: check.reads_codes,
        })
    }

    /// Evaluates it; `Err` says why it is not known. Whatever breaks is the matter of this expression: other rules judge all the same.
    pub(crate) fn judge(&self, world: &dyn World) -> Result<Verdict, String> {
        // Nothing is changed by an evaluation, so nothing is half changed when it breaks.
        let judged = catch_unwind(AssertUnwindSafe(|| self.evaluate(world)));
        judged.unwrap_or_else(|_| Err("the rule broke at these values, which is a bug".to_owned()))
    }

    fn evaluate(&self, world: &dyn World) -> Result<Verdict, String> {
        let mut context = Context::with_env(Arc::clone(&ENV));
        let (mut values, mut ages, mut lists) = (HashMap::new(), HashMap::new(), HashMap::new());
        for measure in &self.measures {
            if let Some((value, minutes)) = world.latest(measure) {
                values.insert(measure.clone(), value.into_cel());
                ages.insert(measure.clone(), Value::Int(minutes));
            }
            let history = world.history(measure).into_iter().take(LIST_MAX).map(|(value, minutes)| {
                Value::from(HashMap::from([("value", value.into_cel()), ("mins", Value::Int(minutes))]))
            });
            lists.insert(measure.clone(), Value::from(history.collect::<Vec<Value>>()));
        }
        let [pregnant, dialysis, target] = world.facts();
        let mut patient = HashMap::from([
            ("pregnant", Value::Bool(pregnant)),
            ("dialysis", Value::Bool(dialysis)),
            ("spo2_target_88_92", Value::Bool(target)),
        ]);
        if let Some(years) = world.age_years() {
            patient.insert("age_years", Value::Int(years));
        }
        context.add_variable_from_value("v", Value::from(values));
        context.add_variable_from_value("mins", Value::from(ages));
        context.add_variable_from_value("history", Value::from(lists));
        context.add_variable_from_value("patient", Value::from(patient));
        if self.reads_codes {
            let codes = world.codes().into_iter().take(LIST_MAX).map(Value::from);
            context.add_variable_from_value("codes", Value::from(codes.collect::<Vec<Value>>()));
        }
        match self.program.execute(&context) {
            Ok(Value::Bool(met)) => Ok(met.into()),
            Ok(_) => Err("the expression is neither true nor false".to_owned()),
            Err(ExecutionError::NoSuchKey(name)) => Err(format!("`{name}` is missing")),
            Err(_) => Err("the expression cannot be computed of these values".to_owned()),
        }
    }
}

impl Known {
    fn into_cel(self) -> Value {
        match self {
            Known::Number(number) => Value::Float(number),
            Known::Word(word) => Value::from(word),
        }
    }
}

/// What an expression names and how much it could do.
#[derive(Default)]
struct Check {
    measures: Vec<String>,
    n_macros: usize,
    reads_codes: bool,
    tree_depth: usize,
    tree_depth_max: usize,
    problem: Option<String>,
}

impl Check {
    fn refuse(&mut self, problem: String) {
        self.problem.get_or_insert(problem);
    }

    /// `bound`: variables of the macros around.
    fn walk<'e>(&mut self, node: &'e IdedExpr, depth: usize, bound: &mut Vec<&'e str>) {
        self.tree_depth += 1;
        self.tree_depth_max = self.tree_depth_max.max(self.tree_depth);
        self.look(node, depth, bound);
        self.tree_depth -= 1;
    }

    fn look<'e>(&mut self, node: &'e IdedExpr, depth: usize, bound: &mut Vec<&'e str>) {
        match &node.expr {
            Expr::Unspecified | Expr::Literal(_) => {}
            Expr::Ident(name) if bound.contains(&name.as_str()) => {}
            Expr::Ident(name) if name == "codes" => self.reads_codes = true,
            Expr::Ident(name) => self.refuse(format!(
                "`{name}` is not known: use `v.NAME`, `mins.NAME`, `history.NAME` or `patient.NAME`"
            )),
            Expr::Select(select) => match &select.operand.expr {
                Expr::Ident(root) if !bound.contains(&root.as_str()) => self.name(root, &select.field),
                _ => self.walk(&select.operand, depth, bound),
            },
            Expr::Call(call) => {
                let operator = call.func_name.starts_with(['_', '!', '-', '@']);
                if !operator && !FUNCTIONS.contains(&call.func_name.as_str()) {
                    self.refuse(format!("the function `{}` is not available to rules", call.func_name));
                }
                call.target.iter().for_each(|target| self.walk(target, depth, bound));
                call.args.iter().for_each(|argument| self.walk(argument, depth, bound));
            }
            Expr::Comprehension(inner) => {
                self.n_macros += 1;
                if depth == MACRO_DEPTH_MAX || self.n_macros > MACROS_MAX {
                    self.refuse(format!(
                        "macros are nested deeper than {MACRO_DEPTH_MAX} or are more than {MACROS_MAX}: it could run too long"
                    ));
                    return;
                }
                self.walk(&inner.iter_range, depth + 1, bound);
                let n_bound = bound.len();
                bound.extend([inner.iter_var.as_str(), inner.accu_var.as_str()]);
                bound.extend(inner.iter_var2.as_deref());
                for part in [&inner.accu_init, &inner.loop_cond, &inner.loop_step, &inner.result] {
                    self.walk(part, depth + 1, bound);
                }
                bound.truncate(n_bound);
            }
            Expr::List(list) => list.elements.iter().for_each(|item| self.walk(item, depth, bound)),
            Expr::Map(map) => {
                for entry in &map.entries {
                    if let EntryExpr::MapEntry(entry) = &entry.expr {
                        self.walk(&entry.key, depth, bound);
                        self.walk(&entry.value, depth, bound);
                    }
                }
            }
            Expr::Struct(_) => self.refuse("messages are not available to rules".to_owned()),
        }
    }

    fn name(&mut self, root: &str, field: &str) {
        match root {
            "v" | "mins" | "history" => self.measures.push(field.to_owned()),
            "patient" if PATIENT.contains(&field) => {}
            "patient" => self.refuse(format!("`patient.{field}` is not known: use {}", PATIENT.join(", "))),
            _ => self.refuse(format!("`{root}` is not known: use `v`, `mins`, `history` or `patient`")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Bed;

    impl World for Bed {
        fn latest(&self, measure: &str) -> Option<(Known, i64)> {
            match measure {
                "heart_rate" => Some((Known::Number(120.0), 3)),
                "systolic" => Some((Known::Number(100.0), 5)),
                "breathing" => Some((Known::Word("oxygen".to_owned()), 9)),
                _ => None,
            }
        }

        fn history(&self, measure: &str) -> Vec<(Known, i64)> {
            let values = if measure == "haemoglobin" { vec![(11.0, 300), (8.5, 10)] } else { Vec::new() };
            values.into_iter().map(|(value, minutes)| (Known::Number(value), minutes)).collect()
        }

        fn age_years(&self) -> Option<i64> {
            None
        }

        fn facts(&self) -> [bool; 3] {
            [false, true, false]
        }

        fn codes(&self) -> Vec<String> {
            vec!["http://snomed.info/sct|22253000".to_owned()]
        }
    }

    fn judged(text: &str) -> Result<Verdict, String> {
        Expression::compile(text).unwrap_or_else(|error| panic!("{text}: {error:?}")).judge(&Bed)
    }

    #[test]
    fn values_histories_and_facts() {
        let check = |text: &str, expected: Result<Verdict, &str>| {
            assert_eq!(judged(text), expected.map_err(str::to_owned), "{text}");
        };
        check("v.heart_rate / v.systolic >= 1.2", Ok(Verdict::Met));
        check("v.heart_rate > 120", Ok(Verdict::NotMet));
        check("v.heart_rate >= 120 && mins.heart_rate <= 3", Ok(Verdict::Met));
        check("v.breathing == 'oxygen'", Ok(Verdict::Met));
        check("patient.dialysis && !patient.pregnant", Ok(Verdict::Met));
        check("history.haemoglobin.exists(h, h.mins < 1440 && h.value - 2.0 >= 8.5)", Ok(Verdict::Met));
        check("v.temperature > 38", Err("`temperature` is missing"));
        check("has(v.temperature) && v.temperature > 38", Ok(Verdict::NotMet));
        check("patient.age_years > 65", Err("`age_years` is missing"));
        check("codes.exists(c, c == 'http://snomed.info/sct|22253000')", Ok(Verdict::Met));
        check("'http://loinc.org|34117-2' in codes", Ok(Verdict::NotMet));
        check("v.heart_rate", Err("the expression is neither true nor false"));
    }

    /// Breaks when it is asked.
    struct Trap;

    impl World for Trap {
        fn latest(&self, _: &str) -> Option<(Known, i64)> {
            panic!("the trap is asked")
        }

        fn history(&self, _: &str) -> Vec<(Known, i64)> {
            Vec::new()
        }

        fn age_years(&self) -> Option<i64> {
            None
        }

        fn codes(&self) -> Vec<String> {
            Vec::new()
        }

        fn facts(&self) -> [bool; 3] {
            [false; 3]
        }
    }

    #[test]
    fn what_breaks_is_not_evaluated() {
        let expression = Expression::compile("v.heart_rate > 120").unwrap();
        assert_eq!(expression.judge(&Trap), Err("the rule broke at these values, which is a bug".to_owned()));
        // What an expression may do to numbers and words ends in an answer, never in the end of the process.
        for text in [
            "int(v.heart_rate) / 0 > 1",
            "int(v.heart_rate) % 0 > 1",
            "mins.heart_rate * 9223372036854775807 > 1",
            "mins.heart_rate - 9223372036854775807 - 9 > 1",
            "int(v.heart_rate * 1e300) > 1",
            "int('x') > 1",
            "double('x') > 1.0",
            "size(v.heart_rate) > 1",
            "min() > 1.0",
            "max([]) > 1.0",
            "history.heart_rate[5].value > 1.0",
            "'x'.contains(v.heart_rate)",
            "v.breathing < 3",
        ] {
            if let Ok(expression) = Expression::compile(text) {
                assert!(expression.judge(&Bed).is_err(), "{text}");
            }
        }
    }

    /// The dearest that is allowed: two macros deep over the longest lists, as often as there is room.
    #[test]
    fn the_dearest_expression_ends_soon() {
        struct Long;
        impl World for Long {
            fn latest(&self, _: &str) -> Option<(Known, i64)> {
                None
            }

            fn history(&self, _: &str) -> Vec<(Known, i64)> {
                (0..LIST_MAX as i64).map(|n| (Known::Number(n as f64), n)).collect()
            }

            fn age_years(&self) -> Option<i64> {
                None
            }

            fn codes(&self) -> Vec<String> {
                Vec::new()
            }

            fn facts(&self) -> [bool; 3] {
                [false; 3]
            }
        }
        let one = "history.a.all(x, history.a.all(y, x.value + y.value >= 0.0 && x.value * y.value >= 0.0))";
        let expression = Expression::compile(&[one; MACROS_MAX / 2].join(" && ")).unwrap();
        let begun = std::time::Instant::now();
        assert_eq!(expression.judge(&Long), Ok(Verdict::Met));
        assert!(begun.elapsed().as_secs() < 60, "{:?}", begun.elapsed());
    }

    /// As deep as the text has room for, on half the stack that a thread has: it ends in an answer, and never in the end of the process.
    #[test]
    fn the_deepest_expression_ends_on_a_small_stack() {
        let deepest = [
            (format!("{}true", "!".repeat(1_900)), Ok(Verdict::Met)),
            (format!("{}1 > 0", "- ".repeat(900)), Ok(Verdict::Met)),
            (format!("true{}", " || true".repeat(190)), Ok(Verdict::Met)),
            (format!("1{} > 0", "+1".repeat(190)), Ok(Verdict::Met)),
            (format!("1{} > 0", "+1".repeat(900)), Err("nested deeper")),
            (format!("v{} > 1", ".a".repeat(190)), Err("`a` is missing")),
            (format!("v{} > 1", ".a".repeat(900)), Err("nested deeper")),
            (format!("v.heart_rate{} > 1", "[0]".repeat(190)), Err("cannot be computed")),
            (format!("v.heart_rate{} > 1", "[0]".repeat(600)), Err("nested deeper")),
            (format!("v.heart_rate{}", ".size()".repeat(190)), Err("cannot be computed")),
            (format!("1{}", "<1".repeat(900)), Err("nested deeper")),
            (format!("{}true", "true?true:".repeat(190)), Err("does not compile")),
            (format!("{}true{}", "(".repeat(24), ")".repeat(24)), Ok(Verdict::Met)),
        ];
        for (text, expected) in deepest {
            let judge = move || match Expression::compile(&text) {
                Ok(expression) => expression.judge(&Bed),
                Err((_, _, why)) => Err(why),
            };
            let thread = std::thread::Builder::new().stack_size(1 << 20).spawn(judge).unwrap();
            match (thread.join().unwrap(), expected) {
                (Err(why), Err(part)) => assert!(why.contains(part), "{why}"),
                (found, expected) => assert_eq!(found, expected.map_err(str::to_owned)),
            }
        }
    }

    #[test]
    fn what_could_run_long_or_is_unknown_is_refused() {
        let refused = |text: &str| Expression::compile(text).expect_err(text).2;
        let three = "history.a.all(x, history.a.all(y, history.a.all(z, x.value + y.value + z.value > 0.0)))";
        assert!(refused(three).contains("could run too long"));
        let many = ["history.a.all(x, x.value > 0.0)"; 9].join(" && ");
        assert!(refused(&many).contains("could run too long"));
        assert!(refused(&"(".repeat(30)).contains("nested deeper"));
        assert!(refused(&format!("v.a > {}", "1".repeat(2_000))).contains("longer than"));
        assert!(refused("v.a > ").contains("does not compile"));
        assert!(refused("heart_rate > 3").contains("`heart_rate` is not known"));
        assert!(refused("codes.text == 'x'").contains("`codes` is not known"));
        assert!(refused("patient.name == 'x'").contains("`patient.name` is not known"));
        assert!(refused("'a'.matches(string(v.a))").contains("`matches` is not available"));
        assert_eq!(Expression::compile("v.b > v.a").unwrap().measures, ["a", "b"]);
    }
}
