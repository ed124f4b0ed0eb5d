//! A relay on loopback that counts what clients send: proof that something was *not* uploaded.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use crate::command::RUNTIME;

/// The relay; it ends when dropped.
#[derive(Debug)]
pub struct Meter {
    sent: Arc<AtomicU64>,
    task: JoinHandle<()>,
}

impl Meter {
    /// Relays connections from one port of 127.0.0.1 to another.
    pub fn between(from: u16, to: u16) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", from)).context("listen for the relay")?;
        listener.set_nonblocking(true).context("listen for the relay")?;
        let sent = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&sent);
        let task = RUNTIME.spawn(async move {
            let Ok(listener) = tokio::net::TcpListener::from_std(listener) else {
                return;
            };
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(relay(client, to, Arc::clone(&counter)));
            }
        });
        Ok(Self { sent, task })
    }

    /// Bytes that clients have sent so far, headers included.
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn relay(client: TcpStream, to: u16, sent: Arc<AtomicU64>) {
    let Ok(server) = TcpStream::connect(("127.0.0.1", to)).await else {
        return;
    };
    let (client_in, client_out) = client.into_split();
    let (server_in, server_out) = server.into_split();
    tokio::join!(
        copy(client_in, server_out, Some(sent)),
        copy(server_in, client_out, None)
    );
}

async fn copy(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    counter: Option<Arc<AtomicU64>>,
) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        if let Some(counter) = &counter {
            counter.fetch_add(length as u64, Ordering::Relaxed);
        }
        if to.write_all(&buffer[..length]).await.is_err() {
            break;
        }
    }
    // The other side may already be gone; then there is nothing to end.
    drop(to.shutdown().await);
}
