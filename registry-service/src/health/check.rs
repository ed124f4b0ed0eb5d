//! What is checked, how often, and how many failures in a row count.

use std::path::PathBuf;
use std::time::Duration;

use ::http::{HeaderName, HeaderValue};

/// One check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What is looked at.
    pub kind: Kind,
    /// The time between two looks.
    pub interval: Duration,
    /// How many looks in a row must fail before the check does. None counts as one.
    pub threshold: u32,
}

/// What a check looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// The storage answers. The driver's name in configurations.
    Storage(&'static str),
    /// This file does not exist.
    File(PathBuf),
    /// This URI answers `HEAD` as it should.
    Http {
        /// The URI as configured.
        uri: String,
        /// Headers of the request.
        headers: Vec<(HeaderName, HeaderValue)>,
        /// The status that is well.
        status: u16,
        /// Longest wait.
        timeout: Option<Duration>,
    },
    /// Somebody accepts connections here.
    Tcp {
        /// Host and port.
        addr: String,
        /// Longest wait.
        timeout: Option<Duration>,
    },
}

impl Check {
    /// The name as distribution gives it; without the password that a URI may hold.
    pub fn name(&self) -> String {
        match &self.kind {
            Kind::Storage(driver) => format!("storagedriver_{driver}"),
            Kind::File(path) => path.display().to_string(),
            Kind::Http { uri, .. } => without_password(uri),
            Kind::Tcp { addr, .. } => addr.clone(),
        }
    }
}

pub(super) fn without_password(uri: &str) -> String {
    let Some((scheme, rest)) = uri.split_once("://") else {
        return uri.to_owned();
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    match rest[..end].rsplit_once('@') {
        Some((_, host)) => format!("{scheme}://{host}{}", &rest[end..]),
        None => uri.to_owned(),
    }
}

/// Failures in a row.
#[derive(Debug)]
pub(super) struct Streak {
    threshold: u32,
    failures: u32,
}

impl Streak {
    pub(super) fn new(threshold: u32) -> Self {
        Self {
            threshold: threshold.max(1),
            failures: 0,
        }
    }

    /// What is wrong, if it has been so for long enough. One good look heals.
    pub(super) fn judge(&mut self, trouble: Option<String>) -> Option<String> {
        self.failures = match trouble {
            Some(_) => self.failures.saturating_add(1),
            None => 0,
        };
        trouble.filter(|_| self.failures >= self.threshold)
    }
}
