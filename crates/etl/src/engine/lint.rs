//! What an expression must not do: look at several rows, or compare text with numbers, which SQL engines do silently and which is wrong
//! for codes that keep their zeros.

use arrow::datatypes::DataType;
use datafusion::common::DFSchema;
use datafusion::common::tree_node::{TreeNode as _, TreeNodeRecursion};
use datafusion::logical_expr::{Expr, ExprSchemable as _, LogicalPlan, Operator};
use table::Type;

/// What is wrong with a scalar expression.
pub(super) fn check_scalar(expr: &Expr, schema: &DFSchema) -> Result<(), String> {
    first_wrong(expr, |expr| {
        if let Some(wrong) = more_than_a_row(expr) {
            return Some(format!("{wrong} looks at more than one row: use the step `sql`"));
        }
        mixed(expr, schema)
    })
}

/// What is wrong with the comparisons of a query.
pub(super) fn check_plan(plan: &LogicalPlan) -> Result<(), String> {
    let mut wrong = None;
    let visited = plan.apply_with_subqueries(|node| {
        let mut schema = DFSchema::empty();
        for input in node.inputs() {
            schema.merge(input.schema());
        }
        for expr in node.expressions() {
            if let Err(found) = first_wrong(&expr, |expr| mixed(expr, &schema)) {
                wrong = Some(found);
                return Ok(TreeNodeRecursion::Stop);
            }
        }
        Ok(TreeNodeRecursion::Continue)
    });
    match (wrong, visited) {
        (Some(wrong), _) => Err(wrong),
        (None, Ok(_)) => Ok(()),
        (None, Err(error)) => Err(super::words::planning(&error, &[], &[])),
    }
}

fn first_wrong(expr: &Expr, mut of: impl FnMut(&Expr) -> Option<String>) -> Result<(), String> {
    let mut wrong = None;
    let visited = expr.apply(|part| {
        wrong = of(part);
        Ok(if wrong.is_some() { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    });
    match (wrong, visited) {
        (Some(wrong), _) => Err(wrong),
        (None, Ok(_)) => Ok(()),
        (None, Err(error)) => Err(super::words::planning(&error, &[], &[])),
    }
}

fn more_than_a_row(expr: &Expr) -> Option<String> {
    Some(match expr {
        Expr::AggregateFunction(function) => format!("the function `{}`", function.func.name()),
        Expr::WindowFunction(function) => format!("the function `{}`", function.fun.name()),
        Expr::Exists(_) | Expr::InSubquery(_) | Expr::ScalarSubquery(_) | Expr::SetComparison(_) => {
            "a `SELECT`".to_owned()
        }
        Expr::Unnest(_) | Expr::GroupingSet(_) => "this expression".to_owned(),
        Expr::Placeholder(_) | Expr::ScalarVariable(..) => "a variable".to_owned(),
        _ => return None,
    })
}

/// Text against numbers, or text that is not written out against dates.
fn mixed(expr: &Expr, schema: &DFSchema) -> Option<String> {
    let against = |left: &Expr, right: &Expr| {
        let (Ok(a), Ok(b)) = (left.get_type(schema), right.get_type(schema)) else { return None };
        let (text, other, kind) = match (family(&a)?, family(&b)?) {
            (Family::Text, other) if other != Family::Text => (left, right, b),
            (other, Family::Text) if other != Family::Text => (right, left, a),
            _ => return None,
        };
        let is_moment = family(&kind) == Some(Family::Moment);
        if is_moment && matches!(text, Expr::Literal(..)) {
            return None;
        }
        let sql = sql_name(&kind);
        let kind = Type::of(&kind).map_or_else(|| kind.to_string(), |kind| kind.to_string());
        Some(match other {
            Expr::Literal(value, _) if !is_moment => format!(
                "`{text}` is text and `{value}` is {kind}: write `'{value}'`, or `try_cast({text} as {sql})` if it is meant as a number"
            ),
            _ => format!("`{text}` is text and `{other}` is {kind}: write `try_cast({text} as {sql})`"),
        })
    };
    match expr {
        Expr::BinaryExpr(binary) if compares(binary.op) => against(&binary.left, &binary.right),
        Expr::Between(between) => {
            against(&between.expr, &between.low).or_else(|| against(&between.expr, &between.high))
        }
        Expr::InList(list) => list.list.iter().find_map(|item| against(&list.expr, item)),
        _ => None,
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Family {
    Text,
    Number,
    Moment,
    Truth,
}

fn family(kind: &DataType) -> Option<Family> {
    Some(match Type::of(kind)? {
        Type::Text => Family::Text,
        Type::Integer | Type::Number | Type::Decimal { .. } => Family::Number,
        Type::Date | Type::Instant => Family::Moment,
        Type::Boolean => Family::Truth,
    })
}

fn sql_name(kind: &DataType) -> &'static str {
    match Type::of(kind) {
        Some(Type::Integer) => "bigint",
        Some(Type::Date) => "date",
        Some(Type::Instant) => "timestamp",
        Some(Type::Boolean) => "boolean",
        Some(Type::Text) => "varchar",
        _ => "double",
    }
}

fn compares(op: Operator) -> bool {
    use Operator as O;
    matches!(
        op,
        O::Eq
            | O::NotEq
            | O::Lt
            | O::LtEq
            | O::Gt
            | O::GtEq
            | O::Plus
            | O::Minus
            | O::Multiply
            | O::Divide
            | O::Modulo
            | O::IsDistinctFrom
            | O::IsNotDistinctFrom
    )
}
