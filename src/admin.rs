//! Administration of a data folder, while its server runs or not.

use std::sync::Arc;

use anyhow::Context as _;
use index_service::App;
use index_service::app::access_token::AccessTokenWish;
use index_service::domain::{Username, Visibility};
use shared::oci::RepositoryName;
use shared::secret::Secret;

use crate::address::PublicUrl;
use crate::assembly::{self, Sources};
use crate::cli::{Data, Repo, Token, User};
use crate::data::DataFolder;
use crate::index_options::IndexOptions;
use crate::password;
use crate::remote::{credential, repository};

/// The use cases over a folder that a first start has made.
pub(crate) async fn open(data: &Data) -> anyhow::Result<Arc<App>> {
    let folder = DataFolder::find(&data.dir)?.with_master_key(data.master_key_file.as_deref());
    // Administration hands out no tokens of the Docker flow, so the URL is of no matter.
    let url = PublicUrl::choose(None, ([127, 0, 0, 1], 5000).into(), false)?;
    assembly::index(&folder, &url, &IndexOptions::default(), &Sources::system()).await
}

/// `portolan user …`
pub(crate) async fn user(command: User) -> anyhow::Result<()> {
    if let User::ResetPassword {
        name,
        link: true,
        public_url,
        data,
        ..
    } = &command
    {
        return reset_link(name, public_url.as_deref(), data).await;
    }
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

#[expect(clippy::print_stdout, reason = "the link is what was asked for, shown once")]
async fn reset_link(name: &str, public_url: Option<&str>, data: &Data) -> anyhow::Result<()> {
    let url = PublicUrl::choose(public_url, ([127, 0, 0, 1], 5000).into(), false)?;
    let app = open(data).await?;
    let reset = app
        .create_password_reset_here(name)
        .await
        .with_context(|| format!("a link for {name}"))?;
    app.close().await;
    println!("{}", reset.link(&url.to_string()).expose());
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
        Repo::Through(command) => return repository::run(command).await,
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
    let (user, label, limits, target) = match command {
        Token::List { target } => return credential::list_tokens(&target).await,
        Token::Rotate { id, overlap, target } => {
            return credential::rotate_token(&id, overlap, &target).await;
        }
        Token::Revoke { id, target } => return credential::revoke_token(&id, &target).await,
        Token::Create {
            user,
            label,
            limits,
            target,
        } => (user, label, limits, target),
    };
    let Some(user) = user.filter(|_| target.server.is_none()) else {
        return credential::create_token(&label, &limits, &target).await;
    };
    let username: Username = user.parse().with_context(|| format!("the user name {user:?}"))?;
    let wish = AccessTokenWish {
        label: label.parse().with_context(|| format!("the label {label:?}"))?,
        ceiling: limits.ceiling()?,
        life_days: limits.days(),
        networks: limits.networks()?,
    };
    let app = open(&target.data).await?;
    let secret = app
        .create_access_token(&username, &wish)
        .await
        .with_context(|| format!("a token for {user}"))?;
    app.close().await;
    println!("{}", secret.expose());
    Ok(())
}
