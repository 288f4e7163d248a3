//! Room for CEL: its parser is generated code that takes tens of kilobytes of stack per bracket, and is known to
//! panic on some inputs. Neither may end docket, so it runs on a stack of its own that is large enough for every
//! expression within the limits, and a panic there is an ordinary error here.
//!
//! Must not be used for anything that has an effect: this is about memory, not about doing things at the same time.

use super::ExpressionError;

/// Enough for the worst expression within the limits, unoptimised. Only what is used is ever taken.
const STACK_BYTES: usize = 128 * 1024 * 1024;

/// Calls `work` with room.
///
/// # Errors
/// When it panics, or when there is no room to be had.
pub(super) fn with_room<T: Send>(work: impl FnOnce() -> T + Send) -> Result<T, ExpressionError> {
    let failed = |_| ExpressionError::new("CEL gave up on the expression");
    std::thread::scope(|scope| {
        let builder = std::thread::Builder::new().name("expression".to_owned()).stack_size(STACK_BYTES);
        match builder.spawn_scoped(scope, work) {
            Ok(running) => running.join().map_err(failed),
            Err(_) => Err(ExpressionError::new("there is not enough memory to read the expression")),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_error() {
        assert_eq!(with_room(|| 1), Ok(1));
        assert!(with_room(|| panic!("on purpose")).map(|(): ()| ()).is_err());
    }
}
