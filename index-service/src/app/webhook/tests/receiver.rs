//! A receiver of webhooks on this machine.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// What came.
#[derive(Debug, Clone, Default)]
pub(super) struct Request {
    pub(super) path: String,
    head: Vec<(String, String)>,
    pub(super) body: String,
}

impl Request {
    pub(super) fn header(&self, name: &str) -> &str {
        let found = self.head.iter().find(|(own, _)| own == name);
        found.map_or("", |(_, value)| value.as_str())
    }
}

struct State {
    came: Vec<Request>,
    status: u16,
    says: String,
}

pub(super) struct Receiver {
    port: u16,
    state: Arc<Mutex<State>>,
}

impl Receiver {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(Mutex::new(State {
            came: Vec::new(),
            status: 200,
            says: String::new(),
        }));
        let answering = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&answering)));
            }
        });
        Self { port, state }
    }

    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/hook", self.port)
    }

    pub(super) fn answer(&self, status: u16) {
        self.state.lock().unwrap().status = status;
    }

    pub(super) fn say(&self, body: &str) {
        body.clone_into(&mut self.state.lock().unwrap().says);
    }

    /// What came since this was asked last.
    pub(super) fn take(&self) -> Vec<Request> {
        std::mem::take(&mut self.state.lock().unwrap().came)
    }
}

async fn serve(stream: TcpStream, state: Arc<Mutex<State>>) {
    let mut stream = BufReader::new(stream);
    loop {
        let (mut request, mut length) = (Request::default(), 0);
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).await.unwrap_or(0) == 0 {
                return;
            }
            let line = line.trim_end();
            if line.is_empty() {
                break;
            }
            match line.split_once(": ") {
                Some((name, value)) => {
                    let name = name.to_ascii_lowercase();
                    if name == "content-length" {
                        length = value.parse().unwrap();
                    }
                    request.head.push((name, value.to_owned()));
                }
                None => line.split(' ').nth(1).unwrap().clone_into(&mut request.path),
            }
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await.unwrap();
        request.body = String::from_utf8(body).unwrap();
        let answer = {
            let mut state = state.lock().unwrap();
            state.came.push(request);
            format!(
                "HTTP/1.1 {} X\r\nContent-Length: {}\r\n\r\n{}",
                state.status,
                state.says.len(),
                state.says
            )
        };
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}
