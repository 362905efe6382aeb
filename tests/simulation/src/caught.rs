//! A panic of the simulated code is a violation like others. It is caught and reported with its location, and the thread
//! prints nothing.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind, set_hook, take_hook};
use std::sync::Once;

thread_local! {
    /// Whether this thread catches panics, so that they are not printed.
    static CATCHING: Cell<bool> = const { Cell::new(false) };
    /// The location of the last panic that was not printed.
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Runs `act`. If it panics, returns the location and the message.
///
/// The state that `act` worked on must not be used after a panic: the history ends there.
pub fn caught<T>(act: impl FnOnce() -> T) -> Result<T, String> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let usual = take_hook();
        set_hook(Box::new(move |panic| note(panic, &usual)));
    });
    let before = CATCHING.replace(true);
    let outcome = catch_unwind(AssertUnwindSafe(act));
    CATCHING.set(before);
    outcome.map_err(|panic| {
        let said = panic.downcast_ref::<String>().map(String::as_str);
        let said = said.or_else(|| panic.downcast_ref::<&str>().copied());
        let place = PLACE
            .take()
            .unwrap_or_else(|| "an unknown place".to_owned());
        format!("panicked at {place}: {}", said.unwrap_or("without a word"))
    })
}

/// Keeps the location of a panic that is caught here. Any other is printed as usual.
fn note(panic: &PanicHookInfo<'_>, usual: &(dyn Fn(&PanicHookInfo<'_>) + Send + Sync)) {
    if CATCHING.get() {
        PLACE.set(panic.location().map(ToString::to_string));
    } else {
        usual(panic);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, PoisonError};

    use super::*;

    #[test]
    fn a_panic_is_reported_with_its_location_and_message() {
        let who = "somebody";
        let message = caught(|| panic!("{who} fell")).unwrap_err();
        assert!(message.starts_with("panicked at "), "{message}");
        assert!(message.contains("caught.rs:"), "{message}");
        assert!(message.ends_with(": somebody fell"), "{message}");
        let message = caught(|| std::panic::panic_any(7)).unwrap_err();
        assert!(message.ends_with(": without a word"), "{message}");
    }

    #[test]
    fn what_does_not_panic_is_as_it_was() {
        assert_eq!(caught(|| 7), Ok(7));
    }

    #[test]
    fn the_inner_catch_comes_first_and_the_outer_one_stays_active() {
        let message = caught(|| {
            let within = caught(|| panic!("within"));
            assert!(within.is_err());
            panic!("around")
        });
        let message: Result<(), String> = message;
        assert!(message.unwrap_err().ends_with(": around"));
    }

    #[test]
    fn a_lock_that_was_held_can_be_taken_again() {
        let lock = Mutex::new(7);
        let message = caught(|| {
            let _held = lock.lock();
            panic!("with a lock")
        });
        let message: Result<(), String> = message;
        assert!(message.is_err());
        assert_eq!(*lock.lock().unwrap_or_else(PoisonError::into_inner), 7);
    }
}
