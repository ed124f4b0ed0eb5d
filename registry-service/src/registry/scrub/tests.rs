use super::*;
use crate::registry::testing::{Ground, image, name, on_each_storage, tag};
use shared::oci::{Algorithm, Reference};

/// What was told beside progress, line by line, and what came of it.
async fn scrub(ground: &Ground, quarantine: bool) -> (Vec<String>, Report) {
    let mut lines = Vec::new();
    let mut tell = |finding: Finding<'_>| {
        if !matches!(finding, Finding::Verified { .. }) {
            lines.push(finding.to_string());
        }
    };
    let report = ground.registry.scrub(quarantine, &mut tell).await.unwrap();
    (lines, report)
}

on_each_storage! {
    async fn of_what_is_sound_everything_is_counted_and_nothing_told(ground: &Ground) {
        let app = name("team/app");
        ground.push(&app, "one", &["1", "2"]).await;
        ground.push(&name("other"), "one", &[]).await;
        let (lines, report) = scrub(ground, true).await;
        assert_eq!(lines, Vec::<String>::new());
        // Three contents; of each repository two blobs and a manifest; two tags with a history of one.
        assert_eq!((report.contents, report.repositories, report.links), (3, 2, 10));
        assert_eq!((report.damages, report.scars, report.quarantined), (0, 0, 0));
    }

    async fn corrupt_content_is_told_with_everybody_who_needs_it(ground: &Ground) {
        let app = name("app");
        let manifest = ground.push(&app, "layer", &["latest"]).await;
        let layer = Digest::of(Algorithm::Sha256, b"layer");
        let other = Digest::of(Algorithm::Sha256, b"lazer");
        ground.write(&layout::content(&layer), &b"lazer"[..]).await;
        let (lines, report) = scrub(ground, false).await;
        assert_eq!(lines, [
            format!("{layer}: corrupt: its 5 bytes have the digest {other}"),
            format!("app: blob {layer} is lost; push an image with it again"),
            format!("app: manifest {manifest} needs {layer}, which is lost; push the image again"),
        ]);
        assert_eq!((report.damages, report.quarantined), (3, 0));
        assert!(ground.exists(&layout::content(&layer)).await, "nothing is changed");
    }

    async fn content_in_quarantine_is_absent_until_it_is_pushed_again(ground: &Ground) {
        let app = name("app");
        ground.push(&app, "layer", &["latest"]).await;
        let layer = Digest::of(Algorithm::Sha256, b"layer");
        ground.write(&layout::content(&layer), &b"lay"[..]).await;
        let (lines, report) = scrub(ground, true).await;
        assert_eq!(report.quarantined, 1);
        let place = format!("portolan/quarantine/sha256/{}", layer.hex());
        assert!(lines.contains(&format!("{layer}: moved to {place}")), "{lines:?}");
        assert!(ground.replica().stat_blob(&app, &layer).await.is_err());
        assert!(ground.exists(&layout::quarantine(&layer)).await);
        ground.push(&app, "layer", &["latest"]).await;
        assert_eq!(ground.content(&app, &layer).await.unwrap(), b"layer");
        let (lines, report) = scrub(ground, true).await;
        assert_eq!((lines, report.damages), (Vec::new(), 0));
    }

    async fn lost_manifests_dangling_tags_and_what_is_no_manifest_are_damage(ground: &Ground) {
        let app = name("app");
        let lost = ground.push(&app, "lost", &[]).await;
        ground.remove(&layout::content(&lost)).await;
        let dangling = ground.push(&app, "dangling", &["points"]).await;
        ground.remove(&layout::revision(&app, &dangling)).await;
        let text = ground.put_blob(&app, b"no manifest").await;
        ground.write(&layout::revision_link(&app, &text), layout::link(&text)).await;
        let (mut lines, report) = scrub(ground, true).await;
        lines.sort();
        let mut expected = [
            format!("app: manifest {lost} is lost; push it again or delete it"),
            format!("app: tag points points to {dangling}, which the repository does not hold"),
            format!("app: {text} is held as a manifest and is none"),
        ];
        expected.sort();
        assert_eq!(lines, expected);
        assert_eq!((report.damages, report.quarantined), (3, 0));
    }

    async fn what_the_old_binary_left_of_crashes_is_told_and_still_served(ground: &Ground) {
        let app = name("app");
        let kept = ground.push(&app, "kept", &["latest"]).await;
        let (config, layer) = (ground.put_blob(&app, b"{}").await, ground.put_blob(&app, b"partial").await);
        let partial = layout::layer_link(&app, &layer);
        ground.write(&partial, &b"sha256:12"[..]).await;
        let empty = layout::tag_current(&app, &tag("empty"));
        ground.write(&empty, &b""[..]).await;
        let history = layout::tag_index(&app, &tag("latest"), &config);
        ground.write(&history, layout::link(&layer)).await;
        // A tag without `current`, as a crash between the two links leaves it.
        ground.write(&layout::tag_index(&app, &tag("half"), &kept), layout::link(&kept)).await;
        let (mut lines, report) = scrub(ground, true).await;
        lines.sort();
        let mut expected = [
            format!("{partial}: empty or partial; it counts as absent"),
            format!("{empty}: empty or partial; it counts as absent"),
            format!("{history}: names {layer} instead"),
            "app: tag half points to nothing".to_owned(),
        ];
        expected.sort();
        assert_eq!(lines, expected);
        assert_eq!((report.damages, report.scars), (0, 4));
        let reference = Reference::Tag(tag("latest"));
        assert_eq!(ground.replica().get_manifest(&app, &reference).await.unwrap().digest, kept);
    }

    async fn an_image_whose_layer_another_repository_holds_alone_is_incomplete(ground: &Ground) {
        let app = name("app");
        let config = ground.put_blob(&app, b"{}").await;
        let layer = ground.put_blob(&name("other"), b"elsewhere").await;
        ground.write(&layout::layer_link(&app, &layer), layout::link(&layer)).await;
        let manifest = ground.put(&app, &image(&config, &layer, ""), &[]).await.unwrap();
        ground.remove(&layout::layer(&app, &layer)).await;
        let (lines, _) = scrub(ground, true).await;
        assert_eq!(lines, [format!("app: manifest {manifest} needs {layer}, which is lost; push the image again")]);
    }
}
