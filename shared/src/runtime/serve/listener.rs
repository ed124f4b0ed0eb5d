//! The listening socket, and whether the process is ready.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

/// Connections that may wait to be accepted.
const BACKLOG: u32 = 1024;
/// A silent connection is probed after this time, and then at these intervals.
const KEEPALIVE_TIME: Duration = Duration::from_mins(1);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(15);
/// Bytes of an answer that the kernel keeps unsent for one connection. Its own bound is megabytes, which a few hundred
/// slow downloads turn into all of a small machine's memory.
const UNSENT_BYTES: u32 = 256 << 10;

/// A bound TCP socket; [`serve`](super::serve) accepts from it.
#[derive(Debug)]
pub struct Listener {
    pub(super) inner: TcpListener,
    readiness: Readiness,
}

impl Listener {
    /// Binds and listens; port 0 takes a free one. Must be called inside a tokio runtime.
    #[expect(
        clippy::unused_async,
        reason = "it needs the runtime, and resolving names may come"
    )]
    pub async fn bind(addr: SocketAddr) -> io::Result<Self> {
        let socket = if addr.is_ipv4() {
            TcpSocket::new_v4()?
        } else {
            TcpSocket::new_v6()?
        };
        socket.set_reuseaddr(true)?;
        // Accepted sockets inherit what follows, which saves system calls for each.
        socket.set_nodelay(true)?;
        let probes = TcpKeepalive::new()
            .with_time(KEEPALIVE_TIME)
            .with_interval(KEEPALIVE_INTERVAL);
        SockRef::from(&socket).set_tcp_keepalive(&probes)?;
        SockRef::from(&socket).set_tcp_notsent_lowat(UNSENT_BYTES)?;
        socket.bind(addr)?;
        Ok(Self {
            inner: socket.listen(BACKLOG)?,
            readiness: Readiness::default(),
        })
    }

    /// The address that is listened on, with the port that was taken.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.inner.local_addr()
    }

    /// Whether this listener's process should get requests: goes red when its shutdown begins.
    pub fn readiness(&self) -> Readiness {
        self.readiness.clone()
    }

    /// Stops listening. What the system has accepted for us by then is handed out: closing the socket would reset these
    /// connections, whose clients may already have sent their requests.
    pub(super) fn close(self) -> Vec<(TcpStream, SocketAddr)> {
        let mut waiting = Vec::new();
        let Ok(listener) = self.inner.into_std() else {
            return waiting;
        };
        // It does not block; an error of any kind ends the collection.
        while let Ok((stream, peer)) = listener.accept() {
            if stream.set_nonblocking(true).is_ok()
                && let Ok(stream) = TcpStream::from_std(stream)
            {
                waiting.push((stream, peer));
            }
        }
        waiting
    }

    /// Uses a readiness that was made before the listener.
    #[must_use]
    pub fn with_readiness(mut self, readiness: Readiness) -> Self {
        self.readiness = readiness;
        self
    }
}

/// Whether load balancers should send requests here: green from the start, red from the beginning of a shutdown. While it is
/// red, answers over HTTP/1.1 end their connections, so that clients turn elsewhere.
/// Clones share the state.
#[derive(Debug, Clone)]
pub struct Readiness(Arc<AtomicBool>);

impl Default for Readiness {
    fn default() -> Self {
        Self(Arc::new(AtomicBool::new(true)))
    }
}

impl Readiness {
    /// Whether the process is ready.
    pub fn is_ready(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }

    /// Says whether the process is ready.
    pub fn set(&self, ready: bool) {
        self.0.store(ready, Ordering::SeqCst);
    }
}
