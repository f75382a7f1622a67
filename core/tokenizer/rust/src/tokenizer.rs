//! The C interface of core/tokenizer/tokenizer.cc over the Hugging Face `tokenizers` crate; tersor_tokenizers.h is
//! its other half.
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::ptr;

use tokenizers::Tokenizer;

use crate::bytes::{guarded, into_bytes, slice_of, text_of, TersorBytes};

/// Token ids owned by the caller, given back by `tersor_ids_free`.
#[repr(C)]
pub struct TersorIds {
    data: *mut u32,
    length: usize,
}

pub struct TersorTokenizer {
    tokenizer: Tokenizer,
    vocabulary: usize,
}

const NO_SUCH_TOKEN: i64 = -1;

fn into_ids(ids: Vec<u32>) -> TersorIds {
    let boxed = ids.into_boxed_slice();
    let length = boxed.len();
    TersorIds { data: Box::into_raw(boxed) as *mut u32, length }
}

/// A tokenizer from the text of a tokenizer.json, or null with `error` filled.
#[no_mangle]
pub unsafe extern "C" fn tersor_tokenizer_new(
    json: *const u8,
    length: usize,
    error: *mut TersorBytes,
) -> *mut TersorTokenizer {
    let made = guarded(error, || {
        let mut tokenizer = Tokenizer::from_bytes(slice_of(json, length)).map_err(|fault| fault.to_string())?;
        // A file's truncation or padding would change the ids of a long text.
        tokenizer.with_truncation(None).map_err(|fault| fault.to_string())?;
        tokenizer.with_padding(None);
        let vocabulary = tokenizer.get_vocab_size(true);
        Ok(Box::new(TersorTokenizer { tokenizer, vocabulary }))
    });
    made.map_or(ptr::null_mut(), Box::into_raw)
}

#[no_mangle]
pub unsafe extern "C" fn tersor_tokenizer_free(tokenizer: *mut TersorTokenizer) {
    if !tokenizer.is_null() {
        drop(Box::from_raw(tokenizer));
    }
}

/// The ids of `text`, with what the post-processor adds to it where `add_special`. False with `error` filled on a
/// failure.
#[no_mangle]
pub unsafe extern "C" fn tersor_tokenizer_encode(
    tokenizer: *const TersorTokenizer,
    text: *const u8,
    length: usize,
    add_special: bool,
    ids: *mut TersorIds,
    error: *mut TersorBytes,
) -> bool {
    let encoded = guarded(error, || {
        let encoding = (*tokenizer).tokenizer.encode_fast(text_of(text, length)?, add_special);
        Ok(encoding.map_err(|fault| fault.to_string())?.get_ids().to_vec())
    });
    encoded.map(|found| ptr::write(ids, into_ids(found))).is_some()
}

/// The text of `ids`; ids without a token are left out. False with `error` filled on a failure.
#[no_mangle]
pub unsafe extern "C" fn tersor_tokenizer_decode(
    tokenizer: *const TersorTokenizer,
    ids: *const u32,
    length: usize,
    skip_special: bool,
    text: *mut TersorBytes,
    error: *mut TersorBytes,
) -> bool {
    let decoded = guarded(error, || {
        (*tokenizer).tokenizer.decode(slice_of(ids, length), skip_special).map_err(|fault| fault.to_string())
    });
    decoded.map(|found| ptr::write(text, into_bytes(found))).is_some()
}

/// How many different tokens there are, the added ones included.
#[no_mangle]
pub unsafe extern "C" fn tersor_tokenizer_vocabulary(tokenizer: *const TersorTokenizer) -> usize {
    (*tokenizer).vocabulary
}

/// The id of a token, or -1.
#[no_mangle]
pub unsafe extern "C" fn tersor_tokenizer_token_to_id(
    tokenizer: *const TersorTokenizer,
    token: *const u8,
    length: usize,
) -> i64 {
    let found = catch_unwind(AssertUnwindSafe(|| {
        let token = text_of(token, length).ok()?;
        (*tokenizer).tokenizer.token_to_id(token)
    }));
    found.ok().flatten().map_or(NO_SUCH_TOKEN, i64::from)
}

#[no_mangle]
pub unsafe extern "C" fn tersor_ids_free(ids: TersorIds) {
    if !ids.data.is_null() {
        drop(Box::from_raw(ptr::slice_from_raw_parts_mut(ids.data, ids.length)));
    }
}
