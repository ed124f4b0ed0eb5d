//! What a request shows of who sent it, and where it was sent to.

/// The values of its headers, as far as letting in and the challenge depend on them.
#[derive(Debug, Clone, Copy, Default)]
pub struct Caller<'a> {
    /// `Authorization`.
    pub authorization: Option<&'a [u8]>,
    /// The host and port that the client asked for.
    pub host: Option<&'a str>,
    /// `X-Forwarded-Proto`.
    pub forwarded_proto: Option<&'a str>,
    /// Whether the connection has TLS.
    pub is_secured: bool,
}

impl<'a> From<Option<&'a [u8]>> for Caller<'a> {
    fn from(authorization: Option<&'a [u8]>) -> Self {
        Self {
            authorization,
            ..Self::default()
        }
    }
}
