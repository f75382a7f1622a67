//! Chat templates: the `minijinja` crate set up as transformers sets up Jinja, behind the C interface of
//! core/chat/chat_template.cc; tersor_chat_templates.h is its other half.
mod date;
mod environment;
mod filters;
mod guarded_code;
mod json;
mod methods;
mod slices;
mod tags;

use std::collections::BTreeMap;
use std::ptr;

use minijinja::machinery::{eval, make_string_output, Instructions};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, Value};

use crate::bytes::{guarded, into_bytes, slice_of, text_of, TersorBytes};

const NAME: &str = "chat template";

pub struct TersorChatTemplate {
    environment: Environment<'static>,
    // Points into `source`, and is dropped before it.
    code: Instructions<'static>,
    _source: Box<str>,
}

/// "line 2: unknown filter: filter nosuch is unknown".
fn fault_text(fault: &Error) -> String {
    let what = match fault.kind() {
        ErrorKind::OutOfFuel => "does not come to an end within its budget of work and memory".to_string(),
        // Of raise_exception, for one: the template's own words.
        ErrorKind::InvalidOperation => fault.detail().unwrap_or("invalid operation").to_string(),
        kind => fault.detail().map_or(kind.to_string(), |detail| format!("{kind}: {detail}")),
    };
    fault.line().map_or(what.clone(), |line| format!("line {line}: {what}"))
}

fn parse(text: &str) -> Result<TersorChatTemplate, String> {
    // As Jinja reads files: every line end is a \n.
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let source = tags::in_minijinja_terms(&text)?.into_boxed_str();
    // The text stays where it is for as long as the box lives, and nothing outside has the code.
    let text: &'static str = unsafe { &*(&*source as *const str) };
    let code = guarded_code::compile(NAME, text, environment::syntax()).map_err(|fault| fault_text(&fault))?;
    Ok(TersorChatTemplate { environment: environment::transformers_environment(), code, _source: source })
}

/// `now`: seconds of the civil time that `strftime_now` tells, as if it were UTC.
fn render(template: &TersorChatTemplate, variables: &[u8], now: i64) -> Result<String, String> {
    let variables: Value = serde_json::from_slice(variables).map_err(|fault| format!("variables: {fault}"))?;
    let variables = date::with_now(variables, now);
    let mut text = String::new();
    let mut output = make_string_output(&mut text);
    let (environment, blocks) = (&template.environment, BTreeMap::new());
    eval(environment, &template.code, variables, &blocks, &mut output, AutoEscape::None)
        .map_err(|fault| fault_text(&fault))?;
    drop(output);
    Ok(text)
}

/// A template from its text, or null with `error` filled.
#[no_mangle]
pub unsafe extern "C" fn tersor_chat_template_new(
    text: *const u8,
    length: usize,
    error: *mut TersorBytes,
) -> *mut TersorChatTemplate {
    let made = guarded(error, || parse(text_of(text, length)?).map(Box::new));
    made.map_or(ptr::null_mut(), Box::into_raw)
}

#[no_mangle]
pub unsafe extern "C" fn tersor_chat_template_free(template: *mut TersorChatTemplate) {
    if !template.is_null() {
        drop(Box::from_raw(template));
    }
}

/// What the template makes of `variables`, a JSON object. False with `error` filled on a failure.
#[no_mangle]
pub unsafe extern "C" fn tersor_chat_template_render(
    template: *const TersorChatTemplate,
    variables: *const u8,
    length: usize,
    now: i64,
    text: *mut TersorBytes,
    error: *mut TersorBytes,
) -> bool {
    let rendered = guarded(error, || render(&*template, slice_of(variables, length), now));
    rendered.map(|found| ptr::write(text, into_bytes(found))).is_some()
}
