//! Key ids: how a token names the key that signed it.

use base64::Engine as _;
use sha2::{Digest as _, Sha256};

/// The JWK thumbprint of a P-256 key (RFC 7638, section 3), base64url without padding: the id of our own keys.
/// `x` and `y` are the coordinates, 32 bytes each, zeros in front kept.
pub fn p256_thumbprint(x: &[u8; 32], y: &[u8; 32]) -> String {
    let base64 = &base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let canonical = format!(
        r#"{{"crv":"P-256","kty":"EC","x":"{}","y":"{}"}}"#,
        base64.encode(x),
        base64.encode(y)
    );
    base64.encode(Sha256::digest(canonical))
}

/// The fingerprint that distribution 2.8 (libtrust) calls a key by: the first 240 bits of the SHA-256 of the key's
/// SubjectPublicKeyInfo (DER), base32, in twelve groups of four joined by colons.
pub fn libtrust_fingerprint(subject_public_key_info: &[u8]) -> String {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let hash = Sha256::digest(subject_public_key_info);
    let mut text = String::with_capacity(59);
    // 30 bytes are 48 digits of five bits: six groups of five bytes, eight digits each.
    for five in hash[..30].chunks_exact(5) {
        let bits = five.iter().fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
        for digit in 0..8 {
            if text.len() % 5 == 4 {
                text.push(':');
            }
            let index = (bits >> (35 - 5 * digit)) & 31;
            text.push(char::from(ALPHABET[usize::try_from(index).unwrap_or_default()]));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_thumbprint_agrees_with_an_independent_implementation() {
        // The P-256 key of RFC 7515, appendix A.3; its thumbprint computed with Python's hashlib.
        let decode = |text: &str| -> [u8; 32] {
            base64::engine::general_purpose::URL_SAFE_NO_PAD
                .decode(text)
                .unwrap()
                .try_into()
                .unwrap()
        };
        let x = decode("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU");
        let y = decode("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0");
        assert_eq!(p256_thumbprint(&x, &y), THUMBPRINT);
    }

    #[test]
    fn the_fingerprint_has_twelve_groups_of_four() {
        assert_eq!(libtrust_fingerprint(b"portolan"), FINGERPRINT);
    }

    const THUMBPRINT: &str = "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U";
    const FINGERPRINT: &str = "MGXP:EEKW:77FG:U2JH:Z3JB:VRVI:AWQK:GDAU:HGAB:F4K6:NCRF:VYGA";
}
