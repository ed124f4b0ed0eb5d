//! Chromium without a screen, driven over a pipe by its DevTools protocol.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::Command;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use base64::Engine as _;
use rustix::fs::{CWD, FileType, Mode, mknodat};
use serde_json::{Value, json};

use crate::Journey;
use crate::process::{Daemon, wait_for};

/// How long one answer, or one page, may take: the machine may be busy.
const PATIENCE: Duration = Duration::from_mins(2);

/// A browser with one page.
#[derive(Debug)]
pub struct Browser {
    // Killed first, which ends the thread that reads.
    daemon: Daemon,
    commands: File,
    answers: Receiver<Value>,
    sent: u64,
    session: Option<String>,
}

impl Browser {
    /// Starts it for a reader of this language, with an empty page. Certificates of our own making are trusted.
    pub fn open(journey: &Journey, language: &str) -> Result<Self> {
        let folder = journey.subfolder(&format!("browser-{language}"))?;
        for pipe in ["commands", "answers"] {
            mknodat(CWD, folder.join(pipe), FileType::Fifo, Mode::RUSR | Mode::WUSR, 0)
                .context("make a pipe")?;
        }
        let mut command = Command::new("sh");
        command
            .current_dir(&folder)
            .env("LANGUAGE", language)
            .args(["-c", "exec chromium \"$@\" 3<commands 4>answers", "sh"])
            .args([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
            ])
            .args([
                "--disable-background-networking",
                "--no-first-run",
                "--ignore-certificate-errors",
            ])
            .args([
                "--user-data-dir=profile".to_owned(),
                format!("--lang={language}"),
                format!("--accept-lang={language}"),
            ])
            .arg("--remote-debugging-pipe");
        let log = folder.join("log");
        journey.watch_foreign_log(&log);
        let daemon = Daemon::start("chromium", command, &log)?;
        let commands = File::options()
            .write(true)
            .open(folder.join("commands"))
            .context("open the pipe")?;
        let answers = File::open(folder.join("answers")).context("open the pipe")?;
        let (sender, receiver) = channel();
        std::thread::spawn(move || {
            for message in BufReader::new(answers).split(0) {
                let Ok(message) = message else { return };
                let message = serde_json::from_slice::<Value>(&message).unwrap_or_default();
                if message.get("id").is_some() && sender.send(message).is_err() {
                    return;
                }
            }
        });
        let mut browser = Self {
            daemon,
            commands,
            answers: receiver,
            sent: 0,
            session: None,
        };
        let page = browser.call("Target.createTarget", &json!({"url": "about:blank"}))?;
        let attach = json!({"targetId": page["targetId"], "flatten": true});
        let attached = browser.call("Target.attachToTarget", &attach)?;
        browser.session = attached["sessionId"].as_str().map(str::to_owned);
        Ok(browser)
    }

    /// Opens an address.
    pub fn visit(&mut self, url: &str) -> Result<()> {
        // A change of what stands behind `#` alone would open nothing.
        for url in ["about:blank", url] {
            self.call("Page.navigate", &json!({ "url": url }))?;
        }
        Ok(())
    }

    /// What an expression is in the page.
    pub fn evaluate(&mut self, expression: &str) -> Result<Value> {
        let body = json!({"expression": expression, "returnByValue": true, "awaitPromise": true});
        let mut answer = self.call("Runtime.evaluate", &body)?;
        if let Some(exception) = answer.get("exceptionDetails") {
            bail!("{expression}: {exception}");
        }
        Ok(answer["result"]["value"].take())
    }

    /// Waits until an expression is true in the page; while a page is being loaded, none is.
    pub fn wait_for(&mut self, expression: &str) -> Result<()> {
        let seen = wait_for(expression, PATIENCE, || {
            Ok(self
                .evaluate(expression)
                .is_ok_and(|value| value == true)
                .then_some(()))
        });
        seen.with_context(|| format!("the page shows: {:?}", self.evaluate("document.body.innerText")))
    }

    /// Lets the page believe that its reader likes `dark` or `light`.
    pub fn set_scheme(&mut self, scheme: &str) -> Result<()> {
        let features = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        self.call("Emulation.setEmulatedMedia", &features).map(drop)
    }

    /// A picture of the page (PNG).
    pub fn picture(&mut self, file: &Path) -> Result<()> {
        let taken = self.call("Page.captureScreenshot", &json!({"captureBeyondViewport": true}))?;
        let picture = base64::engine::general_purpose::STANDARD
            .decode(taken["data"].as_str().unwrap_or_default())
            .context("read the picture")?;
        std::fs::write(file, picture).context("write the picture")
    }

    fn call(&mut self, method: &str, parameters: &Value) -> Result<Value> {
        self.sent += 1;
        let mut message = json!({"id": self.sent, "method": method, "params": parameters});
        if let Some(session) = &self.session {
            message["sessionId"] = session.as_str().into();
        }
        let mut bytes = message.to_string().into_bytes();
        bytes.push(0);
        self.commands.write_all(&bytes).context("ask the browser")?;
        loop {
            let mut answer = match self.answers.recv_timeout(PATIENCE) {
                Ok(answer) => answer,
                Err(RecvTimeoutError::Timeout) => bail!("the browser did not answer {method}"),
                Err(RecvTimeoutError::Disconnected) => {
                    bail!("the browser ended ({:?})", self.daemon.ended()?)
                }
            };
            if answer["id"] != self.sent {
                continue;
            }
            if let Some(error) = answer.get("error") {
                bail!("{method}: {error}");
            }
            return Ok(answer["result"].take());
        }
    }
}
