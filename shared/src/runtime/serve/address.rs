//! Where to listen, and who is at the other end.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

/// Where to listen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// TCP; port 0 takes a free one.
    Tcp(SocketAddr),
    /// A socket in the file system.
    Unix {
        /// Its file. A socket that lies there is replaced, whoever it belongs to; any other file is not.
        path: PathBuf,
        /// The permission bits of the file; without them what the process's umask leaves.
        mode: Option<u32>,
    },
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(addr) => addr.fmt(f),
            Self::Unix { path, .. } => path.display().fmt(f),
        }
    }
}

/// The other end of the connection; in the extensions of every request. Behind a proxy this is the proxy. Who comes over
/// a socket of this machine has no address, and is shown as `@`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PeerAddr(pub Option<SocketAddr>);

impl PeerAddr {
    /// Its address in the network.
    pub fn ip(self) -> Option<IpAddr> {
        self.0.map(|addr| addr.ip())
    }
}

impl fmt::Display for PeerAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(addr) => addr.fmt(f),
            None => f.write_str("@"),
        }
    }
}
