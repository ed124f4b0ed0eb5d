//! Changes of accounts, made by commands on the data folder, while their calls fail.

use std::path::Path;

use anyhow::{Result, ensure};
use harness::binaries;
use harness::command::Finished;
use harness::server::{Account, Server};

use super::script::Ground;
use super::trial::{ask, lost_sync};
use crate::fault::{Errno, Fault, Kinds};
use crate::{Run, Verdict};

/// A command that changes an account.
#[derive(Debug, Clone, Copy)]
enum Change {
    Add,
    ResetPassword,
    CreateToken,
}

const CHANGES: [Change; 3] = [Change::Add, Change::ResetPassword, Change::CreateToken];

/// What the commands are run with.
struct Desk<'a> {
    run: &'a Run<'a>,
    fault: Fault,
    data: &'a Path,
    ground: Ground,
}

impl Desk<'_> {
    fn type_in(&self, words: &[&str], stdin: &str) -> Result<Finished> {
        let launcher = self.fault.launcher();
        let line = self.run.journey.command(&launcher[0]).args(&launcher[1..]);
        let line = line.arg(binaries::path_of("portolan")?).args(words);
        line.arg("--data").arg(self.data).stdin(stdin).run()
    }

    fn change(&self, change: Change, account: &Account) -> Result<Finished> {
        let name = account.name.as_str();
        match change {
            Change::Add => self.type_in(&["user", "add", name, "--password-stdin"], &account.password),
            Change::ResetPassword => self.type_in(
                &["user", "reset-password", name, "--password-stdin"],
                &account.password,
            ),
            Change::CreateToken => self.type_in(&["token", "create", name, "--name", "tried"], ""),
        }
    }

    fn status(&self, account: &Account) -> Result<u16> {
        Ok(ask(self.ground.http(), &self.ground.login(account, ""))?.status)
    }
}

pub(super) fn run(run: &mut Run<'_>, server: &Server, data: &Path, verdict: &mut Verdict) -> Result<()> {
    let mut random = run.random.fork();
    let sample = run.choose(2, usize::MAX);
    let (mut trials, mut faults) = (0, 0);
    let desk = Desk {
        fault: Fault::prepare(run.journey, "fault-of-commands", data)?,
        ground: Ground::prepare(server)?,
        run,
        data,
    };
    let mut number = 0;
    for change in CHANGES {
        let errors = [(Kinds::ALL, Errno::Io), (Kinds::SPACE, Errno::NoSpace)];
        for (kinds, error) in errors {
            desk.fault.off()?;
            number += 1;
            let account = prepared(&desk, change, number)?;
            desk.fault.watch(kinds)?;
            let without_fault = desk.change(change, &account)?;
            let count = desk.fault.count()?;
            ensure!(without_fault.code == Some(0), "{without_fault}");
            for index in 0..sample.min(usize::try_from(count)?) {
                number += 1;
                let nth = if sample < usize::MAX {
                    1 + random.below(count)
                } else {
                    index as u64 + 1
                };
                trials += 1;
                faults += tried(&desk, change, number, kinds, error, nth, verdict)?;
            }
        }
    }
    verdict.figure("trials_of_commands", trials);
    verdict.figure("faults_in_commands", faults);
    Ok(())
}

/// The account that a change needs before it, with what it will be given.
fn prepared(desk: &Desk<'_>, change: Change, number: usize) -> Result<Account> {
    let account = |password: &str| Account {
        name: format!("person{number}"),
        password: format!("{password} of person {number}"),
    };
    if !matches!(change, Change::Add) {
        let added = desk.change(Change::Add, &account("the first password"))?;
        ensure!(added.code == Some(0), "{added}");
    }
    Ok(account("the new password"))
}

fn tried(
    desk: &Desk<'_>,
    change: Change,
    number: usize,
    kinds: Kinds,
    error: Errno,
    nth: u64,
    verdict: &mut Verdict,
) -> Result<u64> {
    let position = format!("{change:?}, call {nth}, {error:?}");
    let account = prepared(desk, change, number)?;
    let former = Account {
        password: account.password.replace("the new", "the first"),
        ..account.clone()
    };
    let mut refresh_token = None;
    if matches!(change, Change::ResetPassword) {
        let login = ask(desk.ground.http(), &desk.ground.login(&former, ""))?.json();
        refresh_token = login["refresh_token"].as_str().map(str::to_owned);
    }
    desk.fault.fail_nth(kinds, nth, error)?;
    let mut finished = desk.change(change, &account)?;
    let fired = desk.fault.failed()?;
    let failed: Vec<_> = desk
        .fault
        .calls()?
        .into_iter()
        .filter(|call| call.failed)
        .collect();
    let mut violation = |what: &str| {
        let calls: Vec<_> = failed
            .iter()
            .map(|call| format!("{} {}", call.kind, call.path.display()))
            .collect();
        verdict.violation(format!("{position} (failed: {}): {what}", calls.join(", ")));
    };
    desk.fault.off()?;
    if finished.code == Some(0) {
        if failed.iter().any(lost_sync) {
            violation("it was acknowledged though a sync failed");
        }
    } else {
        if finished.code != Some(1) || !finished.stderr.starts_with("portolan: ") {
            violation(&format!("not a clear error: {finished}"));
        }
        finished = desk.change(change, &account)?;
        // A command that failed after its change was stored has been carried out.
        let carried_out = matches!(change, Change::Add) && finished.stderr.contains("exists already");
        if finished.code != Some(0) && !carried_out {
            violation(&format!("the next attempt failed too: {finished}"));
            return Ok(fired);
        }
    }
    let expected = match change {
        Change::CreateToken => Account {
            password: finished.stdout.trim().to_owned(),
            ..account
        },
        Change::Add | Change::ResetPassword => account,
    };
    let status = desk.status(&expected)?;
    if status != 200 {
        violation(&format!("it was acknowledged and does not work: {status}"));
    }
    if matches!(change, Change::ResetPassword) {
        if desk.status(&former)? != 401 {
            violation("the former password still works");
        }
        let refresh = desk.ground.refresh(&refresh_token.unwrap_or_default());
        if ask(desk.ground.http(), &refresh)?.status == 200 {
            violation("a device of the former password is still let in");
        }
    }
    Ok(fired)
}
