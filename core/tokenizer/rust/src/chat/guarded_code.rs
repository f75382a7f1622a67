//! A template's instructions with a check of every value that is made, so that no operation on one takes longer than
//! its budget: minijinja pays for bytes and steps, not for lists that hold the same list twice, twenty levels deep.
use std::cmp::Ordering;

use minijinja::machinery::{parse, CodeGenerator, Instruction, Instructions};
use minijinja::syntax::SyntaxConfig;
use minijinja::value::ValueKind;
use minijinja::{functions, tests, Environment, Error, ErrorKind, State, Value};

use super::{methods, slices};

// No template can say these names.
const SETTLED: &str = "settled value";
const ASSIGNED: &str = "assigned value";
const SLICED: &str = "sliced value";
const PAID: &str = "paid value";
const EQUAL: &str = "compared ==";
const UNEQUAL: &str = "compared !=";
const COMPARISONS: [&str; 4] = ["compared <", "compared <=", "compared >", "compared >="];

/// Values in a value, each counted as often as it is reached, and every so many bytes of its texts.
const MOST_NODES: usize = 1 << 17;
const BYTES_A_NODE: usize = 64;
const DEEPEST: usize = 64;
const MOST_BYTES: usize = 1 << 20;
const NODES_A_FUEL: usize = 4;

fn invalid(what: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidOperation, what.into())
}

fn is_namespace(value: &Value) -> bool {
    let name = |value: &Value| value.as_object().map(|object| object.type_name());
    value.kind() == ValueKind::Map && functions::namespace(None).is_ok_and(|empty| name(&empty) == name(value))
}

/// The nodes of `value`, added to `seen`. A namespace in it could hold itself.
fn count_nodes(value: &Value, depth: usize, seen: &mut usize) -> Result<(), Error> {
    *seen += 1 + value.as_str().map_or(0, str::len) / BYTES_A_NODE;
    if *seen > MOST_NODES || depth > DEEPEST {
        return Err(invalid("a value has too many values in it or is nested too deep"));
    }
    if depth > 0 && is_namespace(value) {
        return Err(invalid("a namespace within another value is not supported"));
    }
    match value.kind() {
        ValueKind::Seq | ValueKind::Iterable => {
            for item in value.try_iter()? {
                count_nodes(&item, depth + 1, seen)?;
            }
        }
        ValueKind::Map => {
            for key in value.try_iter()? {
                count_nodes(&key, depth + 1, seen)?;
                count_nodes(&value.get_item(&key)?, depth + 1, seen)?;
            }
        }
        _ => {}
    }
    Ok(())
}

fn is_container(value: &Value) -> bool {
    matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable | ValueKind::Map)
}

pub fn pay_for_walk(state: &State, value: &Value) -> Result<(), Error> {
    let mut nodes = 0;
    let counted = count_nodes(value, 0, &mut nodes);
    state.consume_fuel((nodes / NODES_A_FUEL) as u64)?;
    counted
}

/// The value itself; what is computed at every walk over it (slices, sums of lists) becomes a list.
fn settle(state: &State, value: Value) -> Result<Value, Error> {
    if value.as_str().is_some_and(|text| text.len() > MOST_BYTES) {
        return Err(invalid(format!("a text of more than {MOST_BYTES} bytes")));
    }
    if !is_container(&value) {
        return Ok(value);
    }
    pay_for_walk(state, &value)?;
    if value.kind() == ValueKind::Iterable {
        return Ok(Value::from(value.try_iter()?.collect::<Vec<Value>>()));
    }
    Ok(value)
}

/// What becomes a namespace's field.
fn assign(value: Value) -> Result<Value, Error> {
    count_nodes(&value, 1, &mut 0).map(|()| value)
}

/// The value itself, before something reads all of it.
fn paid(state: &State, value: Value) -> Result<Value, Error> {
    pay_for_walk(state, &value).map(|()| value)
}

fn pay_for_comparison(state: &State, left: &Value, right: &Value) -> Result<(), Error> {
    match (left.as_str(), right.as_str()) {
        (Some(left), Some(right)) => methods::pay(state, left.len().min(right.len())),
        _ => pay_for_walk(state, left),
    }
}

fn is_equal(state: &State, left: &Value, right: &Value) -> Result<bool, Error> {
    pay_for_comparison(state, left, right)?;
    Ok(left == right)
}

fn is_unequal(state: &State, left: &Value, right: &Value) -> Result<bool, Error> {
    is_equal(state, left, right).map(|equal| !equal)
}

fn compare(state: &State, name: &'static str, left: &Value, right: &Value) -> Result<bool, Error> {
    let sort = |value: &Value| match value.kind() {
        ValueKind::Bool | ValueKind::Number => 1,
        ValueKind::String => 2,
        ValueKind::Seq | ValueKind::Iterable => 3,
        _ => 0,
    };
    if sort(left) == 0 || sort(left) != sort(right) {
        let (operator, left, right) = (&name["compared ".len()..], left.kind(), right.kind());
        return Err(invalid(format!("{operator} is not supported between {left} and {right}")));
    }
    pay_for_comparison(state, left, right)?;
    let order = left.partial_cmp(right);
    Ok(match name {
        "compared <" => order == Some(Ordering::Less),
        "compared <=" => matches!(order, Some(Ordering::Less | Ordering::Equal)),
        "compared >" => order == Some(Ordering::Greater),
        _ => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
    })
}

fn is_in(state: &State, value: &Value, other: &Value) -> Result<bool, Error> {
    pay_for_walk(state, value)?;
    pay_for_walk(state, other)?;
    tests::is_in(state, value, other)
}

pub fn add_tests(environment: &mut Environment) {
    for name in ["eq", "equalto", "=="] {
        environment.add_test(name, is_equal);
    }
    for name in ["ne", "!="] {
        environment.add_test(name, is_unequal);
    }
    let spellings: [&[&str]; 4] = [&["lt", "lessthan", "<"], &["le", "<="], &["gt", "greaterthan", ">"], &["ge", ">="]];
    for (ordered, names) in COMPARISONS.into_iter().zip(spellings) {
        for name in names {
            let test = move |state: &State, left: &Value, right: &Value| compare(state, ordered, left, right);
            environment.add_test(*name, test);
        }
    }
    environment.add_test("in", is_in);
    for (name, holds) in [("lower", tests::is_lower as fn(&Value) -> bool), ("upper", tests::is_upper)] {
        let of_text = move |state: &State, value: &Value| {
            methods::pay(state, value.as_str().map_or(0, str::len)).map(|()| holds(value))
        };
        environment.add_test(name, of_text);
    }
}

pub fn add_functions(environment: &mut Environment) {
    environment.add_function(SETTLED, settle);
    environment.add_function(ASSIGNED, assign);
    environment.add_function(SLICED, slices::slice);
    environment.add_function(PAID, paid);
    environment.add_function(EQUAL, is_equal);
    environment.add_function(UNEQUAL, is_unequal);
    for name in COMPARISONS {
        let ordered = move |state: &State, left: &Value, right: &Value| compare(state, name, left, right);
        environment.add_function(name, ordered);
    }
}

fn makes_value(instruction: &Instruction) -> bool {
    use Instruction::*;
    matches!(
        instruction,
        Add | Mul
            | BuildList(_)
            | BuildTuple(_)
            | BuildMap(_)
            | ApplyFilter(..)
            | CallFunction(..)
            | CallMethod(..)
            | CallObject(_)
            | StringConcat
            | EndCapture
    )
}

/// `instruction` and what checks its operands or its result; the number is that of the first one's.
fn guarded(instruction: &Instruction<'static>) -> Vec<Instruction<'static>> {
    let settled = |made: Instruction<'static>| vec![made, Instruction::CallFunction(SETTLED, Some(1))];
    let called = |name| vec![Instruction::CallFunction(name, Some(2))];
    let compared = |at: usize| called(COMPARISONS[at]);
    let paid = || Instruction::CallFunction(PAID, Some(1));
    match instruction {
        Instruction::Eq => called(EQUAL),
        Instruction::Ne => called(UNEQUAL),
        Instruction::Lt => compared(0),
        Instruction::Lte => compared(1),
        Instruction::Gt => compared(2),
        Instruction::Gte => compared(3),
        // A list is compared with each item, and what is sought in a text becomes text itself.
        Instruction::In | Instruction::CompareAndPreserve(_) => {
            vec![paid(), Instruction::Swap, paid(), Instruction::Swap, instruction.clone()]
        }
        // The value lies below the namespace.
        Instruction::SetAttr(_) => {
            vec![
                Instruction::Swap,
                Instruction::CallFunction(ASSIGNED, Some(1)),
                Instruction::Swap,
                instruction.clone(),
            ]
        }
        Instruction::Slice => settled(Instruction::CallFunction(SLICED, Some(4))),
        made if makes_value(made) => settled(made.clone()),
        other => vec![other.clone()],
    }
}

fn move_target(instruction: &mut Instruction, places: &[u32]) {
    use Instruction::*;
    match instruction {
        Iterate(to)
        | Jump(to)
        | JumpIfFalse(to)
        | JumpIfFalseOrPop(to)
        | JumpIfTrueOrPop(to)
        | BuildMacro(_, to, _) => {
            *to = places[*to as usize];
        }
        _ => {}
    }
}

pub fn compile(name: &'static str, source: &'static str, syntax: SyntaxConfig) -> Result<Instructions<'static>, Error> {
    let tree = parse(source, name, syntax)?;
    let mut generator = CodeGenerator::new(name, source);
    generator.compile_stmt(&tree);
    let (plain, _) = generator.finish();
    let mut places = Vec::new();
    let mut code = Instructions::new(name, source);
    let mut length = 0;
    for at in 0.. {
        places.push(length);
        let Some(instruction) = plain.get(at) else { break };
        if let Instruction::LoadConst(value) = instruction {
            count_nodes(value, 0, &mut 0)?;
        }
        for one in guarded(instruction) {
            let line = plain.get_line(at).unwrap_or(0) as u16;
            length = code.add_with_line(one, line) + 1;
        }
    }
    for at in 0..length {
        if let Some(instruction) = code.get_mut(at) {
            move_target(instruction, &places);
        }
    }
    Ok(code)
}
