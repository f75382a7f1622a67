//! `strftime_now`: the date that the caller gives, written as Python's datetime.strftime does.
use std::ffi::CString;
use std::mem::MaybeUninit;

use minijinja::value::merge_maps;
use minijinja::{Error, ErrorKind, State, Value};

/// No template can say this name.
const NOW: &str = "civil time";
const LONGEST_DATE: usize = 64 * 1024;

pub fn with_now(variables: Value, now: i64) -> Value {
    merge_maps([variables, Value::from_pairs([(NOW, now)])])
}

fn invalid(what: &str) -> Error {
    Error::new(ErrorKind::InvalidOperation, format!("strftime_now: {what}"))
}

/// What libc leaves to Python: a time without a zone and with microseconds of 0.
fn expand_python(format: &str) -> String {
    let mut out = String::with_capacity(format.len());
    let mut characters = format.chars();
    while let Some(c) = characters.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        match characters.next() {
            Some('f') => out.push_str("000000"),
            Some('z' | 'Z') => {}
            Some(other) => out.extend(['%', other]),
            None => out.push('%'),
        }
    }
    out
}

pub fn format_time(now: i64, format: &str) -> Result<String, Error> {
    // One character more, so that only a failure gives nothing.
    let format = CString::new(expand_python(format) + "|").map_err(|_| invalid("a zero byte in the format"))?;
    let mut time = MaybeUninit::<libc::tm>::zeroed();
    let mut text = vec![0u8; LONGEST_DATE];
    let length = unsafe {
        if libc::gmtime_r(&now, time.as_mut_ptr()).is_null() {
            return Err(invalid("no such time"));
        }
        libc::strftime(text.as_mut_ptr().cast(), text.len(), format.as_ptr(), time.as_ptr())
    };
    if length == 0 {
        return Err(invalid("the text is too long"));
    }
    text.truncate(length - 1);
    String::from_utf8(text).map_err(|_| invalid("the text is not UTF-8"))
}

pub fn strftime_now(state: &State, format: &str) -> Result<String, Error> {
    let now = state.lookup(NOW).and_then(|now| now.as_i64()).ok_or_else(|| invalid("no date was given"))?;
    format_time(now, format)
}
