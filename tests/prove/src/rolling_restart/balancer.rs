//! A load balancer as small as can be: it knows nothing of HTTP, asks each replica whether it is ready, and never tries
//! again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result};
use harness::command::RUNTIME;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::raw::Connection;

/// How often each replica is asked.
const INTERVAL: Duration = Duration::from_millis(100);

#[derive(Debug)]
struct Replica {
    port: u16,
    ready: AtomicBool,
}

/// Ends when dropped.
#[derive(Debug)]
pub(super) struct Balancer {
    pub(super) port: u16,
    replicas: Arc<Vec<Replica>>,
    refused: Arc<AtomicU64>,
    tasks: Vec<JoinHandle<()>>,
}

impl Balancer {
    pub(super) fn start(ports: &[u16]) -> Result<Self> {
        let replicas: Vec<Replica> = ports
            .iter()
            .map(|port| Replica {
                port: *port,
                ready: AtomicBool::new(true),
            })
            .collect();
        let replicas = Arc::new(replicas);
        let listener = RUNTIME
            .block_on(TcpListener::bind("127.0.0.1:0"))
            .context("listen")?;
        let refused = Arc::<AtomicU64>::default();
        let mut balancer = Self {
            port: listener.local_addr()?.port(),
            refused: Arc::clone(&refused),
            tasks: Vec::new(),
            replicas: Arc::clone(&replicas),
        };
        for at in 0..ports.len() {
            balancer
                .tasks
                .push(RUNTIME.spawn(watch(Arc::clone(&replicas), at)));
        }
        balancer.tasks.push(RUNTIME.spawn(async move {
            let next = AtomicUsize::new(0);
            while let Ok((client, _)) = listener.accept().await {
                let turn = next.fetch_add(1, Ordering::Relaxed);
                let ready: Vec<u16> = replicas
                    .iter()
                    .filter(|replica| replica.ready.load(Ordering::SeqCst))
                    .map(|replica| replica.port)
                    .collect();
                let to = ready.get(turn % ready.len().max(1)).copied();
                tokio::spawn(relay(client, to, Arc::clone(&refused)));
            }
        }));
        Ok(balancer)
    }

    /// Connections for which there was no replica.
    pub(super) fn refused(&self) -> u64 {
        self.refused.load(Ordering::SeqCst)
    }

    /// Whether the replica on this port gets connections.
    pub(super) fn sends_to(&self, port: u16) -> bool {
        self.replicas
            .iter()
            .any(|replica| replica.port == port && replica.ready.load(Ordering::SeqCst))
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

async fn watch(replicas: Arc<Vec<Replica>>, at: usize) {
    let replica = &replicas[at];
    loop {
        let asked = timeout(Duration::from_secs(10), async {
            Connection::open(replica.port).await?.get("/readyz").await
        });
        let ready = matches!(asked.await, Ok(Ok(answer)) if answer.status == 200);
        replica.ready.store(ready, Ordering::SeqCst);
        sleep(INTERVAL).await;
    }
}

async fn relay(mut client: TcpStream, to: Option<u16>, refused: Arc<AtomicU64>) {
    let server = match to {
        Some(port) => TcpStream::connect(("127.0.0.1", port)).await.ok(),
        None => None,
    };
    let Some(mut server) = server else {
        refused.fetch_add(1, Ordering::SeqCst);
        return;
    };
    // Requests and answers are small; without this each would wait for the other side's acknowledgement.
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    // A side that breaks off ends both, as it should.
    let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
}
