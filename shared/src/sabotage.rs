//! Properties broken on purpose: the negative controls of the proofs (`tests/prove`).
//!
//! A proof that cannot fail proves nothing, so each one is also run against a server that breaks its promise.
//! Only a debug build can be told to; in a release build [`breaks`] is the constant `false` and what it guards is
//! compiled away.

#[cfg(debug_assertions)]
static BROKEN: std::sync::OnceLock<Vec<String>> = std::sync::OnceLock::new();

/// The environment variable that `main` hands to [`choose`]: names of promises, separated by commas.
pub const VARIABLE: &str = "PORTOLAN_SABOTAGE";

/// Chooses which promises this process breaks; only the first call counts. Without effect in a release build.
pub fn choose(names: &str) {
    #[cfg(debug_assertions)]
    {
        // A second choice would change promises under running code.
        let _ = BROKEN.set(names.split(',').map(|name| name.trim().to_owned()).collect());
    }
    #[cfg(not(debug_assertions))]
    let _ = names;
}

/// Whether this process breaks the promise of that name, such as `acknowledge-before-commit`.
#[inline]
#[must_use]
pub fn breaks(name: &str) -> bool {
    #[cfg(debug_assertions)]
    return BROKEN
        .get()
        .is_some_and(|broken| broken.iter().any(|each| each == name));
    #[cfg(not(debug_assertions))]
    {
        let _ = name;
        false
    }
}
