//! Filters, tests and functions that Jinja has otherwise than minijinja.
use minijinja::value::{from_args, Kwargs, StringInput, ValueKind, ValueOrKwargs};
use minijinja::{functions, Error, ErrorKind, Output, State, Value};

use super::{json, methods};

pub fn raise_exception(message: Value) -> Result<Value, Error> {
    Err(Error::new(ErrorKind::InvalidOperation, message.to_string()))
}

/// Of a dict and of names.
pub fn namespace(values: Option<Value>, named: Kwargs) -> Result<Value, Error> {
    let values = [functions::dict(values, named)?];
    let (values,): (Option<ValueOrKwargs>,) = from_args(&values)?;
    functions::namespace(values)
}

pub fn trim(state: &mut State, value: &Value, characters: Option<&str>) -> Result<Value, Error> {
    let text = StringInput::new(state, value)?;
    Ok(Value::from(methods::strip(text.as_str(), characters, true, true)))
}

pub fn center(state: &mut State, value: &Value, width: Option<i64>) -> Result<Value, Error> {
    let text = StringInput::new(state, value)?;
    methods::padded(state, text.as_str(), "center", width.unwrap_or(80), ' ')
}

/// What is no number is `other`.
pub fn int(
    state: &State,
    value: &Value,
    other: Option<Value>,
    base: Option<u32>,
    named: Kwargs,
) -> Result<Value, Error> {
    if value.is_undefined() {
        return Err(Error::new(ErrorKind::UndefinedError, "int of an undefined value"));
    }
    let other = other.or(named.get::<Option<Value>>("default")?).unwrap_or_else(|| Value::from(0));
    let base = base.or(named.get::<Option<u32>>("base")?);
    named.assert_all_used()?;
    let (none,): (Kwargs,) = from_args(&[])?;
    let text = value.as_str().map(|text| Value::from(text.trim()));
    minijinja::filters::int(state, text.as_ref().unwrap_or(value), Some(other), base, none)
}

/// `boolean`: also in place of what is false.
pub fn default(value: &Value, other: Option<Value>, boolean: Option<bool>, named: Kwargs) -> Result<Value, Error> {
    let other = other.or(named.get::<Option<Value>>("default_value")?).unwrap_or_else(|| Value::from(""));
    let boolean = boolean.or(named.get::<Option<bool>>("boolean")?).unwrap_or(false);
    named.assert_all_used()?;
    Ok(if value.is_undefined() || (boolean && !value.is_true()) { other } else { value.clone() })
}

/// Jinja takes what has a length and elements for a sequence.
pub fn is_sequence(value: &Value) -> bool {
    value.is_undefined() || matches!(value.kind(), ValueKind::String | ValueKind::Map) || is_list(value)
}

fn is_list(value: &Value) -> bool {
    matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable)
}

pub fn is_iterable(value: &Value) -> bool {
    !value.is_none() && value.try_iter().is_ok()
}

/// Macros and functions.
pub fn is_callable(value: &Value) -> bool {
    value.kind() == ValueKind::Plain
}

/// What `{{ value }}` prints: floats as Python has them.
pub fn print(out: &mut Output, state: &mut State, value: &Value) -> Result<(), Error> {
    if value.kind() == ValueKind::Number && !value.is_integer() {
        let value = f64::try_from(value.clone())?;
        let text = if value.is_finite() { json::float_text(value) } else { value.to_string().to_lowercase() };
        return Ok(out.write_str(&text)?);
    }
    minijinja::escape_formatter(out, state, value)
}
