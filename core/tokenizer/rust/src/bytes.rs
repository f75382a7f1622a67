//! What crosses the C interface: buffers, and errors as text.
use std::any::Any;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::ptr;
use std::slice;
use std::str;

/// A buffer owned by the caller, given back by `tersor_bytes_free`.
#[repr(C)]
pub struct TersorBytes {
    data: *mut u8,
    length: usize,
}

pub fn into_bytes(text: String) -> TersorBytes {
    let boxed = text.into_bytes().into_boxed_slice();
    let length = boxed.len();
    TersorBytes { data: Box::into_raw(boxed) as *mut u8, length }
}

fn panic_text(payload: Box<dyn Any + Send>) -> String {
    let text = payload
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| payload.downcast_ref::<&str>().copied())
        .unwrap_or("no message");
    format!("the library panicked: {text}")
}

/// Runs `work`; on an error or a panic writes its text to `error` and answers nothing.
pub unsafe fn guarded<T>(error: *mut TersorBytes, work: impl FnOnce() -> Result<T, String>) -> Option<T> {
    let message = match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(value)) => return Some(value),
        Ok(Err(message)) => message,
        Err(payload) => panic_text(payload),
    };
    ptr::write(error, into_bytes(message));
    None
}

/// A slice over what C++ passed; a null pointer is fine where the length is zero.
pub unsafe fn slice_of<'a, T>(data: *const T, length: usize) -> &'a [T] {
    if length == 0 {
        &[]
    } else {
        slice::from_raw_parts(data, length)
    }
}

pub unsafe fn text_of<'a>(data: *const u8, length: usize) -> Result<&'a str, String> {
    str::from_utf8(slice_of(data, length)).map_err(|fault| format!("not UTF-8 at byte {}", fault.valid_up_to()))
}

#[no_mangle]
pub unsafe extern "C" fn tersor_bytes_free(bytes: TersorBytes) {
    if !bytes.data.is_null() {
        drop(Box::from_raw(ptr::slice_from_raw_parts_mut(bytes.data, bytes.length)));
    }
}
