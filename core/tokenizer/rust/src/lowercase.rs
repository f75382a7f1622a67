//! Unicode's full lower-casing (final sigma included), which is also Python's str.lower().
use crate::bytes::{into_bytes, slice_of, TersorBytes};

/// `text` in lower case; what is not UTF-8 in it becomes U+FFFD.
#[no_mangle]
pub unsafe extern "C" fn tersor_lowercase(text: *const u8, length: usize) -> TersorBytes {
    into_bytes(String::from_utf8_lossy(slice_of(text, length)).to_lowercase())
}
