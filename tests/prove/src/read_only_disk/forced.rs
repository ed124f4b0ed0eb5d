//! `portolan up` on a file system that the kernel has made read-only because of a fault: files stay open for writing, and
//! nothing can be written to them. The index cannot write either.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;

use anyhow::{Context as _, Result};
use bytes::Bytes;
use harness::api::Answer;
use harness::server::{Account, Options, Server};
use http::Method;

use super::refused;
use crate::fault::{Errno, Fault, Kinds};
use crate::image::Image;
use crate::{Run, Verdict};

pub(super) fn run(run: &mut Run<'_>, verdict: &mut Verdict) -> Result<()> {
    let data = run.journey.subfolder("faulty")?;
    std::fs::set_permissions(&data, Permissions::from_mode(0o700))?;
    let fault = Fault::prepare(run.journey, "fault", &data)?;
    let options = Options {
        launcher: fault.launcher(),
        data: Some(data),
        ..Options::default()
    };
    let server = Server::own(run.journey, options)?;
    let admin = server.admin()?;
    let kept = Image::push(
        &server.api(&admin)?,
        "admin/kept",
        "latest",
        &mut run.random,
        &[1 << 20, 40_000],
    )?;
    let secret = server.administer(run.journey, &["token", "create", "admin", "--name", "prove"], "")?;
    let robot = Account {
        password: secret.trim().to_owned(),
        ..admin.clone()
    };
    let logged_in = device(&server, &admin)?.expect(200)?.json()?;
    let refresh_token = logged_in["refresh_token"].as_str().context("no refresh token")?;
    for round in 0..run.choose(2, 40) {
        run.progress(&format!("made read-only by the kernel, round {round}"));
        fault.fail_all(Kinds::CHANGES, Errno::ReadOnly)?;
        for account in [&admin, &robot] {
            // A caller of its own: each logs in.
            let pulled = kept.pull(&server.api(account)?);
            verdict.count("pulls_with_a_login", 1);
            verdict.require(pulled.is_ok(), || format!("a pull with a login: {pulled:?}"));
        }
        let refreshed = refresh(&server, refresh_token)?;
        verdict.require(refreshed.status == 200, || {
            format!("a device is not let in: {refreshed}")
        });
        refused(&device(&server, &admin)?, verdict);
        let api = server.api(&admin)?;
        let begun = api.send(Method::POST, "/v2/admin/kept/blobs/uploads/", &[], Bytes::new())?;
        refused(&begun, verdict);
        let deleted = api.delete("/v2/admin/kept/manifests/latest")?;
        refused(&deleted, verdict);
        let live = api.get("/livez")?.status;
        verdict.require(live == 200, || format!("/livez says {live}"));
        fault.off()?;
        let pushed = Image::push(
            &api,
            "admin/kept",
            &format!("v{round}"),
            &mut run.random,
            &[3_000],
        );
        verdict.require(pushed.is_ok(), || {
            format!("a push once writing works again: {pushed:?}")
        });
        let logged_in = device(&server, &admin)?;
        verdict.require(logged_in.status == 200, || {
            format!("a login once writing works again: {logged_in}")
        });
        verdict.count("rounds_of_the_kernel", 1);
    }
    Ok(())
}

/// Logs in as a new device: the index has to write that down.
fn device(server: &Server, account: &Account) -> Result<Answer> {
    let path = format!(
        "/token?service={}&client_id=prove&offline_token=true",
        server.host()
    );
    let headers = [("authorization", account.basic())];
    let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
    server
        .anonymous()?
        .send(Method::GET, &path, &headers, Bytes::new())
}

fn refresh(server: &Server, refresh_token: &str) -> Result<Answer> {
    let form = format!(
        "grant_type=refresh_token&client_id=prove&service={}&refresh_token={refresh_token}",
        server.host()
    );
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    server
        .anonymous()?
        .send(Method::POST, "/token", &headers, form.into())
}
