//! `portolan keys …`: the keys that registry tokens are signed with.

use std::fmt::Write as _;

use index_service::App;
use index_service::app::audit::{By, rfc3339};
use index_service::app::key::ShownKey;

use crate::cli::{Keys, Place};
use crate::data::read_master_key;
use crate::place;

/// Does one of the commands. `variables` are the environment's.
#[expect(clippy::print_stdout, reason = "what was asked for goes to standard output")]
pub(crate) async fn run(command: Keys, variables: Vec<(String, String)>) -> anyhow::Result<()> {
    let (Keys::List { place, .. }
    | Keys::Rotate { place }
    | Keys::Revoke { place, .. }
    | Keys::Encrypt { place, .. }
    | Keys::Export { place, .. }) = &command;
    let app = place::open(place, variables).await?;
    let said = carry_out(&app, &command, place).await;
    app.close().await;
    print!("{}", said?);
    Ok(())
}

async fn carry_out(app: &App, command: &Keys, place: &Place) -> anyhow::Result<String> {
    Ok(match command {
        Keys::List { json, .. } => {
            let keys = app.list_keys(By::Machine).await?;
            if *json { as_json(&keys) } else { as_table(&keys) }
        }
        Keys::Rotate { .. } => {
            let from = app.rotate_keys(By::Machine).await?;
            format!("the next key signs from {} on\n", rfc3339(from))
        }
        Keys::Revoke { authority, .. } => {
            let count = app.revoke_keys(By::Machine, *authority).await?;
            let mut said =
                format!("{count} keys are ended; registries refuse their tokens within a minute\n");
            if *authority {
                said +=
                    "registries with `rootcertbundle` need the new certificate: portolan keys export --pem\n";
            }
            said
        }
        Keys::Encrypt {
            new_master_key_file, ..
        } => {
            let new = read_master_key(new_master_key_file)?;
            let count = app.encrypt_keys(&new).await?;
            let option = match place.config {
                Some(_) => "master_key_file",
                None => "--master-key-file",
            };
            format!(
                "{count} private keys are encrypted with the master key {}; start every index with {option} {} from now on\n",
                new.id(),
                new_master_key_file.display()
            )
        }
        Keys::Export { jwks: true, .. } => app.jwks() + "\n",
        Keys::Export { .. } => app.authority_pem(),
    })
}

fn as_table(keys: &[ShownKey]) -> String {
    let mut table = format!(
        "{:<43}  {:<8} {:<24} {:<24} {:<24} {}\n",
        "KEY", "STATE", "PUBLISHED", "SIGNS FROM", "WITHDRAWN", "ENCRYPTED WITH"
    );
    for key in keys {
        let time = |ms: Option<i64>| ms.map_or_else(|| "-".to_owned(), rfc3339);
        let facts = &key.facts;
        // Writing to a string cannot fail.
        let _ = writeln!(
            table,
            "{:<43}  {:<8} {:<24} {:<24} {:<24} {}",
            facts.key_id,
            facts.state.as_str(),
            rfc3339(facts.created_at),
            time(key.signs_from.or(facts.activated_at)),
            time(facts.withdraw_at),
            key.encrypted_with.as_deref().unwrap_or("-"),
        );
    }
    table
}

fn as_json(keys: &[ShownKey]) -> String {
    let items: Vec<_> = keys
        .iter()
        .map(|key| {
            let facts = &key.facts;
            serde_json::json!({
                "id": facts.key_id,
                "state": facts.state.as_str(),
                "published_at": rfc3339(facts.created_at),
                "signs_from": key.signs_from.or(facts.activated_at).map(rfc3339),
                "withdrawn_at": facts.withdraw_at.map(rfc3339),
                "encrypted_with": key.encrypted_with,
            })
        })
        .collect();
    serde_json::Value::from(items).to_string() + "\n"
}
