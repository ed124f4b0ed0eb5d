//! The listening socket, and whether the process is ready.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpListener, TcpSocket, TcpStream, UnixListener, UnixStream};

use super::address::{Address, PeerAddr};
use super::exchange::Observer;
use super::socket_file::SocketFile;
use super::stream::Stream;

/// Connections that may wait to be accepted.
const BACKLOG: u32 = 1024;
/// A silent connection is probed after this time, and then at these intervals.
const KEEPALIVE_TIME: Duration = Duration::from_mins(1);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(15);
/// Bytes of an answer that the kernel keeps unsent for one connection. Its own bound is megabytes, which a few hundred
/// slow downloads turn into all of a small machine's memory.
const UNSENT_BYTES: u32 = 256 << 10;

/// A bound socket; [`serve`](super::serve) accepts from it.
#[derive(Debug)]
pub struct Listener {
    inner: Inner,
    pub(super) observer: Option<Observer>,
    readiness: Readiness,
    connections: Arc<AtomicUsize>,
}

#[derive(Debug)]
enum Inner {
    Tcp(TcpListener),
    Unix(UnixListener, Option<SocketFile>),
}

impl Listener {
    /// Binds and listens over TCP; port 0 takes a free one. Must be called inside a tokio runtime.
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
        prepare(&SockRef::from(&socket))?;
        socket.bind(addr)?;
        Ok(Self::of(Inner::Tcp(socket.listen(BACKLOG)?)))
    }

    /// Binds and listens anywhere. Must be called inside a tokio runtime.
    ///
    /// # Errors
    /// What lies at the path of a socket is no socket; the system refuses.
    pub async fn bind_to(address: &Address) -> io::Result<Self> {
        match address {
            Address::Tcp(addr) => Self::bind(*addr).await,
            Address::Unix { path, mode } => {
                let (listener, file) = SocketFile::bind(path, *mode)?;
                Ok(Self::of(Inner::Unix(listener, Some(file))))
            }
        }
    }

    /// Listens on a TCP socket that the service manager has bound. Must be called inside a tokio runtime.
    pub fn of_tcp(socket: std::net::TcpListener) -> io::Result<Self> {
        prepare(&SockRef::from(&socket))?;
        socket.set_nonblocking(true)?;
        Ok(Self::of(Inner::Tcp(TcpListener::from_std(socket)?)))
    }

    /// The same for a socket of this machine. Its file is the service manager's, and stays.
    pub fn of_unix(socket: std::os::unix::net::UnixListener) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        Ok(Self::of(Inner::Unix(UnixListener::from_std(socket)?, None)))
    }

    fn of(inner: Inner) -> Self {
        Self {
            inner,
            observer: None,
            readiness: Readiness::default(),
            connections: Arc::default(),
        }
    }

    /// Where it listens, with the port that was taken.
    pub fn address(&self) -> io::Result<Address> {
        match &self.inner {
            Inner::Tcp(listener) => listener.local_addr().map(Address::Tcp),
            Inner::Unix(listener, _) => {
                let addr = listener.local_addr()?;
                let path = addr.as_pathname().unwrap_or(Path::new("@")).to_owned();
                Ok(Address::Unix { path, mode: None })
            }
        }
    }

    /// The TCP address that is listened on, with the port that was taken.
    ///
    /// # Errors
    /// It is no TCP socket.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        match &self.inner {
            Inner::Tcp(listener) => listener.local_addr(),
            Inner::Unix(..) => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    /// Whether this listener's process should get requests: goes red when its shutdown begins.
    pub fn readiness(&self) -> Readiness {
        self.readiness.clone()
    }

    pub(super) async fn accept(&self) -> io::Result<(Stream, PeerAddr)> {
        match &self.inner {
            Inner::Tcp(listener) => {
                let (stream, peer) = listener.accept().await?;
                Ok((Stream::Tcp(stream), PeerAddr(Some(peer))))
            }
            Inner::Unix(listener, _) => {
                let (stream, _) = listener.accept().await?;
                Ok((Stream::Unix(stream), PeerAddr(None)))
            }
        }
    }

    /// Stops listening. What the system has accepted for us by then is handed out: closing the socket would reset these
    /// connections, whose clients may already have sent their requests.
    pub(super) fn close(self) -> Vec<(Stream, PeerAddr)> {
        let mut waiting = Vec::new();
        // It does not block; an error of any kind ends the collection.
        match self.inner {
            Inner::Tcp(listener) => {
                let Ok(listener) = listener.into_std() else {
                    return waiting;
                };
                while let Ok((stream, peer)) = listener.accept() {
                    if stream.set_nonblocking(true).is_ok()
                        && let Ok(stream) = TcpStream::from_std(stream)
                    {
                        waiting.push((Stream::Tcp(stream), PeerAddr(Some(peer))));
                    }
                }
            }
            Inner::Unix(listener, file) => {
                // Who comes from here on finds no file, instead of a socket that nobody accepts from.
                drop(file);
                let Ok(listener) = listener.into_std() else {
                    return waiting;
                };
                while let Ok((stream, _)) = listener.accept() {
                    if stream.set_nonblocking(true).is_ok()
                        && let Ok(stream) = UnixStream::from_std(stream)
                    {
                        waiting.push((Stream::Unix(stream), PeerAddr(None)));
                    }
                }
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

/// Accepted sockets inherit what is set here, which saves system calls for each.
fn prepare(socket: &SockRef<'_>) -> io::Result<()> {
    socket.set_tcp_nodelay(true)?;
    let probes = TcpKeepalive::new()
        .with_time(KEEPALIVE_TIME)
        .with_interval(KEEPALIVE_INTERVAL);
    socket.set_tcp_keepalive(&probes)?;
    socket.set_tcp_notsent_lowat(UNSENT_BYTES)
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
