//! What a client takes away.

use bytes::Bytes;
use http::Method;

use super::client::{Client, TAGS};
use super::image::Image;
use super::ledger::{Change, Key, Ledger};
use super::service::Access;
use super::session::{Content, Session, Trouble, expect};

impl Client {
    pub(super) async fn delete_tag(
        &mut self,
        access: &Access,
        server: usize,
        ledger: &Ledger,
    ) -> Result<(), Trouble> {
        let (repository, tag) = (self.repository(), self.tag());
        let key = Key::Tag(repository.clone(), tag.clone());
        if !matches!(ledger.certain(&key), Some(Some(_))) {
            return Ok(());
        }
        let path = format!("/v2/{repository}/manifests/{tag}");
        self.delete(access, server, ledger, &path, &[(key, None)]).await
    }

    pub(super) async fn delete_manifest(
        &mut self,
        access: &Access,
        server: usize,
        ledger: &Ledger,
    ) -> Result<(), Trouble> {
        let Some(image) = self.pick_from(&self.images.clone()) else {
            return Ok(());
        };
        let Image {
            repository, digest, ..
        } = image;
        let key = Key::Manifest(repository.clone(), digest.clone());
        if !matches!(ledger.certain(&key), Some(Some(_))) {
            return Ok(());
        }
        let mut changes = vec![(key, None)];
        // Its tags go with it.
        for number in 0..TAGS {
            let key = Key::Tag(repository.clone(), self.tag_named(number));
            match ledger.certain(&key) {
                None => return Ok(()),
                Some(Some(pointed)) if pointed == digest => changes.push((key, None)),
                Some(_) => {}
            }
        }
        let path = format!("/v2/{repository}/manifests/{digest}");
        self.delete(access, server, ledger, &path, &changes).await
    }

    pub(super) async fn delete_blob(
        &mut self,
        access: &Access,
        server: usize,
        ledger: &Ledger,
    ) -> Result<(), Trouble> {
        let Some((repository, content)) = self.choose_loose(ledger) else {
            return Ok(());
        };
        let key = Key::Blob(repository.clone(), content.digest.clone());
        let path = format!("/v2/{repository}/blobs/{}", content.digest);
        self.delete(access, server, ledger, &path, &[(key, None)]).await
    }

    pub(super) async fn delete(
        &self,
        access: &Access,
        server: usize,
        ledger: &Ledger,
        path: &str,
        changes: &[Change],
    ) -> Result<(), Trouble> {
        ledger.intend(changes);
        let answer = access.send(server, Method::DELETE, path, &[], Bytes::new()).await;
        expect(answer, 202)?;
        ledger.acknowledge("deletes", changes);
        Ok(())
    }

    pub(super) async fn cancel(
        &mut self,
        access: &Access,
        server: usize,
        ledger: &Ledger,
    ) -> Result<(), Trouble> {
        let content = Content::new(&mut self.random, 1000);
        let repository = self.repository();
        let mut session = Session::begin(access, server, &repository, content).await?;
        session.cancel(access, server, ledger).await
    }
}
