//! The one source of randomness, given to whatever needs it.

use std::fmt;
use std::sync::Arc;

/// Fills buffers with random bytes: the operating system's, or in tests bytes that repeat from run to run.
#[derive(Clone)]
pub struct Random(Arc<Fill>);

type Fill = dyn Fn(&mut [u8]) + Send + Sync;

impl Random {
    /// The operating system's generator.
    pub fn system() -> Self {
        Self(Arc::new(fill))
    }

    /// A source of the caller's making; only tests have a use for one.
    pub fn from_fn(fill: impl Fn(&mut [u8]) + Send + Sync + 'static) -> Self {
        Self(Arc::new(fill))
    }

    /// `N` random bytes.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        (self.0)(&mut bytes);
        bytes
    }

    /// A random number of 32 bits: what an id is made with.
    pub fn number(&self) -> u32 {
        u32::from_le_bytes(self.bytes())
    }
}

impl fmt::Debug for Random {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Random")
    }
}

#[expect(
    clippy::expect_used,
    reason = "the kernel's generator fails only where there is none, and then nothing may go on"
)]
fn fill(bytes: &mut [u8]) {
    getrandom::fill(bytes).expect("the operating system has a random number generator");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_draws_differ() {
        let random = Random::system();
        assert_ne!(random.bytes::<32>(), random.bytes::<32>());
    }
}
