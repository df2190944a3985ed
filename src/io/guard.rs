//! Decoders of other people's formats, held at arm's length.
//!
//! The Parquet and Arrow decoders check most of what they read, and panic at some of what they do not. Such a panic is a
//! damaged file, not a broken program: it is caught on the thread that decodes, kept off standard error, and becomes an
//! error. (An allocation that fails cannot be caught: sizes are checked before.)

use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

use crate::error::{Error, Result};

thread_local! {
    static IS_DECODING: Cell<bool> = const { Cell::new(false) };
}

/// Runs a decoder; a panic in it means that the file is damaged.
pub(crate) fn decoding<T>(source: &str, format: &str, decode: impl FnOnce() -> Result<T>) -> Result<T> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !IS_DECODING.get() {
                usual(info);
            }
        }));
    });
    IS_DECODING.set(true);
    // What the closure touched is dropped with it.
    let result = panic::catch_unwind(AssertUnwindSafe(decode));
    IS_DECODING.set(false);
    result.unwrap_or_else(|_| Err(damaged(source, format, "its decoder gave up")))
}

pub(crate) fn damaged(source: &str, format: &str, reason: impl std::fmt::Display) -> Error {
    let reason = reason.to_string();
    let reason: String = reason.chars().take(200).flat_map(char::escape_debug).collect();
    Error::input(format!("{source}: this {format} is damaged or of an unknown kind: {reason}"))
        .hint("write it again, or save it as CSV")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_an_error() {
        let error = decoding("f", "Parquet file", || -> Result<()> { panic!("boom") }).expect_err("it panicked");
        assert!(error.message.starts_with("f: this Parquet file is damaged"), "{error}");
        assert_eq!(decoding("f", "Parquet file", || Ok(7)).expect("it did not"), 7);
    }
}
