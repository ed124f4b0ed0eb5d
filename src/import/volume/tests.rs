use index_service::domain::WorkId;
use index_service::domain::work::{LongWork, WorkKind, WorkPhase, WorkState};
use tempfile::TempDir;

use super::*;
use crate::address::PublicUrl;
use crate::assembly::{self, Sources};
use crate::cli::Data;
use crate::index_options::IndexOptions;

/// An index in a data folder, with its administrator.
async fn index(folder: &TempDir) -> Arc<App> {
    let data = DataFolder::make(&folder.path().join("data")).unwrap();
    let url = PublicUrl::choose(None, ([127, 0, 0, 1], 5000).into(), false).unwrap();
    let app = assembly::index(&data, &url, &IndexOptions::default(), &Sources::system())
        .await
        .unwrap();
    app.ensure_admin().await.unwrap();
    app
}

fn command(folder: &TempDir, is_rehearsal: bool) -> Volume {
    let data = Data {
        dir: folder.path().join("data"),
        master_key_file: None,
    };
    Volume {
        folder: PathBuf::from("/srv/volume"),
        rules: Vec::new(),
        otherwise: None,
        operator: "admin".to_owned(),
        dry_run: is_rehearsal,
        json: true,
        place: Place { config: None, data },
    }
}

fn plans(rules: &[(&str, &str)]) -> Vec<Plan> {
    let plan = |(name, rule): &(&str, &str)| {
        let rule: Rule = rule.parse().unwrap();
        rule.plan(&name.parse().unwrap()).unwrap()
    };
    rules.iter().map(plan).collect()
}

async fn works(app: &Arc<App>) -> Vec<LongWork> {
    let admin = app.operator("admin").await.unwrap();
    let mut works = app
        .list_work(&admin, WorkId::from_i64(i64::MAX), 10)
        .await
        .unwrap();
    works.retain(|work| work.kind == WorkKind::Import);
    works
}

#[tokio::test]
async fn the_index_knows_how_far_adopting_went_and_how_it_ended() {
    let folder = tempfile::tempdir().unwrap();
    let app = index(&folder).await;
    let all = plans(&[
        ("old/app", "*=org:crew"),
        ("old/web", "*=org:crew"),
        ("other", "other=user:nobody"),
    ]);
    let (rows, fault) = carry_out(&app, &command(&folder, false), &all).await.unwrap();
    assert_eq!((rows.len(), rows[2]["result"].as_str()), (3, Some("refused")));
    assert_eq!(fault.as_deref(), Some("1 of 3 repositories were refused"));
    let known = works(&app).await;
    assert_eq!(known.len(), 1);
    let failed = &known[0];
    assert_eq!(
        (failed.state(failed.told_at), failed.progress.phase),
        (WorkState::Failed, WorkPhase::Adopting)
    );
    assert_eq!((failed.progress.done, failed.progress.total), (3, Some(3)));
    assert_eq!(
        (failed.subject.as_str(), failed.progress.message.as_str()),
        ("/srv/volume", "1 of 3 repositories were refused")
    );
    assert_eq!(failed.place, None);
    // Now that the organisation is there, it is what this is about.
    let (_, fault) = carry_out(&app, &command(&folder, true), &all[..2]).await.unwrap();
    assert_eq!(fault, None);
    let known = works(&app).await;
    let rehearsed = known.iter().find(|work| work.is_rehearsal).unwrap();
    assert_eq!(rehearsed.state(rehearsed.told_at), WorkState::Done);
    let (_, name) = rehearsed.place.clone().unwrap();
    assert_eq!(name.as_deref(), Some("crew"));
    app.close().await;
}

#[tokio::test]
async fn what_breaks_off_is_told_as_failed_with_its_reason() {
    let folder = tempfile::tempdir().unwrap();
    let app = index(&folder).await;
    let mut command = command(&folder, false);
    command.operator = "nobody".to_owned();
    let error = carry_out(&app, &command, &plans(&[("old/app", "*=org:crew")]))
        .await
        .unwrap_err();
    let known = works(&app).await;
    assert_eq!(known[0].state(known[0].told_at), WorkState::Failed);
    assert_eq!(known[0].progress.message, format!("{error:#}"));
    app.close().await;
}
