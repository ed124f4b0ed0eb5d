//! The two functions: argon2id for what we make, bcrypt for what was imported.

use std::str::FromStr as _;

use argon2::password_hash::phc;
use argon2::{Algorithm, Argon2, Params, Version};

use super::Verdict;
use super::memory::Memory;
use crate::domain::PasswordHash;
use crate::domain::credential::HashKind;

/// Most that a stored hash may ask for: an imported one must not become our outage.
const MAX_MEMORY_KIB: u32 = 64 * 1024;
const MAX_ITERATIONS: u32 = 16;
const MAX_PARALLELISM: u32 = 4;
/// Length of a new hash.
const OUTPUT_BYTES: usize = 32;
/// bcrypt reads no more bytes of a password.
const BCRYPT_MAX_BYTES: usize = 72;
const BCRYPT_COSTS: std::ops::RangeInclusive<u32> = 4..=14;

/// Parameters of argon2id for new hashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parameters {
    memory_kib: u32,
    iterations: u32,
    parallelism: u32,
}

/// The parameters are out of range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("argon2id takes 8 to 65536 KiB of memory for each lane, 1 to 16 iterations and 1 to 4 lanes")]
pub struct InvalidParameters;

impl Parameters {
    /// OWASP's floor: 19 MiB, two iterations, one lane.
    pub const DEFAULT: Self = Self {
        memory_kib: 19_456,
        iterations: 2,
        parallelism: 1,
    };

    /// `memory_kib` 8 × `parallelism` to 65,536; `iterations` 1 to 16; `parallelism` 1 to 4.
    pub fn new(memory_kib: u32, iterations: u32, parallelism: u32) -> Result<Self, InvalidParameters> {
        let in_range = (1..=MAX_PARALLELISM).contains(&parallelism)
            && (1..=MAX_ITERATIONS).contains(&iterations)
            && (8 * parallelism..=MAX_MEMORY_KIB).contains(&memory_kib);
        in_range
            .then_some(Self {
                memory_kib,
                iterations,
                parallelism,
            })
            .ok_or(InvalidParameters)
    }

    fn for_argon2id(self) -> Result<Params, InvalidParameters> {
        Params::new(
            self.memory_kib,
            self.iterations,
            self.parallelism,
            Some(OUTPUT_BYTES),
        )
        .map_err(|_| InvalidParameters)
    }
}

/// The argon2id hash of a password.
pub(super) fn hash(
    memory: &mut Memory,
    password: &[u8],
    salt: [u8; 16],
    parameters: Parameters,
) -> Result<PasswordHash, InvalidParameters> {
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, parameters.for_argon2id()?);
    let mut output = [0; OUTPUT_BYTES];
    memory
        .hash_into(&argon2, password, &salt, &mut output)
        .map_err(|_| InvalidParameters)?;
    to_stored(&argon2, salt, output)
}

/// A hash that takes as long to compare with as one that [`hash`] makes, and that no password has: nobody computed it.
pub(super) fn of_nobody(
    salt: [u8; 16],
    output: [u8; OUTPUT_BYTES],
    parameters: Parameters,
) -> Result<PasswordHash, InvalidParameters> {
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, parameters.for_argon2id()?);
    to_stored(&argon2, salt, output)
}

fn to_stored(
    argon2: &Argon2<'_>,
    salt: [u8; 16],
    output: [u8; OUTPUT_BYTES],
) -> Result<PasswordHash, InvalidParameters> {
    let phc = phc::PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: argon2.params().try_into().map_err(|_| InvalidParameters)?,
        salt: Some(phc::Salt::new(&salt).map_err(|_| InvalidParameters)?),
        hash: Some(phc::Output::new(&output).map_err(|_| InvalidParameters)?),
    };
    phc.to_string().parse().map_err(|_| InvalidParameters)
}

/// Compares a password with a stored hash. A hash that asks for more than the limits matches nothing.
pub(super) fn verify(
    memory: &mut Memory,
    password: &[u8],
    stored: &PasswordHash,
    today: Parameters,
) -> Verdict {
    match stored.kind() {
        HashKind::Argon2id => verify_argon2id(memory, password, stored.expose(), today),
        HashKind::Bcrypt => verify_bcrypt(password, stored.expose()),
    }
    .unwrap_or(Verdict::Wrong)
}

fn verify_argon2id(memory: &mut Memory, password: &[u8], stored: &str, today: Parameters) -> Option<Verdict> {
    let stored = phc::PasswordHash::new(stored).ok()?;
    let params = Params::try_from(&stored).ok()?;
    let parameters = Parameters::new(params.m_cost(), params.t_cost(), params.p_cost()).ok()?;
    let version = match stored.version {
        Some(version) => Version::try_from(version).ok()?,
        None => Version::V0x13,
    };
    let argon2 = Argon2::new(Algorithm::Argon2id, version, params);
    let expected = stored.hash?;
    let mut output = [0; phc::Output::MAX_LENGTH];
    let output = output.get_mut(..expected.len())?;
    memory.hash_into(&argon2, password, &stored.salt?, output).ok()?;
    // Compared in constant time.
    (phc::Output::new(output).ok()? == expected).then_some(Verdict::Right {
        outdated: parameters != today,
    })
}

fn verify_bcrypt(password: &[u8], stored: &str) -> Option<Verdict> {
    let parts = bcrypt::HashParts::from_str(stored).ok()?;
    if password.len() > BCRYPT_MAX_BYTES || !BCRYPT_COSTS.contains(&parts.get_cost()) {
        return None;
    }
    bcrypt::verify(password, stored)
        .ok()?
        .then_some(Verdict::Right { outdated: true })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(
        password: &[u8],
        salt: [u8; 16],
        parameters: Parameters,
    ) -> Result<PasswordHash, InvalidParameters> {
        super::hash(&mut Memory::default(), password, salt, parameters)
    }

    fn verify(password: &[u8], stored: &PasswordHash, today: Parameters) -> Verdict {
        super::verify(&mut Memory::default(), password, stored, today)
    }

    const CHEAP: Parameters = Parameters {
        memory_kib: 8,
        iterations: 1,
        parallelism: 1,
    };

    fn stored(text: &str) -> PasswordHash {
        text.parse().unwrap()
    }

    #[test]
    fn a_new_hash_says_its_parameters_and_accepts_its_password_alone() {
        let hash = hash(b"correct horse", [7; 16], CHEAP).unwrap();
        assert!(
            hash.expose().starts_with("$argon2id$v=19$m=8,t=1,p=1$"),
            "{}",
            hash.expose()
        );
        assert_eq!(
            verify(b"correct horse", &hash, CHEAP),
            Verdict::Right { outdated: false }
        );
        for wrong in [&b"correct hors"[..], b"", b"correct horse ", b"Correct horse"] {
            assert_eq!(verify(wrong, &hash, CHEAP), Verdict::Wrong);
        }
        assert_eq!(
            verify(b"correct horse", &hash, Parameters::DEFAULT),
            Verdict::Right { outdated: true }
        );
    }

    #[test]
    fn memory_of_a_former_hash_changes_nothing() {
        let larger = Parameters {
            memory_kib: 64,
            iterations: 2,
            parallelism: 2,
        };
        let mut memory = Memory::default();
        for parameters in [larger, CHEAP, larger] {
            for password in [&b"correct horse"[..], b"battery staple"] {
                let made = super::hash(&mut memory, password, [7; 16], parameters).unwrap();
                let fresh = hash(password, [7; 16], parameters).unwrap();
                assert_eq!(made.expose(), fresh.expose());
            }
        }
    }

    #[test]
    fn the_hash_of_nobody_is_compared_with_at_todays_cost_and_matches_nothing() {
        let nobody = of_nobody([7; 16], [9; 32], CHEAP).unwrap();
        let one = hash(b"correct horse", [7; 16], CHEAP).unwrap();
        let cost = |hash: &PasswordHash| hash.expose().rsplit_once('$').unwrap().0.to_owned();
        assert_eq!(cost(&nobody), cost(&one));
        assert_eq!(nobody.expose().len(), one.expose().len());
        assert_eq!(verify(b"correct horse", &nobody, CHEAP), Verdict::Wrong);
    }

    #[test]
    fn a_hash_without_an_output_or_a_salt_matches_nothing() {
        for hash in [
            "$argon2id$v=19$m=8,t=1,p=1",
            "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ",
            "$argon2id$v=20$m=8,t=1,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
        ] {
            assert_eq!(
                verify(b"password", &stored(hash), CHEAP),
                Verdict::Wrong,
                "{hash}"
            );
        }
    }

    #[test]
    fn a_hash_of_the_reference_implementation_is_accepted() {
        // From the test suite of the reference implementation (P-H-C/phc-winner-argon2, src/test.c): t=2, m=2^16, p=1.
        let hash = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
        assert_eq!(
            verify(b"password", &stored(hash), CHEAP),
            Verdict::Right { outdated: true }
        );
    }

    #[test]
    fn a_stored_hash_that_asks_for_too_much_is_not_computed() {
        for parameters in [
            "m=65537,t=1,p=1",
            "m=8,t=17,p=1",
            "m=64,t=1,p=5",
            "m=4294967295,t=4294967295,p=1",
        ] {
            let hash = format!(
                "$argon2id$v=19${parameters}$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
            );
            assert_eq!(
                verify(b"password", &stored(&hash), CHEAP),
                Verdict::Wrong,
                "{parameters}"
            );
        }
        for cost in [15, 31] {
            let hash = format!("$2y${cost}$L6Bc/AlTQHyd9liGgGEZyOFLPHNgyxeEPfgYfBCVxJ7JIlwxyVU3u");
            assert_eq!(verify(b"x", &stored(&hash), CHEAP), Verdict::Wrong);
        }
    }

    #[test]
    fn bcrypt_of_every_prefix_is_accepted_and_outdated() {
        let made = bcrypt::hash_with_result("secret", 4).unwrap();
        for version in [
            bcrypt::Version::TwoA,
            bcrypt::Version::TwoB,
            bcrypt::Version::TwoY,
        ] {
            let hash = stored(&made.format_for_version(version));
            assert_eq!(verify(b"secret", &hash, CHEAP), Verdict::Right { outdated: true });
            assert_eq!(verify(b"secreu", &hash, CHEAP), Verdict::Wrong);
        }
    }

    #[test]
    fn bcrypt_does_not_accept_what_it_cannot_tell_apart() {
        let long = "a".repeat(73);
        let hash = stored(&bcrypt::hash(&long[..72], 4).unwrap());
        assert_eq!(
            verify(&long.as_bytes()[..72], &hash, CHEAP),
            Verdict::Right { outdated: true }
        );
        assert_eq!(verify(long.as_bytes(), &hash, CHEAP), Verdict::Wrong);
    }

    #[test]
    fn malformed_hashes_match_nothing() {
        for text in [
            "$argon2id$",
            "$argon2id$v=19$m=8,t=1,p=1$$",
            "$2y$10$abc",
            "$2y$aa$L6Bc",
            "$argon2id$v=1$m=8$x$y",
        ] {
            assert_eq!(verify(b"", &stored(text), CHEAP), Verdict::Wrong, "{text}");
        }
    }

    #[test]
    fn parameters_have_a_range() {
        assert_eq!(Parameters::new(19_456, 2, 1), Ok(Parameters::DEFAULT));
        for (m, t, p) in [
            (7, 1, 1),
            (15, 1, 2),
            (65_537, 1, 1),
            (8, 0, 1),
            (8, 17, 1),
            (8, 1, 0),
            (64, 1, 5),
        ] {
            assert_eq!(Parameters::new(m, t, p), Err(InvalidParameters), "{m} {t} {p}");
        }
    }
}
