//! Catches panics, so that one bad file can't end the work on other files.

use std::any::Any;
use std::cell::RefCell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

thread_local! {
    /// Where the last panic in [`contained`] happened: empty before the first, and `None` while this thread isn't
    /// inside [`contained`].
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Runs `work`. If it panics, returns the message and the place of the panic, and prints nothing.
///
/// After a panic, the values that `work` borrows may be in any state. Callers must not use them again.
///
/// # Errors
/// The panic, in words.
pub fn contained<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    static QUIET: Once = Once::new();
    QUIET.call_once(|| {
        let loud = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let place = info.location().map(|place| format!("{}:{}", file_name(place.file()), place.line()));
            let contained = PLACE.with_borrow_mut(|noted| match noted {
                Some(noted) => {
                    *noted = place.unwrap_or_default();
                    true
                }
                None => false,
            });
            if !contained {
                loud(info);
            }
        }));
    });
    // Restores the outer state at the end, because calls may be nested.
    let outer = PLACE.replace(Some(String::new()));
    let result = panic::catch_unwind(AssertUnwindSafe(work));
    let place = PLACE.replace(outer).filter(|place| !place.is_empty());
    let place = place.map(|place| format!(" ({place})")).unwrap_or_default();
    result.map_err(|payload| format!("{}{place}", message(&*payload)))
}

/// Returns only the name of the file, because the folders before it are those of the machine that built the program.
fn file_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

fn message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| "panic".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_an_error_that_names_its_place() {
        let empty: Vec<u8> = Vec::new();
        let error = contained(|| empty[3]).unwrap_err();
        assert!(error.starts_with("index out of bounds") && error.contains("(contain.rs:"), "{error}");
        assert_eq!(contained(|| 7), Ok(7));
    }
}
