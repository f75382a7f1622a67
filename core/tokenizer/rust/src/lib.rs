//! The parts of Tersor that are Rust libraries, behind C interfaces: tokenizers and chat templates. Nothing unwinds
//! across an interface: errors and panics come back as text in a `TersorBytes`.
mod bytes;
mod chat;
mod lowercase;
mod tokenizer;
