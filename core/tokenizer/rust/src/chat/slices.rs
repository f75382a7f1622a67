//! value[start:stop:step], as Python has it.
use minijinja::value::{Tuple, ValueKind};
use minijinja::{Error, ErrorKind, State, Value};

use super::methods;

fn bound(value: &Value) -> Result<Option<i64>, Error> {
    if value.is_none() {
        return Ok(None);
    }
    i64::try_from(value.clone()).map(Some)
}

/// The positions, as slice.indices() of Python gives them.
fn positions(length: usize, start: &Value, stop: &Value, step: &Value) -> Result<Vec<usize>, Error> {
    let step = bound(step)?.unwrap_or(1);
    if step == 0 {
        return Err(Error::new(ErrorKind::InvalidOperation, "a slice's step is 0"));
    }
    let length = length as i64;
    let (lowest, highest) = if step < 0 { (-1, length - 1) } else { (0, length) };
    let clamp = |at: i64| if at < 0 { at.saturating_add(length).max(lowest) } else { at.min(highest) };
    let mut at = bound(start)?.map_or(if step < 0 { highest } else { lowest }, clamp);
    let stop = bound(stop)?.map_or(if step < 0 { lowest } else { highest }, clamp);
    let mut found = Vec::new();
    while (step > 0 && at < stop) || (step < 0 && at > stop) {
        found.push(at as usize);
        at = at.saturating_add(step);
    }
    Ok(found)
}

pub fn slice(state: &State, value: &Value, start: &Value, stop: &Value, step: &Value) -> Result<Value, Error> {
    if let Some(text) = value.as_str() {
        methods::pay(state, text.len())?;
        let characters: Vec<char> = text.chars().collect();
        let found = positions(characters.len(), start, stop, step)?;
        return Ok(Value::from(found.iter().map(|at| characters[*at]).collect::<String>()));
    }
    if !matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable) {
        return Err(Error::new(ErrorKind::InvalidOperation, format!("a value of type {} has no slices", value.kind())));
    }
    let items: Vec<Value> = value.try_iter()?.collect();
    let found = positions(items.len(), start, stop, step)?;
    let found: Vec<Value> = found.iter().map(|at| items[*at].clone()).collect();
    Ok(if value.is_tuple() { Value::from(Tuple::from(found)) } else { Value::from(found) })
}
