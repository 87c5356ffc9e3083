//! JSON as FHIR needs it: member order and number text kept, duplicate names refused, every error with line and column.

mod limits;
mod number;
mod object;
mod parse;
mod value;
mod write;

pub use limits::Limits;
pub use number::Number;
pub use object::Object;
pub use parse::{JsonError, JsonProblem, parse};
pub use value::Value;

/// Builds a [`Value`] from JSON notation, for constants and tests: `json!({"a": [1, true, null], "b": text})`.
///
/// Names are string literals; values are nested notation or expressions that convert into a `Value`.
#[macro_export]
macro_rules! json {
    (null) => { $crate::Value::Null };
    ([ $($item:tt),* $(,)? ]) => { $crate::Value::Array(vec![ $($crate::json!($item)),* ]) };
    ({ $($key:literal : $value:tt),* $(,)? }) => {{
        #[allow(unused_mut)]
        let mut object = $crate::Object::new();
        $( object.insert($key, $crate::json!($value)); )*
        $crate::Value::Object(object)
    }};
    ($other:expr) => { $crate::Value::from($other) };
}
