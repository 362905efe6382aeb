//! A panic of what is simulated is a violation like others: it is caught where it happens, told with its place, and
//! nothing of it is printed by the thread.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind, set_hook, take_hook};
use std::sync::Once;

thread_local! {
    /// Whether somebody on this thread catches panics, and need not be told of them.
    static CATCHING: Cell<bool> = const { Cell::new(false) };
    /// Where the last panic that nobody was told of happened.
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Does something. If it panics, returns where and what it said.
///
/// Whatever `act` was at when it panicked is not to be gone on with: a history ends there.
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

/// Keeps the place of a panic that is caught here. Any other is told as usual.
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
    fn a_panic_is_told_with_its_place_and_words() {
        let who = "somebody";
        let told = caught(|| panic!("{who} fell")).unwrap_err();
        assert!(told.starts_with("panicked at "), "{told}");
        assert!(told.contains("caught.rs:"), "{told}");
        assert!(told.ends_with(": somebody fell"), "{told}");
        let told = caught(|| std::panic::panic_any(7)).unwrap_err();
        assert!(told.ends_with(": without a word"), "{told}");
    }

    #[test]
    fn what_does_not_panic_is_as_it_was() {
        assert_eq!(caught(|| 7), Ok(7));
    }

    #[test]
    fn the_one_within_catches_first_and_the_one_around_goes_on_catching() {
        let told = caught(|| {
            let within = caught(|| panic!("within"));
            assert!(within.is_err());
            panic!("around")
        });
        let told: Result<(), String> = told;
        assert!(told.unwrap_err().ends_with(": around"));
    }

    #[test]
    fn a_lock_that_was_held_can_be_taken_again() {
        let lock = Mutex::new(7);
        let told = caught(|| {
            let _held = lock.lock();
            panic!("with a lock")
        });
        let told: Result<(), String> = told;
        assert!(told.is_err());
        assert_eq!(*lock.lock().unwrap_or_else(PoisonError::into_inner), 7);
    }
}
