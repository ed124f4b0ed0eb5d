//! What was done, counted while it is done.

use serde_json::{Value, json};

use crate::import::count::Count;

macro_rules! counts {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        /// What was done: of one repository, or of all.
        #[derive(Debug, Default)]
        pub(super) struct Tally {
            $($(#[$doc])* pub(super) $name: Count,)*
        }

        impl Tally {
            pub(super) fn json(&self) -> Value {
                json!({ $(stringify!($name): self.$name.get(),)* })
            }

            /// Adds what another has counted.
            pub(super) fn add(&self, other: &Self) {
                $(self.$name.add(other.$name.get());)*
            }
        }
    };
}

counts! {
    /// Tags that the source has.
    tags,
    /// Tags that were written, or would be.
    tags_written,
    /// Manifests that were copied, or would be; those of referrers too.
    manifests,
    /// Manifests that were there.
    manifests_there,
    /// Manifests that were copied or were there, and refer to another.
    referrers,
    /// Blobs that were copied, or would be.
    blobs,
    /// Blobs that another repository of the target had.
    blobs_mounted,
    /// Blobs that were there.
    blobs_there,
    /// Bytes of copied blobs, or of those that would be.
    bytes,
    /// Manifests and blobs that were compared at the end.
    verified,
}

/// Bytes for people.
#[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
pub(super) fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut value = bytes as f64 / 1024.0;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_three_digits_and_a_unit() {
        for (bytes, text) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1536, "1.5 KiB"),
            (5 << 30, "5.0 GiB"),
            (3 << 50, "3072.0 TiB"),
        ] {
            assert_eq!(size(bytes), text);
        }
    }
}
