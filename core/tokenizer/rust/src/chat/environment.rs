//! The environment that templates run in.
use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, UndefinedBehavior};

use super::{date, filters, guarded_code, json, methods};

/// Every instruction costs one, and so does every 64 bytes of a string, a list or the output: 16 MiB in all.
const FUEL: u64 = 1 << 18;
/// Of macros that call each other.
const RECURSION_LIMIT: usize = 200;

pub fn syntax() -> SyntaxConfig {
    SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build().expect("the default delimiters are valid")
}

pub fn transformers_environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Lenient);
    environment.set_fuel(Some(FUEL));
    environment.set_recursion_limit(RECURSION_LIMIT);
    environment.set_unknown_method_callback(methods::call);
    environment.set_formatter(filters::print);
    // Would print the program's own state.
    environment.remove_global("debug");
    guarded_code::add_functions(&mut environment);
    guarded_code::add_tests(&mut environment);
    environment.add_function("joiner", minijinja_contrib::globals::joiner);
    environment.add_function("namespace", filters::namespace);
    environment.add_function("raise_exception", filters::raise_exception);
    environment.add_function("strftime_now", date::strftime_now);
    environment.add_filter("center", filters::center);
    environment.add_filter("d", filters::default);
    environment.add_filter("default", filters::default);
    environment.add_filter("int", filters::int);
    environment.add_filter("tojson", json::tojson);
    environment.add_filter("trim", filters::trim);
    // Jinja has none of these.
    for name in ["bool", "chain", "lines", "split", "zip"] {
        environment.remove_filter(name);
    }
    for name in ["startingwith", "endingwith"] {
        environment.remove_test(name);
    }
    environment.add_test("callable", filters::is_callable);
    environment.add_test("iterable", filters::is_iterable);
    environment.add_test("sequence", filters::is_sequence);
    environment
}
