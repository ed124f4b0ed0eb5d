//! What shows only in a process of its own: running out of files, and signals.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream as StdStream;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Instant as StdInstant;

use super::*;

/// Not a test: the server that the others start, from this same binary.
#[tokio::test]
#[ignore = "started by the tests beside it"]
async fn server() {
    let listener = Listener::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    println!("listening on {}", listener.local_addr().unwrap());
    let limits = Limits {
        max_connections: 1000,
        headers: 2 * PATIENCE,
        ..Limits::default()
    };
    let router = routes(Arc::default(), Arc::default());
    serve(listener, None, router, limits, shutdown_signal())
        .await
        .unwrap();
}

struct Process {
    child: Child,
    /// Kept open: the test runner in the process writes to it at its end.
    _stdout: BufReader<ChildStdout>,
    addr: SocketAddr,
}

impl Process {
    fn start(open_files: u32) -> Self {
        let script = format!(
            "ulimit -n {open_files}; exec \"$0\" --exact {} --ignored --nocapture",
            name_of_server()
        );
        let mut child = Command::new("sh")
            .args(["-c", &script])
            .arg(std::env::current_exe().unwrap())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let addr = stdout
            .by_ref()
            .lines()
            .map_while(Result::ok)
            .find_map(|line| Some(line.split_once("listening on ")?.1.trim().parse().unwrap()))
            .expect("the server tells its address");
        Self {
            child,
            _stdout: stdout,
            addr,
        }
    }

    fn connect(&self) -> StdStream {
        let stream = StdStream::connect(self.addr).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    fn get(&self, path: &str) -> String {
        let mut stream = self.connect();
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    fn signal(&self, name: &str) {
        let status = Command::new("sh")
            .args(["-c", &format!("kill -{name} {}", self.child.id())])
            .status();
        assert!(status.unwrap().success());
    }

    fn open_files(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.child.id()))
            .unwrap()
            .count()
    }

    /// Time on a processor so far, in the kernel's ticks (a hundredth of a second).
    fn processor_ticks(&self) -> u64 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
        fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
    }

    fn exit_code(mut self) -> Option<i32> {
        let code = wait_until(|| self.child.try_wait().unwrap());
        code.code()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn name_of_server() -> String {
    format!("{}::server", module_path!().split_once("::").unwrap().1)
}

fn wait_until<T>(mut condition: impl FnMut() -> Option<T>) -> T {
    let began = StdInstant::now();
    loop {
        if let Some(value) = condition() {
            return value;
        }
        assert!(began.elapsed() < PATIENCE, "the condition does not come true");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_process_out_of_files_does_not_spin_and_recovers() {
    let process = Process::start(64);
    let held: Vec<StdStream> = (0..100).map(|_| process.connect()).collect();
    wait_until(|| (process.open_files() >= 63).then_some(()));
    let (began, ticks) = (StdInstant::now(), process.processor_ticks());
    std::thread::sleep(Duration::from_secs(1));
    let spent = process.processor_ticks() - ticks;
    let passed = began.elapsed().as_millis() / 10;
    assert!(
        u128::from(spent) < passed / 4,
        "{spent} of {passed} ticks spent on waiting"
    );
    drop(held);
    assert_status(&process.get("/ok"), 200);
}

#[test]
fn the_first_signal_drains_and_the_process_ends_well() {
    for signal in ["TERM", "INT"] {
        let process = Process::start(256);
        assert_status(&process.get("/ok"), 200);
        process.signal(signal);
        assert_eq!(process.exit_code(), Some(0), "{signal}");
    }
}

#[test]
fn a_second_signal_ends_the_process_at_once() {
    let process = Process::start(256);
    let mut busy = process.connect();
    busy.write_all(b"GET /gate HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    // The request has been read when another that was sent later has been answered on the same runtime.
    assert_status(&process.get("/ok"), 200);
    process.signal("TERM");
    wait_until(|| StdStream::connect(process.addr).is_err().then_some(()));
    process.signal("TERM");
    assert_eq!(process.exit_code(), Some(130));
}
