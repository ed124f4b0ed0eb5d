use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc;

use serde_json::{Map, Value, json};

use super::*;

/// A mail server that takes everything; mails come out of the channel.
fn server() -> (u16, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, mails) = mpsc::channel();
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let sender = sender.clone();
            std::thread::spawn(move || serve(connection.unwrap(), &sender));
        }
    });
    (port, mails)
}

fn serve(connection: TcpStream, mails: &mpsc::Sender<String>) {
    let mut out = connection.try_clone().unwrap();
    let mut lines = BufReader::new(connection).lines().map_while(Result::ok);
    out.write_all(b"220 test\r\n").unwrap();
    let mut mail = String::new();
    while let Some(line) = lines.next() {
        let answer: &[u8] = match line.split(' ').next().unwrap_or_default() {
            "EHLO" => b"250-test\r\n250 AUTH PLAIN LOGIN\r\n",
            "DATA" => {
                out.write_all(b"354 go on\r\n").unwrap();
                for line in lines.by_ref().take_while(|line| line != ".") {
                    mail += &line;
                    mail.push('\n');
                }
                let _ = mails.send(std::mem::take(&mut mail));
                b"250 taken\r\n"
            }
            "QUIT" => b"221 bye\r\n",
            "AUTH" => b"235 welcome\r\n",
            _ => b"250 well\r\n",
        };
        if line.starts_with("MAIL") || line.starts_with("RCPT") || line.starts_with("AUTH") {
            mail += &line;
            mail.push('\n');
        }
        if out.write_all(answer).is_err() {
            return;
        }
    }
}

fn options(port: u16) -> Options {
    Options {
        levels: vec![Wanted::Of(Level::ERROR), Wanted::Panics],
        host: "127.0.0.1".to_owned(),
        port,
        account: None,
        insecure: false,
        from: "registry@example.com".to_owned(),
        to: vec!["one@example.com".to_owned(), "Two <two@example.com>".to_owned()],
    }
}

fn tell(hook: &Hook, level: Level, message: &str, fields: &Value) {
    let fields: Map<String, Value> = fields.as_object().unwrap().clone();
    hook.tell(&Line {
        level,
        message,
        fields: &fields,
    });
}

#[test]
fn the_first_line_comes_at_once_and_all_that_follow_in_one_mail() {
    let (port, mails) = server();
    let (hook, mailer) = Mailer::start(&options(port), Duration::from_mins(10)).unwrap();
    tell(&hook, Level::INFO, "nobody's business", &json!({}));
    tell(
        &hook,
        Level::ERROR,
        "the disk\r\nBcc: victim@example.com",
        &json!({"error": "it burns", "http.response.status": 500}),
    );
    let first = mails.recv().unwrap();
    assert!(first.contains("MAIL FROM:<registry@example.com>"), "{first}");
    assert!(first.contains("RCPT TO:<two@example.com>"), "{first}");
    assert!(
        first.contains("Subject: [error] 127.0.0.1: the disk  Bcc: victim@example.com"),
        "{first}"
    );
    assert!(!first.contains("\nBcc:"), "{first}");
    assert!(
        first.contains("error: it burns") && first.contains("http.response.status: 500"),
        "{first}"
    );
    for number in 0..400 {
        tell(&hook, Level::ERROR, &format!("line {number}"), &json!({}));
    }
    mailer.end();
    let second = mails.recv().unwrap();
    assert!(
        second.contains("[error] line 0\n") && second.contains("[error] line 49\n"),
        "{second}"
    );
    assert!(!second.contains("[error] line 50\n"), "{second}");
    let said = second
        .lines()
        .find_map(|line| line.strip_suffix(" more lines stand in the log alone."));
    assert_eq!(said, Some("350"), "{second}");
    assert!(mails.try_recv().is_err(), "one mail for all of them");
}

#[test]
fn a_panic_is_told_whatever_its_level_and_a_password_goes_to_this_host() {
    let (port, mails) = server();
    let options = Options {
        levels: vec![Wanted::find("PANIC").unwrap()],
        account: Some(("registry".to_owned(), Secret::new("hunter2".to_owned()))),
        ..options(port)
    };
    assert!(!format!("{options:?}").contains("hunter2"));
    let (hook, mailer) = Mailer::start(&options, Duration::ZERO).unwrap();
    tell(&hook, Level::ERROR, "an error", &json!({}));
    tell(
        &hook,
        Level::ERROR,
        "panic",
        &json!({"panic.message": "index out of bounds"}),
    );
    let mail = mails.recv().unwrap();
    assert!(
        mail.contains("AUTH PLAIN") && mail.contains("Subject: [panic] 127.0.0.1: panic"),
        "{mail}"
    );
    mailer.end();
    assert!(mails.try_recv().is_err());
}

#[test]
fn a_mail_server_that_is_away_holds_nobody_up_and_is_told_of_in_no_mail() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    // It accepts, and never says a word.
    let (hook, mailer) = Mailer::start(&options(port), Duration::from_mins(10)).unwrap();
    for _ in 0..10_000 {
        tell(&hook, Level::ERROR, "an error", &json!({}));
    }
    drop((mailer, listener));
}

#[test]
fn words_for_levels_are_those_of_logrus() {
    for (word, expected) in [
        ("panic", Some(Wanted::Panics)),
        ("Fatal", Some(Wanted::Panics)),
        ("error", Some(Wanted::Of(Level::ERROR))),
        ("warning", Some(Wanted::Of(Level::WARN))),
        ("warn", Some(Wanted::Of(Level::WARN))),
        ("trace", Some(Wanted::Of(Level::TRACE))),
        ("critical", None),
        ("", None),
    ] {
        assert_eq!(Wanted::find(word), expected, "{word}");
    }
    assert!(is_address("Registry <registry@example.com>") && !is_address("registry"));
}
