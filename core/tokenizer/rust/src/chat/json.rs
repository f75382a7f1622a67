//! `tojson` as transformers defines it: Python's json.dumps.
use std::cmp::Ordering;
use std::fmt::Write;

use minijinja::value::{Kwargs, Rest, ValueKind};
use minijinja::{Error, ErrorKind, State, Value};

const DEEPEST: usize = 200;
/// Bytes that one fuel pays for.
const BYTES_A_FUEL: usize = 64;

fn invalid(what: String) -> Error {
    Error::new(ErrorKind::InvalidOperation, format!("tojson: {what}"))
}

struct Style {
    ensure_ascii: bool,
    indent: Option<String>,
    item_separator: String,
    key_separator: String,
    sort_keys: bool,
}

fn text_of(value: &Value) -> Result<String, Error> {
    value.as_str().map(str::to_string).ok_or_else(|| invalid(format!("a separator is a {}", value.kind())))
}

fn indent_of(value: &Value) -> Result<Option<String>, Error> {
    if value.is_none() || value.is_undefined() {
        return Ok(None);
    }
    if let Some(text) = value.as_str() {
        return Ok(Some(text.to_string()));
    }
    let width =
        if value.kind() == ValueKind::Bool { i64::from(value.is_true()) } else { i64::try_from(value.clone())? };
    if width > 1000 {
        return Err(invalid(format!("an indent of {width}")));
    }
    Ok(Some(" ".repeat(width.max(0) as usize)))
}

impl Style {
    fn read(positional: &[Value], named: &Kwargs) -> Result<Style, Error> {
        const NAMES: [&str; 4] = ["ensure_ascii", "indent", "separators", "sort_keys"];
        if positional.len() > NAMES.len() {
            return Err(Error::from(ErrorKind::TooManyArguments));
        }
        let argument = |at: usize| -> Result<Value, Error> {
            match positional.get(at) {
                Some(value) => Ok(value.clone()),
                None => Ok(named.get::<Option<Value>>(NAMES[at])?.unwrap_or(Value::from(()))),
            }
        };
        let indent = indent_of(&argument(1)?)?;
        let separators = argument(2)?;
        let (item_separator, key_separator) = if separators.is_none() {
            (if indent.is_some() { "," } else { ", " }.to_string(), ": ".to_string())
        } else {
            (text_of(&separators.get_item_by_index(0)?)?, text_of(&separators.get_item_by_index(1)?)?)
        };
        let style = Style {
            ensure_ascii: argument(0)?.is_true(),
            indent,
            item_separator,
            key_separator,
            sort_keys: argument(3)?.is_true(),
        };
        named.assert_all_used()?;
        Ok(style)
    }
}

/// As Python's repr() of a float.
pub fn float_text(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_string();
    }
    if value.is_infinite() {
        return if value > 0.0 { "Infinity" } else { "-Infinity" }.to_string();
    }
    let text = format!("{value:?}");
    match text.split_once('e') {
        Some((mantissa, exponent)) => format!("{mantissa}e{:+03}", exponent.parse::<i32>().unwrap_or(0)),
        None => text,
    }
}

struct Writer<'a, 'b, 'c> {
    state: &'a State<'b, 'c>,
    style: Style,
    out: String,
    paid: usize,
}

impl Writer<'_, '_, '_> {
    fn pay(&mut self) -> Result<(), Error> {
        let fuel = (self.out.len() - self.paid) / BYTES_A_FUEL;
        self.paid += fuel * BYTES_A_FUEL;
        // One for the value, so that empty ones are not for nothing.
        self.state.consume_fuel(1 + fuel as u64)
    }

    fn write_text(&mut self, text: &str) {
        self.out.push('"');
        for c in text.chars() {
            match c {
                '"' => self.out.push_str("\\\""),
                '\\' => self.out.push_str("\\\\"),
                '\n' => self.out.push_str("\\n"),
                '\r' => self.out.push_str("\\r"),
                '\t' => self.out.push_str("\\t"),
                '\u{8}' => self.out.push_str("\\b"),
                '\u{c}' => self.out.push_str("\\f"),
                c if (c as u32) < 0x20 || (self.style.ensure_ascii && !(' '..='~').contains(&c)) => {
                    self.write_escape(c)
                }
                c => self.out.push(c),
            }
        }
        self.out.push('"');
    }

    fn write_escape(&mut self, c: char) {
        for unit in c.encode_utf16(&mut [0; 2]) {
            let _ = write!(self.out, "\\u{unit:04x}");
        }
    }

    fn new_line(&mut self, depth: usize) {
        if let Some(indent) = &self.style.indent {
            self.out.push('\n');
            self.out.push_str(&indent.repeat(depth));
        }
    }

    /// A key of a Python dict: text, or a number or constant that is written as text.
    fn key_text(&self, key: &Value) -> Result<String, Error> {
        match key.kind() {
            ValueKind::String => Ok(key.as_str().unwrap_or_default().to_string()),
            ValueKind::Bool | ValueKind::None | ValueKind::Number => self.scalar_text(key),
            kind => Err(invalid(format!("a key is a {kind}"))),
        }
    }

    fn scalar_text(&self, value: &Value) -> Result<String, Error> {
        Ok(match value.kind() {
            ValueKind::None => "null".to_string(),
            ValueKind::Bool => value.is_true().to_string(),
            ValueKind::Number if value.is_integer() => value.to_string(),
            ValueKind::Number => float_text(f64::try_from(value.clone())?),
            kind => return Err(invalid(format!("a value of type {kind} is not JSON"))),
        })
    }

    fn keys(&self, value: &Value) -> Result<Vec<Value>, Error> {
        let mut keys: Vec<Value> = value.try_iter()?.collect();
        if self.style.sort_keys {
            if let Some(odd) = keys.iter().find(|key| key.kind() != keys[0].kind()) {
                return Err(invalid(format!("keys of types {} and {} have no order", keys[0].kind(), odd.kind())));
            }
            keys.sort_by(|a, b| a.partial_cmp(b).unwrap_or(Ordering::Equal));
        }
        Ok(keys)
    }

    fn write_map(&mut self, value: &Value, depth: usize) -> Result<(), Error> {
        self.out.push('{');
        let keys = self.keys(value)?;
        for (at, key) in keys.iter().enumerate() {
            if at > 0 {
                self.out.push_str(&self.style.item_separator);
            }
            self.new_line(depth + 1);
            let text = self.key_text(key)?;
            self.write_text(&text);
            self.out.push_str(&self.style.key_separator);
            self.write(&value.get_item(key)?, depth + 1)?;
        }
        if !keys.is_empty() {
            self.new_line(depth);
        }
        self.out.push('}');
        Ok(())
    }

    fn write_list(&mut self, value: &Value, depth: usize) -> Result<(), Error> {
        self.out.push('[');
        let mut empty = true;
        for item in value.try_iter()? {
            if !empty {
                self.out.push_str(&self.style.item_separator);
            }
            empty = false;
            self.new_line(depth + 1);
            self.write(&item, depth + 1)?;
        }
        if !empty {
            self.new_line(depth);
        }
        self.out.push(']');
        Ok(())
    }

    fn write(&mut self, value: &Value, depth: usize) -> Result<(), Error> {
        if depth > DEEPEST {
            return Err(invalid("nested too deep".to_string()));
        }
        match value.kind() {
            ValueKind::String => self.write_text(value.as_str().unwrap_or_default()),
            ValueKind::Map => self.write_map(value, depth)?,
            ValueKind::Seq | ValueKind::Iterable => self.write_list(value, depth)?,
            _ => {
                let text = self.scalar_text(value)?;
                self.out.push_str(&text);
            }
        }
        self.pay()
    }
}

pub fn tojson(state: &State, value: &Value, positional: Rest<Value>, named: Kwargs) -> Result<String, Error> {
    let style = Style::read(&positional, &named)?;
    let mut writer = Writer { state, style, out: String::new(), paid: 0 };
    writer.write(value, 0)?;
    Ok(writer.out)
}
