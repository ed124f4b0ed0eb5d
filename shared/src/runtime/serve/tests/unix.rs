//! The same over a socket of the machine.

use std::path::{Path, PathBuf};

use tokio::net::UnixStream;

use super::*;

struct Local {
    _folder: tempfile::TempDir,
    path: PathBuf,
    gate: Arc<Notify>,
    entered: Arc<Notify>,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<io::Result<()>>,
}

impl Local {
    async fn start(limits: Limits) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("registry.sock");
        let address = Address::Unix {
            path: path.clone(),
            mode: Some(0o600),
        };
        let listener = Listener::bind_to(&address).await.unwrap();
        let shown = listener.address().unwrap().to_string();
        assert_eq!(Path::new(&shown), path);
        let (gate, entered) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (stop, stopped) = oneshot::channel::<()>();
        let router = routes(Arc::clone(&gate), Arc::clone(&entered));
        let task = tokio::spawn(async move {
            serve(listener, None, router, limits, async {
                let _ = stopped.await;
            })
            .await
        });
        Self {
            _folder: folder,
            path,
            gate,
            entered,
            stop: Some(stop),
            task,
        }
    }

    async fn connect(&self) -> UnixStream {
        UnixStream::connect(&self.path).await.unwrap()
    }
}

async fn read_all(stream: &mut UnixStream) -> String {
    let mut bytes = Vec::new();
    let _ = timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.unwrap();
    String::from_utf8_lossy(&bytes).into_owned()
}

async fn ask(stream: &mut UnixStream, request: &str) -> String {
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut text = String::new();
    let mut byte = [0];
    while !text.ends_with("\r\n\r\n") {
        let read = timeout(PATIENCE, stream.read(&mut byte)).await.unwrap().unwrap();
        assert_eq!(read, 1, "closed after {text:?}");
        text.push(char::from(byte[0]));
    }
    text
}

#[tokio::test]
async fn a_client_of_the_machine_is_served_on_one_connection_and_has_no_address() {
    let local = Local::start(Limits {
        max_connections_per_address: 1,
        exempt_loopback: false,
        ..Limits::default()
    })
    .await;
    let mut kept = local.connect().await;
    for _ in 0..2 {
        let head = ask(&mut kept, "HEAD /ok HTTP/1.1\r\nHost: x\r\n\r\n").await;
        assert_status(&head, 200);
    }
    // Beside the one that is kept: nobody is counted by an address.
    let mut second = local.connect().await;
    second
        .write_all(b"GET /ok HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        .await
        .unwrap();
    let answer = read_all(&mut second).await;
    assert!(answer.contains("\r\n\r\n@ Http "), "{answer}");
    let mut tls = local.connect().await;
    tls.write_all(&[0x16, 3, 1]).await.unwrap();
    let answer = read_all(&mut tls).await;
    assert!(answer.contains("HTTPS request to an HTTP server"), "{answer}");
}

#[tokio::test]
async fn a_drain_serves_who_was_connected_and_removes_the_file() {
    let mut local = Local::start(Limits {
        evict_after: Duration::from_millis(1),
        ..Limits::default()
    })
    .await;
    let mut busy = local.connect().await;
    busy.write_all(b"GET /gate HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    local.entered.notified().await;
    let _ = local.stop.take().unwrap().send(());
    while local.path.exists() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    local.gate.notify_one();
    let answer = read_all(&mut busy).await;
    assert!(answer.ends_with("through"), "{answer}");
    assert!(answer.contains("Connection: close"), "{answer}");
    timeout(PATIENCE, local.task).await.unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn a_socket_that_was_bound_elsewhere_is_served_and_its_file_stays() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("of-the-manager.sock");
    let bound = std::os::unix::net::UnixListener::bind(&path).unwrap();
    let listener = Listener::of_unix(bound).unwrap();
    let router = routes(Arc::default(), Arc::default());
    let (stop, stopped) = oneshot::channel::<()>();
    let task = tokio::spawn(serve(listener, None, router, Limits::default(), async {
        let _ = stopped.await;
    }));
    let mut stream = UnixStream::connect(&path).await.unwrap();
    let head = ask(&mut stream, "HEAD /ok HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert_status(&head, 200);
    drop(stream);
    stop.send(()).unwrap();
    timeout(PATIENCE, task).await.unwrap().unwrap().unwrap();
    assert!(path.exists());
}
