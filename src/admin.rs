//! Administration of a data folder, while its server runs or not.

use std::sync::Arc;

use anyhow::Context as _;
use index_service::App;
use index_service::app::access_token::AccessTokenWish;
use index_service::domain::{Username, Visibility};
use shared::oci::RepositoryName;
use shared::secret::Secret;
use shared::token::{Action, Actions};

use crate::address::PublicUrl;
use crate::assembly::{self, Sources};
use crate::cli::{Data, Repo, Token, User};
use crate::data::DataFolder;
use crate::password;

/// The use cases over a folder that a first start has made.
async fn open(data: &Data) -> anyhow::Result<Arc<App>> {
    let folder = DataFolder::find(&data.dir)?;
    // Administration hands out no tokens of the Docker flow, so the URL is of no matter.
    let url = PublicUrl::choose(None, ([127, 0, 0, 1], 5000).into(), false)?;
    assembly::index(&folder, &url, &[], &Sources::system()).await
}

/// `portolan user …`
pub(crate) async fn user(command: User) -> anyhow::Result<()> {
    let (User::Add {
        password_stdin, data, ..
    }
    | User::ResetPassword {
        password_stdin, data, ..
    }) = &command;
    let app = open(data).await?;
    let (password, made) = choose_password(&app, *password_stdin)?;
    match &command {
        User::Add { name, .. } => {
            app.create_account(name, password.clone())
                .await
                .with_context(|| format!("making the account {name}"))?;
        }
        User::ResetPassword { name, .. } => {
            app.reset_password(name, password.clone())
                .await
                .with_context(|| format!("the password of {name}"))?;
        }
    }
    app.close().await;
    show(made, &password);
    Ok(())
}

/// The password, and whether it was made here.
fn choose_password(app: &App, stdin: bool) -> anyhow::Result<(Secret<String>, bool)> {
    if stdin {
        Ok((password::read()?, false))
    } else {
        Ok((app.random_password(), true))
    }
}

#[expect(
    clippy::print_stdout,
    reason = "a password made here is shown once, to whoever asked for it"
)]
fn show(made: bool, password: &Secret<String>) {
    if made {
        println!("{}", password.expose());
    }
}

/// `portolan repo …`
pub(crate) async fn repo(command: Repo) -> anyhow::Result<()> {
    let (name, data, visibility) = match command {
        Repo::SetPublic { name, data } => (name, data, Visibility::Public),
        Repo::SetPrivate { name, data } => (name, data, Visibility::Private),
    };
    let app = open(&data).await?;
    let name: RepositoryName = name
        .parse()
        .with_context(|| format!("the repository name {name:?}"))?;
    app.set_visibility(&name, visibility)
        .await
        .with_context(|| format!("the repository {name}"))?;
    app.close().await;
    Ok(())
}

/// `portolan token …`
#[expect(clippy::print_stdout, reason = "the secret is what was asked for, shown once")]
pub(crate) async fn token(command: Token) -> anyhow::Result<()> {
    let Token::Create {
        user,
        label,
        expires,
        repositories,
        actions,
        data,
    } = command;
    let username: Username = user.parse().with_context(|| format!("the user name {user:?}"))?;
    let wish = AccessTokenWish {
        label: label.parse().with_context(|| format!("the label {label:?}"))?,
        actions: parse_actions(&actions)?,
        pattern: repositories
            .parse()
            .with_context(|| format!("the pattern {repositories:?}"))?,
        life_days: expires,
    };
    let app = open(&data).await?;
    let secret = app
        .create_access_token(&username, &wish)
        .await
        .with_context(|| format!("a token for {user}"))?;
    app.close().await;
    println!("{}", secret.expose());
    Ok(())
}

fn parse_actions(words: &[String]) -> anyhow::Result<Actions> {
    let action = |word: &String| match Action::find(word) {
        Some(action @ (Action::Pull | Action::Push | Action::Delete | Action::All)) => Ok(action),
        _ => anyhow::bail!("{word:?} is not one of pull, push, delete and *"),
    };
    words.iter().map(action).collect()
}
