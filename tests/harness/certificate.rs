//! Certificates made by openssl, as people make them.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::Journey;

/// A key with its certificate, both PEM files.
#[derive(Debug, Clone)]
pub struct Certificate {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

impl Certificate {
    /// An authority.
    pub fn authority(journey: &Journey, folder: &Path, name: &str) -> Result<Self> {
        let made = Self::place(folder, name);
        let subject = format!("/CN={name}");
        let line = journey.command("openssl").args(["req", "-x509", "-newkey", "ec"]);
        let line = line.args(["-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30"]);
        let line = line.args(["-subj", &subject, "-addext", "keyUsage=keyCertSign"]);
        line.arg("-keyout")
            .arg(&made.key)
            .arg("-out")
            .arg(&made.certificate)
            .succeeds()?;
        Ok(made)
    }

    /// A certificate of this authority, with extensions as a configuration of openssl has them.
    pub fn issue(&self, journey: &Journey, folder: &Path, name: &str, extensions: &str) -> Result<Self> {
        let made = Self::place(folder, name);
        let (request, more) = (
            folder.join(format!("{name}.csr")),
            folder.join(format!("{name}.ext")),
        );
        std::fs::write(&more, extensions)?;
        let subject = format!("/CN={name}");
        let line = journey
            .command("openssl")
            .args(["req", "-newkey", "rsa:2048", "-nodes"]);
        let line = line.args(["-subj", &subject]);
        let line = line.arg("-keyout").arg(&made.key).arg("-out").arg(&request);
        line.succeeds()?;
        let line = journey.command("openssl").args(["x509", "-req", "-days", "30"]);
        let line = line.arg("-in").arg(&request).arg("-extfile").arg(&more);
        let line = line
            .arg("-CA")
            .arg(&self.certificate)
            .arg("-CAkey")
            .arg(&self.key);
        let line = line.arg("-CAcreateserial").arg("-out").arg(&made.certificate);
        line.succeeds()?;
        Ok(made)
    }

    fn place(folder: &Path, name: &str) -> Self {
        Self {
            certificate: folder.join(format!("{name}.crt")),
            key: folder.join(format!("{name}.key")),
        }
    }
}
