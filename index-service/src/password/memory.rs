//! The memory that argon2id fills: kept from one hash to the next while logins come, and given back to the system after.
//!
//! To map and clear 19 MiB anew costs a fifth of a hash, and each time it is unmapped every core is told to forget where it was,
//! which those feel who only want a token.

use std::sync::{Mutex, MutexGuard, PoisonError};

use argon2::{Argon2, Block, Error};

/// What is reserved at least, in bytes; of it no more is touched, and so is memory, than the hash needs.
///
/// glibc maps an allocation of over 32 MiB by itself and unmaps it when it is freed, whatever happened before. Of
/// smaller ones it learns: freed once, blocks of that size come from the heap and stay there. Ten logins in turn left
/// 190 MiB behind.
const RESERVED: usize = 33 * 1024 * 1024;

/// The memory of one hash at a time.
#[derive(Default)]
pub(super) struct Memory(Vec<Block>);

impl Memory {
    /// Computes the hash into `out`, whose length is that of the parameters. What lay in the memory before does not matter: the
    /// first pass writes every block before it is read.
    pub(super) fn hash_into(
        &mut self,
        argon2: &Argon2<'_>,
        password: &[u8],
        salt: &[u8],
        out: &mut [u8],
    ) -> Result<(), Error> {
        let count = argon2.params().block_count();
        if self.0.len() < count {
            // The old one goes first, so that there are never two.
            self.0 = Vec::new();
            self.0
                .try_reserve_exact(count.max(RESERVED / Block::SIZE))
                .map_err(|_| Error::OutOfMemory)?;
            self.0.resize(count, Block::new());
        }
        argon2.hash_password_into_with_memory(password, salt, out, &mut self.0)
    }
}

/// Memory that no hash needs just now: at most that of each thread.
#[derive(Default)]
pub(super) struct Stash(Mutex<Stashed>);

#[derive(Default)]
struct Stashed {
    free: Vec<Memory>,
    /// How many were taken and not yet put back.
    taken: usize,
}

impl Stash {
    /// What was put back last, or new memory. It must be put back.
    pub(super) fn take(&self) -> Memory {
        let mut stashed = self.lock();
        stashed.taken += 1;
        stashed.free.pop().unwrap_or_default()
    }

    pub(super) fn put(&self, memory: Memory) {
        let mut stashed = self.lock();
        stashed.taken -= 1;
        if !memory.0.is_empty() {
            stashed.free.push(memory);
        }
    }

    /// Whether there is nothing to give back, now or when those who took something put it back.
    pub(super) fn is_empty(&self) -> bool {
        let stashed = self.lock();
        stashed.free.is_empty() && stashed.taken == 0
    }

    /// Gives everything that is here back to the system.
    pub(super) fn clear(&self) {
        let free = std::mem::take(&mut self.lock().free);
        drop(free);
    }

    fn lock(&self) -> MutexGuard<'_, Stashed> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
