//! `portolan doctor`: a probe is pushed and pulled as a client would, through the public address, and each thing that is
//! commonly wrong is told apart from the others.

mod answer;
mod examination;
mod finding;
mod probe;
mod proxy;
mod token;

use anyhow::Context as _;

use crate::cli::Doctor;
use crate::password;
use examination::{Examination, Patient};

/// Examines, prints what was found, and fails when something is wrong.
#[expect(clippy::print_stdout, reason = "the findings are what was asked for")]
pub(crate) async fn run(command: &Doctor) -> anyhow::Result<()> {
    let secret = match &command.user {
        Some(_) => Some(password::read()?),
        None => None,
    };
    let account = command.user.clone().zip(secret);
    let repository = match (&command.repository, &command.user) {
        (Some(name), _) => name.clone(),
        (None, Some(user)) => format!("{}/portolan-doctor", home_of(user)),
        (None, None) => String::new(),
    };
    let mut client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(std::time::Duration::from_mins(2));
    if let Some(path) = &command.ca {
        let pem = std::fs::read(path).with_context(|| format!("reading {}", path.display()))?;
        for certificate in reqwest::Certificate::from_pem_bundle(&pem).context("reading the certificate")? {
            client = client.add_root_certificate(certificate);
        }
    }
    let patient = Patient {
        client: client.build().context("preparing requests")?,
        registry: command.registry.trim_end_matches('/').to_owned(),
        account,
        repository,
        size: usize::from(command.size) << 20,
    };
    let findings = Examination::of(&patient).await;
    if command.json {
        println!("{}", finding::as_json(&findings));
    } else {
        for finding in &findings {
            println!("{finding}");
        }
    }
    let wrong = findings.iter().filter(|finding| finding.is_wrong()).count();
    anyhow::ensure!(wrong == 0, "{}", finding::summary(wrong));
    Ok(())
}

/// The namespace that a user name pushes to: a robot's is that of its organisation.
fn home_of(user: &str) -> String {
    let user = user.split_once('+').map_or(user, |(owner, _)| owner);
    user.to_ascii_lowercase()
}
