use std::time::Duration;

use super::*;
use crate::app::caller::Client;
use crate::app::fixture::Fixture;

const PASSWORD: &str = "correct horse battery";
const MINUTE: Duration = Duration::from_mins(1);

fn password(text: &str) -> Secret<String> {
    Secret::new(text.to_owned())
}

/// The account ada, and the secret of a session of hers.
async fn signed_in() -> (Fixture, Secret<String>) {
    let fixture = Fixture::new().await;
    let app = &fixture.app;
    app.create_account("ada", password(PASSWORD)).await.unwrap();
    let session = app
        .open_web_session("ada".to_owned(), password(PASSWORD), true, &Client::default())
        .await
        .unwrap();
    (fixture, session.secret)
}

async fn again(fixture: &Fixture, secret: &Secret<String>) -> Caller {
    let found = fixture
        .app
        .recognise_web_session(secret.expose(), Client::default())
        .await;
    found.unwrap().unwrap()
}

/// Whether administration goes on, which prolongs it.
async fn goes_on(fixture: &Fixture, secret: &Secret<String>) -> bool {
    let mut caller = again(fixture, secret).await;
    fixture.app.keep_confirmed(&mut caller, false).await.unwrap()
}

#[tokio::test]
async fn signing_in_counts_for_a_quarter_of_an_hour() {
    let (fixture, secret) = signed_in().await;
    fixture.clock.advance(MINUTE * 14);
    let caller = again(&fixture, &secret).await;
    assert!(fixture.app.is_confirmed(&caller));
    fixture.clock.advance(MINUTE);
    assert!(!fixture.app.is_confirmed(&caller));
    assert!(!goes_on(&fixture, &secret).await, "what is over is not prolonged");
}

#[tokio::test]
async fn what_is_done_prolongs_it_up_to_eight_hours_and_looking_on_does_not() {
    let (fixture, secret) = signed_in().await;
    for _ in 0..34 {
        fixture.clock.advance(MINUTE * 14);
        assert!(goes_on(&fixture, &secret).await);
    }
    fixture.clock.advance(MINUTE * 4);
    assert!(!goes_on(&fixture, &secret).await, "eight hours");
    let caller = again(&fixture, &secret).await;
    fixture.app.confirm(&caller, &password(PASSWORD)).await.unwrap();
    let mut watching = again(&fixture, &secret).await;
    for minute in 0..15 {
        assert!(
            fixture.app.keep_confirmed(&mut watching, true).await.unwrap(),
            "{minute}"
        );
        assert!(fixture.app.recognise_again(&watching).await.unwrap().is_some());
        fixture.clock.advance(MINUTE);
    }
    assert!(
        fixture.app.recognise_again(&watching).await.unwrap().is_none(),
        "an open page is told no more"
    );
    let elsewhere = again(&fixture, &secret).await;
    assert!(
        fixture.app.recognise_again(&elsewhere).await.unwrap().is_some(),
        "the session goes on"
    );
}

#[tokio::test]
async fn a_wrong_password_confirms_nothing_and_guesses_are_braked() {
    let (fixture, secret) = signed_in().await;
    fixture.clock.advance(MINUTE * 20);
    let caller = again(&fixture, &secret).await;
    for number in 0..10 {
        let refused = fixture
            .app
            .confirm(&caller, &password(&format!("wrong guess {number}")))
            .await;
        assert!(
            matches!(&refused, Err(AppError::Invalid(text)) if text == NOT_RIGHT),
            "{refused:?}"
        );
    }
    let braked = fixture.app.confirm(&caller, &password(PASSWORD)).await;
    assert!(matches!(braked, Err(AppError::Braked { .. })), "{braked:?}");
    assert!(!goes_on(&fixture, &secret).await);
    fixture.clock.advance(MINUTE * 16);
    let caller = again(&fixture, &secret).await;
    fixture.app.confirm(&caller, &password(PASSWORD)).await.unwrap();
    assert!(goes_on(&fixture, &secret).await);
}

#[tokio::test]
async fn another_session_and_another_credential_are_not_confirmed_by_it() {
    let (fixture, secret) = signed_in().await;
    let app = &fixture.app;
    let other = app
        .open_web_session("ada".to_owned(), password(PASSWORD), true, &Client::default())
        .await
        .unwrap();
    fixture.clock.advance(MINUTE * 20);
    let caller = again(&fixture, &secret).await;
    app.confirm(&caller, &password(PASSWORD)).await.unwrap();
    assert!(goes_on(&fixture, &secret).await);
    assert!(!goes_on(&fixture, &other.secret).await);
    let nobody = app
        .recognise(&Credential::Anonymous, Client::default())
        .await
        .unwrap();
    assert!(!app.is_confirmed(&nobody));
}
