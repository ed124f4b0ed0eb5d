//! The memory that argon2id fills: taken from the system for each hash, and given back with its end.

use argon2::{Argon2, Block, Error};

/// What is reserved at least, in bytes; of it no more is touched, and so is memory, than the hash needs.
///
/// glibc maps an allocation of over 32 MiB by itself and unmaps it when it is freed, whatever happened before. Of
/// smaller ones it learns: freed once, blocks of that size come from the heap and stay there. Ten logins in turn left
/// 190 MiB behind.
const RESERVED: usize = 33 * 1024 * 1024;

/// Computes the hash into `out`, whose length is that of the parameters.
pub(super) fn hash_into(
    argon2: &Argon2<'_>,
    password: &[u8],
    salt: &[u8],
    out: &mut [u8],
) -> Result<(), Error> {
    let count = argon2.params().block_count();
    let mut blocks = Vec::new();
    blocks
        .try_reserve_exact(count.max(RESERVED / Block::SIZE))
        .map_err(|_| Error::OutOfMemory)?;
    blocks.resize(count, Block::new());
    argon2.hash_password_into_with_memory(password, salt, out, &mut blocks)
}
