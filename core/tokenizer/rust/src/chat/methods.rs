//! Python's methods of str, list, tuple and dict: those that minijinja-contrib's pycompat lacks or has otherwise are
//! here, the rest are its own.
use minijinja::value::{from_args, Kwargs, Tuple, ValueKind};
use minijinja::{Error, ErrorKind, State, Value};
use minijinja_contrib::pycompat;

use super::guarded_code;

/// Bytes that one fuel pays for.
const BYTES_A_FUEL: usize = 64;

fn invalid(what: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidOperation, what.into())
}

/// As Python's str.isspace().
fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}

/// str.strip(), or lstrip() and rstrip() where one side is left.
pub fn strip<'a>(text: &'a str, characters: Option<&str>, left: bool, right: bool) -> &'a str {
    let goes = |c: char| characters.map_or_else(|| is_space(c), |set| set.contains(c));
    let text = if left { text.trim_start_matches(goes) } else { text };
    if right {
        text.trim_end_matches(goes)
    } else {
        text
    }
}

pub fn call(state: &mut State, value: &Value, method: &str, args: &[Value]) -> Result<Value, Error> {
    // A method may read all of it.
    pay(state, value.as_str().map_or(0, str::len))?;
    let own = match value.kind() {
        ValueKind::String => text_method(state, value.as_str().unwrap_or_default(), method, args)?,
        ValueKind::Seq | ValueKind::Iterable => list_method(state, value, method, args)?,
        ValueKind::Map => map_method(value, method, args)?,
        _ => None,
    };
    match own {
        Some(found) => Ok(found),
        None => pycompat::unknown_method_callback(state, value, method, args),
    }
    .map_err(|fault| named(fault, value, method))
}

/// Says which method of what it was that there is not.
fn named(fault: Error, value: &Value, method: &str) -> Error {
    if fault.kind() != ErrorKind::UnknownMethod || fault.detail().is_some() {
        return fault;
    }
    Error::new(ErrorKind::UnknownMethod, format!("{} has no method named {method}", value.kind()))
}

fn text_method(state: &State, text: &str, method: &str, args: &[Value]) -> Result<Option<Value>, Error> {
    Ok(Some(match method {
        "strip" | "lstrip" | "rstrip" => {
            let (characters,): (Option<Value>,) = from_args(args)?;
            let characters = characters.filter(|given| !given.is_none());
            let set = characters.as_ref().map(text_argument).transpose()?;
            Value::from(strip(text, set, method != "rstrip", method != "lstrip"))
        }
        "split" | "rsplit" => {
            let (separator, most) = split_arguments(args)?;
            split(text, separator.as_deref(), most, method == "rsplit")?
        }
        "partition" | "rpartition" => partition(text, args, method == "rpartition")?,
        "splitlines" => split_lines(text, args)?,
        "startswith" | "endswith" => {
            let (what, start, end): (&Value, Option<i64>, Option<i64>) = from_args(args)?;
            let part = python_range(text, start, end).map_or("", |(_, part)| part);
            Value::from(any_affix(part, what, method)?)
        }
        "removeprefix" => {
            let (prefix,): (&str,) = from_args(args)?;
            Value::from(text.strip_prefix(prefix).unwrap_or(text))
        }
        "removesuffix" => {
            let (suffix,): (&str,) = from_args(args)?;
            Value::from(text.strip_suffix(suffix).unwrap_or(text))
        }
        "find" | "rfind" | "index" | "rindex" => find(text, method, args)?,
        "count" => {
            let (what, start, end): (&str, Option<i64>, Option<i64>) = from_args(args)?;
            Value::from(python_range(text, start, end).map_or(0, |(_, part)| part.matches(what).count()))
        }
        "join" => join(state, text, args)?,
        "title" => {
            let () = from_args(args)?;
            Value::from(title(text))
        }
        // pycompat's own, which would make room for any width.
        "format" if has_long_number(text) => return Err(invalid("format: a width of more than four digits")),
        "ljust" | "rjust" | "center" | "zfill" => pad(state, text, method, args)?,
        _ => return Ok(None),
    }))
}

fn text_argument(value: &Value) -> Result<&str, Error> {
    value.as_str().ok_or_else(|| invalid(format!("a {} is not a string", value.kind())))
}

fn split_arguments(args: &[Value]) -> Result<(Option<String>, Option<usize>), Error> {
    let (separator, most, named): (Option<Value>, Option<i64>, Kwargs) = from_args(args)?;
    let separator = separator.or(named.get::<Option<Value>>("sep")?).filter(|given| !given.is_none());
    let most = most.or(named.get::<Option<i64>>("maxsplit")?);
    named.assert_all_used()?;
    let separator = separator.as_ref().map(text_argument).transpose()?.map(str::to_string);
    Ok((separator, most.and_then(|most| usize::try_from(most).ok())))
}

fn split(text: &str, separator: Option<&str>, most: Option<usize>, from_right: bool) -> Result<Value, Error> {
    let pieces = most.map_or(usize::MAX, |most| most.saturating_add(1));
    let mut parts: Vec<&str> = match separator {
        Some("") => return Err(invalid("split: empty separator")),
        Some(separator) if from_right => text.rsplitn(pieces, separator).collect(),
        Some(separator) => text.splitn(pieces, separator).collect(),
        None => split_at_spaces(text, pieces, from_right),
    };
    if from_right {
        parts.reverse();
    }
    Ok(parts.into_iter().map(Value::from).collect())
}

/// At runs of white space; from the right the pieces come last first.
fn split_at_spaces(text: &str, pieces: usize, from_right: bool) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = strip(text, None, !from_right, from_right);
    while !rest.is_empty() {
        if parts.len() + 1 == pieces {
            parts.push(rest);
            break;
        }
        let (part, after) = if from_right {
            let cut = rest.char_indices().rev().find(|(_, c)| is_space(*c)).map_or(0, |(at, c)| at + c.len_utf8());
            (&rest[cut..], &rest[..cut])
        } else {
            let cut = rest.find(is_space).unwrap_or(rest.len());
            (&rest[..cut], &rest[cut..])
        };
        parts.push(part);
        rest = strip(after, None, !from_right, from_right);
    }
    parts
}

fn partition(text: &str, args: &[Value], from_right: bool) -> Result<Value, Error> {
    let (separator,): (&str,) = from_args(args)?;
    if separator.is_empty() {
        return Err(invalid("partition: empty separator"));
    }
    let found = if from_right { text.rsplit_once(separator) } else { text.split_once(separator) };
    let parts = match found {
        Some((before, after)) => [before, separator, after],
        None if from_right => ["", "", text],
        None => [text, "", ""],
    };
    Ok(Value::from(Tuple::from(parts.map(Value::from).to_vec())))
}

fn split_lines(text: &str, args: &[Value]) -> Result<Value, Error> {
    let (keeps, named): (Option<bool>, Kwargs) = from_args(args)?;
    let keeps = keeps.or(named.get::<Option<bool>>("keepends")?).unwrap_or(false);
    named.assert_all_used()?;
    let ends_line = |c: char| {
        matches!(c, '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{1c}'..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}')
    };
    let mut lines = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(ends_line).unwrap_or(rest.len());
        let next = match rest[end..].chars().next() {
            Some('\r') if rest[end..].starts_with("\r\n") => end + 2,
            Some(c) => end + c.len_utf8(),
            None => end,
        };
        lines.push(Value::from(&rest[..if keeps { next } else { end }]));
        rest = &rest[next..];
    }
    Ok(Value::from(lines))
}

/// text[start:end], with the characters before it; none where start lies behind the end.
fn python_range(text: &str, start: Option<i64>, end: Option<i64>) -> Option<(usize, &str)> {
    if start.is_none() && end.is_none() {
        return Some((0, text));
    }
    let length = text.chars().count() as i64;
    let clamp = |at: i64| if at < 0 { (at + length).max(0) } else { at };
    let (start, end) = (clamp(start.unwrap_or(0)), clamp(end.unwrap_or(length)).min(length));
    if start > end {
        return None;
    }
    let byte = |at: i64| text.char_indices().nth(at as usize).map_or(text.len(), |(byte, _)| byte);
    Some((start as usize, &text[byte(start)..byte(end)]))
}

fn any_affix(text: &str, what: &Value, method: &str) -> Result<bool, Error> {
    let has = |affix: &str| if method == "startswith" { text.starts_with(affix) } else { text.ends_with(affix) };
    if let Some(affix) = what.as_str() {
        return Ok(has(affix));
    }
    if !what.is_tuple() {
        return Err(invalid(format!("{method}: a {} is neither a string nor a tuple of strings", what.kind())));
    }
    for affix in what.try_iter()? {
        if has(text_argument(&affix)?) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn find(text: &str, method: &str, args: &[Value]) -> Result<Value, Error> {
    let (what, start, end): (&str, Option<i64>, Option<i64>) = from_args(args)?;
    let found = python_range(text, start, end).and_then(|(before, part)| {
        let at = if method.starts_with('r') { part.rfind(what) } else { part.find(what) };
        at.map(|at| before + part[..at].chars().count())
    });
    match found {
        Some(at) => Ok(Value::from(at)),
        None if method.ends_with("find") => Ok(Value::from(-1)),
        None => Err(invalid(format!("{method}: substring not found"))),
    }
}

fn has_long_number(text: &str) -> bool {
    text.as_bytes().windows(5).any(|run| run.iter().all(u8::is_ascii_digit))
}

/// Every run of letters with a capital first.
fn title(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut in_word = false;
    for c in text.chars() {
        if in_word {
            out.extend(c.to_lowercase());
        } else {
            out.extend(c.to_uppercase());
        }
        in_word = c.is_alphabetic();
    }
    out
}

pub fn pay(state: &State, bytes: usize) -> Result<(), Error> {
    state.consume_fuel(1 + (bytes / BYTES_A_FUEL) as u64)
}

fn join(state: &State, separator: &str, args: &[Value]) -> Result<Value, Error> {
    let (items,): (&Value,) = from_args(args)?;
    let mut out = String::new();
    for (at, item) in items.try_iter()?.enumerate() {
        let item = text_argument(&item)
            .map_err(|fault| invalid(format!("join: item {at}: {}", fault.detail().unwrap_or(""))))?;
        let separator = if at == 0 { "" } else { separator };
        pay(state, separator.len() + item.len())?;
        out.extend([separator, item]);
    }
    Ok(Value::from(out))
}

fn pad(state: &State, text: &str, method: &str, args: &[Value]) -> Result<Value, Error> {
    let (width, fill): (i64, Option<char>) = from_args(args)?;
    let fill = if method == "zfill" { '0' } else { fill.unwrap_or(' ') };
    padded(state, text, method, width, fill)
}

/// `text` at `width` characters.
pub fn padded(state: &State, text: &str, method: &str, width: i64, fill: char) -> Result<Value, Error> {
    let length = text.chars().count();
    let missing = usize::try_from(width).unwrap_or(0).saturating_sub(length);
    pay(state, missing.saturating_mul(fill.len_utf8()))?;
    let filled = |count: usize| fill.to_string().repeat(count);
    Ok(Value::from(match method {
        "ljust" => text.to_string() + &filled(missing),
        "rjust" => filled(missing) + text,
        "center" => {
            // As CPython rounds it.
            let left = missing / 2 + (missing & (width as usize) & 1);
            filled(left) + text + &filled(missing - left)
        }
        _ => {
            let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
            text[..text.len() - digits.len()].to_string() + &filled(missing) + digits
        }
    }))
}

fn list_method(state: &State, value: &Value, method: &str, args: &[Value]) -> Result<Option<Value>, Error> {
    if method != "index" && method != "count" {
        return Ok(None);
    }
    let (what,): (&Value,) = from_args(args)?;
    guarded_code::pay_for_walk(state, value)?;
    if method == "count" {
        return Ok(Some(Value::from(value.try_iter()?.filter(|item| item == what).count())));
    }
    match value.try_iter()?.position(|item| item == *what) {
        Some(at) => Ok(Some(Value::from(at))),
        None => Err(invalid("index: the value is not in the list")),
    }
}

fn map_method(value: &Value, method: &str, args: &[Value]) -> Result<Option<Value>, Error> {
    if method != "copy" {
        return Ok(None);
    }
    let () = from_args(args)?;
    Ok(Some(value.clone()))
}
