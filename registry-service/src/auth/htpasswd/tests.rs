use std::time::Instant;

use super::*;

struct Ground {
    folder: tempfile::TempDir,
}

fn random() -> [u8; 16] {
    [7; 16]
}

fn basic(name: &str, password: &str) -> Vec<u8> {
    format!("Basic {}", STANDARD.encode(format!("{name}:{password}"))).into_bytes()
}

fn line(name: &str, password: &str, cost: u32) -> String {
    format!("{name}:{}\n", bcrypt::hash(password, cost).unwrap())
}

impl Ground {
    fn new(text: &str) -> Self {
        let ground = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        fs::write(ground.file(), text).unwrap();
        ground
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("htpasswd")
    }

    fn open(&self) -> Htpasswd {
        Htpasswd::open("basic-realm".to_owned(), self.file(), &random).unwrap()
    }
}

async fn verify(accounts: &Htpasswd, name: &str, password: &str, now_s: i64) -> Result<String, Rejection> {
    accounts.verify(Some(&basic(name, password)), now_s).await
}

#[tokio::test]
async fn a_password_lets_in_its_account_alone() {
    let of_apache = "alice:$2y$05$bXOfVGKhZHSi0Ac0MjqW4.pPOTHnrUMQFpqRIOLzo1rkpOZyJQ0TK\n";
    let long = "x".repeat(72);
    let text = format!(
        "# accounts\n\n{}{}{of_apache}",
        line("bob", "p:w ä", 4),
        line("carol", &long, 4)
    );
    let ground = Ground::new(&text);
    let accounts = ground.open();
    assert_eq!(verify(&accounts, "bob", "p:w ä", 1).await, Ok("bob".to_owned()));
    assert_eq!(verify(&accounts, "carol", &long, 1).await, Ok("carol".to_owned()));
    for (name, password) in [
        ("bob", ""),
        ("bob", "p:w a"),
        ("BOB", "p:w ä"),
        ("", "p:w ä"),
        ("nobody", "p:w ä"),
        ("carol", &format!("{long}y")),
        ("alice", "guess"),
    ] {
        assert_eq!(
            verify(&accounts, name, password, 1).await,
            Err(Rejection::Wrong),
            "{name} {password}"
        );
    }
}

#[tokio::test]
async fn what_is_no_basic_header_is_no_credential() {
    let ground = Ground::new(&line("bob", "secret", 4));
    let accounts = ground.open();
    let bearer = b"Bearer abc".to_vec();
    let pair = STANDARD.encode("bob:secret");
    for (header, expected) in [
        (None, Err(Rejection::NoCredentials)),
        (Some(bearer), Err(Rejection::NoCredentials)),
        (Some(b"Basic".to_vec()), Err(Rejection::NoCredentials)),
        (Some(b"Basic ***".to_vec()), Err(Rejection::NoCredentials)),
        (
            Some(format!("Basic {}", STANDARD.encode("bob")).into_bytes()),
            Err(Rejection::NoCredentials),
        ),
        (
            Some(format!("bAsIc   {pair} ").into_bytes()),
            Ok("bob".to_owned()),
        ),
    ] {
        assert_eq!(
            accounts.verify(header.as_deref(), 1).await,
            expected,
            "{header:?}"
        );
    }
}

#[tokio::test]
async fn other_hashes_and_broken_lines_let_nobody_in_and_the_rest_goes_on() {
    let text = format!(
        "md5:$apr1$x$y\nplain:plain\nno colon\n:$2y$05$x\nsha:{{SHA}}5en6G6MezRroT3XKqkdPOmY/BfQ=\n{}",
        line("bob", "secret", 4)
    );
    let accounts = Ground::new(&text).open();
    assert!(verify(&accounts, "bob", "secret", 1).await.is_ok());
    for (name, password) in [
        ("md5", "x"),
        ("plain", "plain"),
        ("sha", "password"),
        ("no colon", ""),
        ("", ""),
    ] {
        assert_eq!(
            verify(&accounts, name, password, 1).await,
            Err(Rejection::Wrong),
            "{name}"
        );
    }
}

#[tokio::test]
async fn a_changed_file_counts_within_a_second_and_ends_what_was_remembered() {
    let ground = Ground::new(&line("bob", "old", 4));
    let accounts = ground.open();
    assert!(verify(&accounts, "bob", "old", 1).await.is_ok());
    fs::write(
        ground.file(),
        line("bob", "new password", 4) + &line("eve", "added", 4),
    )
    .unwrap();
    assert_eq!(verify(&accounts, "bob", "old", 2).await, Err(Rejection::Wrong));
    assert!(verify(&accounts, "bob", "new password", 2).await.is_ok());
    assert!(verify(&accounts, "eve", "added", 2).await.is_ok());
    // What cannot be read changes nothing.
    fs::remove_file(ground.file()).unwrap();
    assert!(verify(&accounts, "bob", "new password", 3).await.is_ok());
    fs::write(ground.file(), line("bob", "new password", 4)).unwrap();
    assert_eq!(verify(&accounts, "eve", "added", 4).await, Err(Rejection::Wrong));
}

#[tokio::test]
async fn a_password_is_hashed_once_and_then_remembered() {
    let ground = Ground::new(&line("bob", "secret", 11));
    let accounts = ground.open();
    let begin = Instant::now();
    assert!(verify(&accounts, "bob", "secret", 1).await.is_ok());
    let first = begin.elapsed();
    let begin = Instant::now();
    for _ in 0..10 {
        assert!(verify(&accounts, "bob", "secret", 1).await.is_ok());
    }
    assert!(
        begin.elapsed() < first,
        "{:?} for ten, {first:?} for the first",
        begin.elapsed()
    );
}

#[tokio::test]
async fn logins_beyond_the_queue_are_turned_away() {
    let ground = Ground::new(&line("bob", "secret", 4));
    let accounts = Arc::new(ground.open());
    let cores = u32::try_from(accounts.hashing.available_permits()).unwrap();
    let held = accounts.hashing.acquire_many(cores).await.unwrap();
    let mut waiting = tokio::task::JoinSet::new();
    for number in 0..MAX_WAITING {
        let accounts = Arc::clone(&accounts);
        waiting.spawn(async move { verify(&accounts, "bob", &format!("wrong {number}"), 1).await });
    }
    while accounts.waiting.load(Ordering::Relaxed) < MAX_WAITING {
        tokio::task::yield_now().await;
    }
    assert_eq!(
        verify(&accounts, "bob", "secret", 1).await,
        Err(Rejection::TooManyLogins)
    );
    drop(held);
    while let Some(done) = waiting.join_next().await {
        assert_eq!(done.unwrap(), Err(Rejection::Wrong));
    }
    assert_eq!(accounts.waiting.load(Ordering::Relaxed), 0);
    assert!(verify(&accounts, "bob", "secret", 1).await.is_ok());
}

#[tokio::test]
async fn a_missing_file_is_made_with_one_account_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("auth/htpasswd");
    let accounts = Htpasswd::open("r".to_owned(), file.clone(), &random).unwrap();
    assert!(verify(&accounts, "docker", &"07".repeat(16), 1).await.is_ok());
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn the_realm_is_quoted() {
    let ground = Ground::new("");
    let accounts = Htpasswd::open("a \"b\" \\c".to_owned(), ground.file(), &random).unwrap();
    assert_eq!(accounts.challenge(), r#"Basic realm="a \"b\" \\c""#);
}
