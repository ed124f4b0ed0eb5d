//! How a client brings blobs.

use bytes::Bytes;
use http::Method;

use super::client::{Client, blob};
use super::ledger::Ledger;
use super::service::Access;
use super::session::{Content, Session, Trouble, expect};

impl Client {
    /// A session that is gone, from the beginning.
    pub(super) async fn push_again(
        &mut self,
        session: &Session,
        access: &Access,
        ledger: &Ledger,
    ) -> Result<(), String> {
        let content = session.content().clone();
        match self.post(access, 0, session.repository(), &content, ledger).await {
            Ok(()) => Ok(()),
            Err(Trouble::Cut) => Err("no answer".to_owned()),
            Err(Trouble::Refused(what)) => Err(what),
        }
    }

    pub(super) async fn post(
        &mut self,
        access: &Access,
        server: usize,
        repository: &str,
        content: &Content,
        ledger: &Ledger,
    ) -> Result<(), Trouble> {
        let change = [blob(repository, content)];
        let path = format!("/v2/{repository}/blobs/uploads/?digest={}", content.digest);
        let headers = [("content-type", "application/octet-stream")];
        ledger.intend(&change);
        let answer = access
            .send(server, Method::POST, &path, &headers, content.bytes())
            .await;
        expect(answer, 201)?;
        ledger.acknowledge("blobs", &change);
        self.keep(repository, content);
        Ok(())
    }

    pub(super) async fn push_at_once(
        &mut self,
        access: &Access,
        server: usize,
        ledger: &Ledger,
    ) -> Result<(String, Content), Trouble> {
        let repository = self.repository();
        let length = self.length();
        let content = Content::new(&mut self.random, length);
        self.post(access, server, &repository, &content, ledger).await?;
        Ok((repository, content))
    }

    pub(super) async fn push_in_session(
        &mut self,
        access: &Access,
        server: usize,
        ledger: &Ledger,
    ) -> Result<(), Trouble> {
        let repository = self.repository();
        let length = self.length();
        let content = Content::new(&mut self.random, length);
        let session = Session::begin(access, server, &repository, content).await?;
        self.continue_session(session, access, server, ledger).await
    }

    /// Goes on with a session to its end. When that fails it waits to be resumed.
    pub(super) async fn continue_session(
        &mut self,
        mut session: Session,
        access: &Access,
        server: usize,
        ledger: &Ledger,
    ) -> Result<(), Trouble> {
        let length = session.content().length;
        let pieces = 1 + usize::try_from(self.random.below(4)).unwrap_or_default();
        let chunk = (length / pieces).max(2);
        let outcome = loop {
            match session.go_on(access, server, ledger, chunk).await {
                Ok(false) => {}
                Ok(true) => {
                    self.keep(session.repository(), session.content());
                    return Ok(());
                }
                Err(trouble) => break trouble,
            }
        };
        // With several servers the next request comes at once, so the state is asked for here.
        if access.servers() > 1 && matches!(outcome, Trouble::Cut) {
            if let Ok(true) = session.find(access, server + 1, true).await {
                self.sessions.push(session);
            }
        } else if matches!(outcome, Trouble::Cut) {
            self.sessions.push(session);
        }
        Err(outcome)
    }

    pub(super) async fn mount(
        &mut self,
        access: &Access,
        server: usize,
        ledger: &Ledger,
    ) -> Result<(), Trouble> {
        let Some((from, content)) = self.choose_loose(ledger) else {
            return Ok(());
        };
        let Some(to) = self.repositories.iter().find(|to| **to != from).cloned() else {
            return Ok(());
        };
        let change = [blob(&to, &content)];
        let path = format!("/v2/{to}/blobs/uploads/?mount={}&from={from}", content.digest);
        ledger.intend(&change);
        let answer = access.send(server, Method::POST, &path, &[], Bytes::new()).await;
        expect(answer, 201)?;
        ledger.acknowledge("mounts", &change);
        self.keep(&to, &content);
        Ok(())
    }
}
