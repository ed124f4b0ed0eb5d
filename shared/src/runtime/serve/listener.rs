//! The listening socket, and whether the process is ready.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use super::exchange::Observer;

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
    pub(super) observer: Option<Observer>,
    readiness: Readiness,
    connections: Arc<AtomicUsize>,
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
            observer: None,
            readiness: Readiness::default(),
            connections: Arc::default(),
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

    /// How many connections are held at the moment.
    pub fn connections(&self) -> Arc<AtomicUsize> {
        Arc::clone(&self.connections)
    }

    /// Tells `observer` of every request when it has ended, instead of writing a line about it.
    #[must_use]
    pub fn observed_by(mut self, observer: Observer) -> Self {
        self.observer = Some(observer);
        self
    }

    /// Uses a readiness that was made before the listener.
    #[must_use]
    pub fn with_readiness(mut self, readiness: Readiness) -> Self {
        self.readiness = readiness;
        self
    }
}

/// Whether load balancers should send requests here: green from the start, red from the beginning of a shutdown and while
/// a [check](Self::watch) says so. From the beginning of a shutdown, answers over HTTP/1.1 end their connections, so that
/// clients turn elsewhere. Clones share the state.
#[derive(Clone)]
pub struct Readiness(Arc<Shared>);

/// What a process can do at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Everything.
    Ready,
    /// Not everything, but it should still get requests: what is missing, in a word or two.
    Limited(&'static str),
    /// It should get no requests: why.
    Unready(&'static str),
}

struct Shared {
    open: AtomicBool,
    checks: Mutex<Vec<Check>>,
}

type Check = Box<dyn Fn() -> State + Send + Sync>;

impl Default for Readiness {
    fn default() -> Self {
        Self(Arc::new(Shared {
            open: AtomicBool::new(true),
            checks: Mutex::default(),
        }))
    }
}

impl Readiness {
    /// Whether no shutdown has begun.
    pub fn is_ready(&self) -> bool {
        self.0.open.load(Ordering::SeqCst)
    }

    /// What the process can do: the worst that is found.
    pub fn state(&self) -> State {
        if !self.is_ready() {
            return State::Unready("shutting down");
        }
        // A check that panicked has changed nothing here.
        let checks = self.0.checks.lock().unwrap_or_else(PoisonError::into_inner);
        let mut worst = State::Ready;
        for check in checks.iter() {
            match (check(), worst) {
                (unready @ State::Unready(_), _) => return unready,
                (limited @ State::Limited(_), State::Ready) => worst = limited,
                _ => {}
            }
        }
        worst
    }

    /// Says whether the process is ready: not, once its shutdown begins.
    pub fn set(&self, ready: bool) {
        self.0.open.store(ready, Ordering::SeqCst);
    }

    /// Asks `check` too from now on, whenever the state is asked for. It must not wait.
    pub fn watch(&self, check: impl Fn() -> State + Send + Sync + 'static) {
        let mut checks = self.0.checks.lock().unwrap_or_else(PoisonError::into_inner);
        checks.push(Box::new(check));
    }
}

impl fmt::Debug for Readiness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Readiness").field(&self.state()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_of_all_checks_is_told_and_a_shutdown_is_worse_than_any() {
        let readiness = Readiness::default();
        assert_eq!(readiness.state(), State::Ready);
        readiness.watch(|| State::Limited("read-only"));
        readiness.watch(|| State::Ready);
        assert_eq!(readiness.state(), State::Limited("read-only"));
        let failing = Arc::new(AtomicBool::new(true));
        let asked = Arc::clone(&failing);
        readiness.watch(move || {
            if asked.load(Ordering::SeqCst) {
                State::Unready("failing")
            } else {
                State::Ready
            }
        });
        assert_eq!(readiness.clone().state(), State::Unready("failing"));
        failing.store(false, Ordering::SeqCst);
        assert_eq!(readiness.state(), State::Limited("read-only"));
        assert!(readiness.is_ready());
        readiness.set(false);
        assert_eq!(readiness.state(), State::Unready("shutting down"));
    }
}
