//! One operation of a JSON Patch on a document.

use super::pointer::Pointer;
use super::{Change, Op};
use crate::json::Limits;
use crate::{Decimal, Value};

/// Most values that the copies of one patch may make: without a limit a document doubles with each.
pub(super) const COPIED_VALUES_MAX: usize = 100_000;

type Done = Result<(), String>;

/// Does it; the error says what is wrong at its path.
pub(super) fn one(target: &mut Value, op: &Op, copies_left: &mut usize) -> Done {
    match &op.change {
        Change::Add(value) => add(target, &op.path, value.clone()),
        Change::Remove => remove(target, &op.path).map(drop).ok_or_else(nothing),
        Change::Replace(value) => {
            check_depth(&op.path, value)?;
            *find_mut(target, &op.path).ok_or_else(nothing)? = value.clone();
            Ok(())
        }
        Change::Test(value) => match find(target, &op.path) {
            None => Err(nothing()),
            Some(found) if is_same(found, value) => Ok(()),
            Some(_) => Err("another value is there".into()),
        },
        Change::Move(from) => {
            if from.is_above(&op.path) {
                return Err("it cannot be moved into itself".into());
            }
            let value = remove(target, from).ok_or_else(|| nothing_at(from))?;
            add(target, &op.path, value)
        }
        Change::Copy(from) => {
            let value = find(target, from).ok_or_else(|| nothing_at(from))?;
            *copies_left = copies_left
                .checked_sub(n_values(value))
                .ok_or_else(|| format!("the patch copies more than {COPIED_VALUES_MAX} values"))?;
            let value = value.clone();
            add(target, &op.path, value)
        }
    }
}

fn nothing() -> String {
    "nothing is there".into()
}

fn nothing_at(from: &Pointer) -> String {
    let shown: String = from.text().chars().take(128).collect();
    format!("nothing is at `{shown}`")
}

/// The position that a step names in a list.
fn position(token: &str) -> Option<usize> {
    let plain = token == "0" || !token.starts_with('0');
    if plain && !token.is_empty() && token.bytes().all(|b| b.is_ascii_digit()) {
        token.parse().ok()
    } else {
        None
    }
}

fn find<'v>(value: &'v Value, path: &Pointer) -> Option<&'v Value> {
    path.tokens().iter().try_fold(value, |value, token| match value {
        Value::Object(object) => object.get(token),
        Value::Array(items) => items.get(position(token)?),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    })
}

fn find_mut<'v>(value: &'v mut Value, path: &Pointer) -> Option<&'v mut Value> {
    steps_mut(value, path.tokens())
}

fn steps_mut<'v>(value: &'v mut Value, steps: &[String]) -> Option<&'v mut Value> {
    steps.iter().try_fold(value, |value, token| match value {
        Value::Object(object) => object.get_mut(token),
        Value::Array(items) => items.get_mut(position(token)?),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    })
}

fn add(target: &mut Value, path: &Pointer, value: Value) -> Done {
    check_depth(path, &value)?;
    let Some((last, above)) = path.tokens().split_last() else {
        *target = value;
        return Ok(());
    };
    match steps_mut(target, above) {
        Some(Value::Object(object)) => {
            object.insert(last.as_str(), value);
            Ok(())
        }
        Some(Value::Array(items)) => {
            let at = if last == "-" { Some(items.len()) } else { position(last) };
            let at = at.ok_or_else(|| {
                format!("`{}` is no position in a list", last.chars().take(64).collect::<String>())
            })?;
            if at > items.len() {
                return Err(format!("the list has {} items: use `-` for its end", items.len()));
            }
            items.insert(at, value);
            Ok(())
        }
        Some(_) | None => Err("what it should be part of is not there".into()),
    }
}

fn remove(target: &mut Value, path: &Pointer) -> Option<Value> {
    let Some((last, above)) = path.tokens().split_last() else { return Some(target.take()) };
    match steps_mut(target, above)? {
        Value::Object(object) => object.remove(last),
        Value::Array(items) => {
            let at = position(last).filter(|at| *at < items.len())?;
            Some(items.remove(at))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

/// What goes deeper could not be read again.
fn check_depth(path: &Pointer, value: &Value) -> Done {
    let depth_max = Limits::default().depth_max;
    if path.tokens().len() + depth(value) > depth_max {
        return Err(format!("the result would be nested deeper than {depth_max}"));
    }
    Ok(())
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(object) => 1 + object.iter().map(|(_, member)| depth(member)).max().unwrap_or(0),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

fn n_values(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(n_values).sum::<usize>(),
        Value::Object(object) => 1 + object.iter().map(|(_, member)| n_values(member)).sum::<usize>(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 1,
    }
}

/// RFC 6902 compares numbers by value: `1.50` is `1.5`.
fn is_same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => {
            a == b
                || match (Decimal::parse(a.as_str()), Decimal::parse(b.as_str())) {
                    (Some(a), Some(b)) => a.key() == b.key(),
                    _ => false,
                }
        }
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_same(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter().all(|(key, value)| b.get(key).is_some_and(|other| is_same(value, other)))
        }
        (a, b) => a == b,
    }
}
