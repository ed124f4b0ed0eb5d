//! Secrets that are planted before and looked for after, in whatever coding they might have been written.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex, PoisonError};

use anyhow::{Result, bail};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// A secret and its name.
#[derive(Debug, Clone)]
pub struct Planted {
    /// What it is, in words that may be shown.
    pub name: String,
    needles: Vec<String>,
}

impl Planted {
    /// Secrets of fewer than 8 bytes would be found by chance: they give nothing to look for.
    pub fn new(name: &str, secret: impl AsRef<[u8]>) -> Self {
        Self {
            name: name.to_owned(),
            needles: codings(secret.as_ref()),
        }
    }

    /// Whether there is anything to look for.
    pub fn can_be_found(&self) -> bool {
        !self.needles.is_empty()
    }

    /// The secret as it stands in the text, if it does.
    pub fn find(&self, text: &str) -> Option<&str> {
        self.needles
            .iter()
            .map(String::as_str)
            .find(|needle| text.contains(needle))
    }
}

/// A secret as it might be written: plain, hexadecimal, percent-encoded, as numbers, as JSON, and in base64 wherever in
/// a group of three bytes it begins.
fn codings(secret: &[u8]) -> Vec<String> {
    let joined =
        |form: fn(&u8) -> String, between: &str| secret.iter().map(form).collect::<Vec<_>>().join(between);
    let text = String::from_utf8_lossy(secret);
    let mut all = vec![
        text.clone().into_owned(),
        text.escape_debug().to_string(),
        joined(|byte| format!("{byte:02x}"), ""),
        joined(|byte| format!("{byte:02X}"), ""),
        joined(ToString::to_string, ", "),
    ];
    let percent = |kept: &[u8]| -> String {
        let coded = secret.iter().map(|byte| match byte {
            byte if byte.is_ascii_alphanumeric() || kept.contains(byte) => char::from(*byte).to_string(),
            byte => format!("%{byte:02X}"),
        });
        coded.collect()
    };
    all.extend([percent(b""), percent(b"-_.~"), percent(b"").replace("%20", "+")]);
    for before in 0..3 {
        let shifted = [vec![0; before], secret.to_vec()].concat();
        // Groups that hold bytes of the secret alone.
        let (first, last) = (before.div_ceil(3) * 4, shifted.len() / 3 * 4);
        for engine in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
            let coded = engine.encode(&shifted);
            all.extend(coded.get(first..last).map(str::to_owned));
        }
    }
    all.sort();
    all.dedup();
    all.retain(|needle| needle.len() >= 8);
    all
}

/// What the secrets of all tests begin with: the passwords of [`Server::account`](crate::Server::account), every kind of
/// secret that the index hands out, and its JWTs.
const BEGINNINGS: [(&str, &str); 8] = [
    ("a password", "correct horse"),
    ("an access token", "ptl_pat_"),
    ("a refresh token", "ptl_dev_"),
    ("the secret of a robot", "ptl_rob_"),
    ("an organisation's access token", "ptl_oat_"),
    ("a link to set a password", "ptl_rst_"),
    ("an invitation", "ptl_inv_"),
    ("a JWT", "eyJhbGciOi"),
];

static COMMON: LazyLock<[Planted; 8]> =
    LazyLock::new(|| BEGINNINGS.map(|(name, secret)| Planted::new(name, secret)));

/// How far each log has been read.
static READ: Mutex<BTreeMap<PathBuf, u64>> = Mutex::new(BTreeMap::new());

/// Fails when a secret of any test stands in what was added to this log since the last call.
pub(crate) fn inspect(log: &Path) -> Result<()> {
    let mut read = READ.lock().unwrap_or_else(PoisonError::into_inner);
    let place = read.entry(log.to_owned()).or_default();
    let Ok(mut file) = File::open(log) else {
        return Ok(());
    };
    file.seek(SeekFrom::Start(*place))?;
    let mut added = Vec::new();
    file.read_to_end(&mut added)?;
    let whole = added
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |end| end + 1);
    *place += whole as u64;
    drop(read);
    let text = String::from_utf8_lossy(&added[..whole]);
    for planted in &*COMMON {
        if let Some(needle) = planted.find(&text) {
            let line = text
                .lines()
                .find(|line| line.contains(needle))
                .unwrap_or_default();
            bail!("{} stands in {}: {line}", planted.name, log.display());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::{STANDARD, URL_SAFE};

    use super::*;

    #[test]
    fn a_secret_in_any_coding_is_found() {
        let secret = b"cor/rect+horse 77 \"battery\"";
        let planted = Planted::new("a password", secret);
        let mut lines = vec![
            String::from_utf8_lossy(secret).into_owned(),
            format!("{:?}", String::from_utf8_lossy(secret)),
            format!("{secret:?}"),
            "password=cor%2Frect%2Bhorse+77+%22battery%22".to_owned(),
            "password=cor%2Frect%2Bhorse%2077%20%22battery%22".to_owned(),
        ];
        for name in ["a", "ab", "abc"] {
            let pair = [name.as_bytes(), b":", secret].concat();
            lines.extend([STANDARD.encode(&pair), URL_SAFE.encode(&pair)]);
        }
        for line in lines {
            let log = format!("2026-01-01 TRACE something: {line} and more\n");
            assert!(planted.find(&log).is_some(), "not found in: {log}");
        }
        assert!(planted.find("nothing of the kind stands here").is_none());
    }

    #[test]
    fn a_log_is_read_on_from_where_it_was_left_and_a_secret_in_it_is_found_out() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let log = folder.path().join("log");
        inspect(&log)?;
        std::fs::write(&log, "nothing here\nAuthorization: Bearer eyJhbG")?;
        inspect(&log)?;
        std::fs::write(
            &log,
            "nothing here\nAuthorization: Bearer eyJhbGciOiJFUzI1NiIsImtpZCI6\n",
        )?;
        assert!(inspect(&log).is_err());
        inspect(&log)?;
        let pair = STANDARD.encode("ab:correct horse 7 battery");
        std::fs::write(&log, format!("{:99}\n{pair}\n", ""))?;
        assert!(inspect(&log).is_err());
        Ok(())
    }

    #[test]
    fn what_is_too_short_to_be_told_from_chance_gives_nothing_to_look_for() {
        assert!(!Planted::new("empty", "").can_be_found());
        assert!(Planted::new("a word of eight", "eightlet").can_be_found());
    }
}
