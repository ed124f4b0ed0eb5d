use std::time::Duration;

use super::*;

fn secret(text: &str) -> Secret<String> {
    Secret::new(text.to_owned())
}

fn passwords() -> Passwords {
    let limits = Limits {
        threads: 1,
        queue: 8,
        wait: Duration::from_secs(2),
    };
    let parameters = Parameters::new(8, 1, 1).unwrap();
    Passwords::new(parameters, limits, Clock::system(), Random::system()).unwrap()
}

async fn stored(passwords: &Passwords, password: &str, version: i64) -> Option<Stored> {
    Some(Stored {
        account_id: AccountId::from_i64(1),
        version,
        hash: passwords.hash(secret(password)).await.unwrap(),
    })
}

#[tokio::test]
async fn only_the_right_password_of_a_known_account_is_right() {
    let passwords = passwords();
    let ada = stored(&passwords, "correct horse", 1).await;
    let right = Verdict::Right { outdated: false };
    assert_eq!(
        passwords.verify(ada.clone(), &secret("correct horse")).await,
        Ok(right)
    );
    assert_eq!(
        passwords.verify(ada.clone(), &secret("wrong horse")).await,
        Ok(Verdict::Wrong)
    );
    assert_eq!(
        passwords.verify(None, &secret("correct horse")).await,
        Ok(Verdict::Wrong)
    );
    // Remembered, and still no other password passes.
    assert_eq!(
        passwords.verify(ada.clone(), &secret("correct horse")).await,
        Ok(right)
    );
    assert_eq!(
        passwords.verify(ada, &secret("wrong horse")).await,
        Ok(Verdict::Wrong)
    );
}

#[tokio::test]
async fn a_changed_password_is_forgotten_at_once() {
    let passwords = passwords();
    let old = stored(&passwords, "the old one", 1).await;
    assert_ne!(
        passwords.verify(old, &secret("the old one")).await,
        Ok(Verdict::Wrong)
    );
    let new = stored(&passwords, "the new one", 2).await;
    assert_eq!(
        passwords.verify(new, &secret("the old one")).await,
        Ok(Verdict::Wrong)
    );
}

#[tokio::test]
async fn two_hashes_of_one_password_differ() {
    let passwords = passwords();
    let (one, two) = (
        passwords.hash(secret("same")).await,
        passwords.hash(secret("same")).await,
    );
    assert_ne!(one.unwrap(), two.unwrap());
}
