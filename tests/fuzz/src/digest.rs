//! Digests: a text that may be one, then content to hash.

use aws_lc_rs::digest::{SHA256, SHA512, digest};
use shared::oci::{Algorithm, Digest};

use crate::{grammar, input};

pub(crate) fn run(data: &[u8]) {
    let [text, content] = input::byte_lines(data);
    let text = input::text(text);
    let parsed = text.parse::<Digest>();
    assert_eq!(parsed.is_ok(), grammar::is_digest(&text), "{text:?}: {parsed:?}");
    if let Ok(parsed) = parsed {
        assert_eq!(parsed.to_string(), text);
        assert_eq!(parsed.hex().len(), parsed.algorithm().hex_len());
        let json = serde_json::to_string(&parsed).expect("a digest is JSON");
        assert_eq!(
            serde_json::from_str::<Digest>(&json).expect("its own JSON"),
            parsed
        );
    }
    for (algorithm, other) in [(Algorithm::Sha256, &SHA256), (Algorithm::Sha512, &SHA512)] {
        let ours = Digest::of(algorithm, content);
        let theirs = digest(other, content);
        assert_eq!(Digest::from_bytes(algorithm, theirs.as_ref()).as_ref(), Ok(&ours));
        assert_eq!(ours.to_string().parse().as_ref(), Ok(&ours));
        let is_raw = content.len() * 2 == algorithm.hex_len();
        assert_eq!(Digest::from_bytes(algorithm, content).is_ok(), is_raw);
    }
    assert_eq!(
        text.parse::<Algorithm>().is_ok(),
        matches!(&*text, "sha256" | "sha512")
    );
}
