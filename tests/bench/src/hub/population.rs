//! Content as the index knows it: one repository whose tags are looked at, among very many others. One text of SQL for both
//! databases.

/// How many there are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Population {
    /// Others, with ten tags each.
    pub(super) repositories: u64,
    /// Tags of the one that is looked at.
    pub(super) tags: u64,
}

/// Ids of what is made here begin here, out of the way of what the service made.
const FIRST: u64 = 1_000_000_000;
/// The repository that is looked at,
pub(super) const SEEN: u64 = 10;
/// and its name.
pub(super) const SEEN_NAME: &str = "admin/app";
/// When everything was made, in milliseconds since 1970.
const NOW: u64 = 1_700_000_000_000;
/// The same in days.
const TODAY: u64 = NOW / 86_400_000;
/// How often each tag was moved.
const MOVES: u64 = 20;
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// A digest of a kind and a number: as long as a real one.
fn digest(kind: u64, number: &str) -> String {
    format!(
        "'sha256:{}' || ({} + {number})",
        "0".repeat(64 - 13),
        1_000_000_000_000 + kind * 100_000_000_000
    )
}

impl Population {
    /// A share of 100,000 repositories.
    pub(super) fn of(scale: f64) -> Self {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a share of a small number"
        )]
        let repositories = (100_000.0 * scale) as u64;
        Self {
            repositories: repositories.max(100),
            tags: if scale < 0.01 { 50 } else { 1_000 },
        }
    }

    /// The statements that make everything; `series` is a table of one column `i` that counts from 0 to below a number.
    pub(super) fn statements(self, series: fn(u64) -> String) -> Vec<String> {
        let mut statements = Self::others(&series(self.repositories), &series(self.repositories * 10));
        statements.extend(self.seen(series));
        // No walk through all repositories at every start.
        statements.push(
            "insert into setting (key, value) values ('search_listed', '1') on conflict (key) do update set value = '1'"
                .to_owned(),
        );
        statements.push("analyze".to_owned());
        statements
    }

    /// Repositories with ten tags of one image.
    fn others(repositories: &str, tags: &str) -> Vec<String> {
        let of_repository = digest(0, "n.i");
        let of_tag = digest(0, "(n.i / 10)");
        vec![
            format!(
                "insert into repository (repository_id, namespace_id, name, stored_as, visibility, state, created_at, confirmed_at, \
                 tag_changed_at) select {FIRST} + n.i, (select namespace_id from namespace where name = 'library'), \
                 'library/r' || n.i, 'library/r' || n.i, 'public', 'active', {NOW}, {NOW}, {NOW} + n.i from {repositories}"
            ),
            format!(
                "insert into manifest (repository_id, digest, media_type, size, content_size, platform, read_at, layer_chain) \
                 select {FIRST} + n.i, {of_repository}, '{IMAGE}', 1000, 30000000, 'linux/amd64', {NOW}, 'c' || n.i \
                 from {repositories}"
            ),
            format!(
                "insert into tag (repository_id, name, digest, updated_at) select {FIRST} + n.i / 10, 'v' || (n.i % 10), {of_tag}, \
                 {NOW} + n.i from {tags}"
            ),
            format!(
                "insert into tag_change (repository_id, sequence, tag, digest_before, digest_after, changed_at, changed_by, client) \
                 select {FIRST} + n.i / 10, n.i % 10 + 1, 'v' || (n.i % 10), null, {of_tag}, {NOW} + n.i, 'admin', 'docker' \
                 from {tags}"
            ),
            format!(
                "insert into content_feed (repository_id, version, changes, recent_events, received_at) select {FIRST} + n.i, 1, 10, \
                 '', {NOW} from {repositories}"
            ),
            format!(
                "insert into content_total (repository_id, dimension, value, pull_count, push_count, last_pulled_at, \
                 last_pushed_at, last_pushed_by) select {FIRST} + n.i / 10, 'tag', 'v' || (n.i % 10), n.i % 1000, 1, {NOW}, {NOW}, \
                 'admin' from {tags}"
            ),
        ]
    }

    /// The one that is looked at: tags of indexes of three images with ten layers each, five of which all images share.
    fn seen(self, series: fn(u64) -> String) -> Vec<String> {
        let (tags, images) = (series(self.tags), series(self.tags * 3));
        let layers = series(self.tags * 30);
        let (index, image, config) = (digest(1, "n.i"), digest(2, "n.i"), digest(3, "n.i"));
        let (child, of_image) = (digest(1, "(n.i / 3)"), digest(2, "(n.i / 10)"));
        let layer = digest(4, "(case when n.i % 10 < 5 then n.i % 10 else 100 + n.i end)");
        let blobs = |what: &str, size: u64, uses: u64, from: &str| {
            format!(
                "insert into repository_blob (repository_id, digest, size, use_count) select {SEEN}, {what}, {size}, {uses} from {from}"
            )
        };
        let platform = "case when n.i % 3 = 0 then 'linux/amd64' when n.i % 3 = 1 then 'linux/arm64/v8' else 'linux/arm/v7' end";
        let moved = |n: &str| digest(1, &format!("(({n}) % {})", self.tags));
        vec![
            format!(
                "insert into repository (repository_id, namespace_id, name, stored_as, visibility, state, created_at, confirmed_at, \
                 tag_changed_at) select {SEEN}, namespace_id, '{SEEN_NAME}', '{SEEN_NAME}', 'public', 'active', {NOW}, {NOW}, {NOW} \
                 from namespace where name = 'admin'"
            ),
            format!(
                "insert into manifest (repository_id, digest, media_type, size, read_at, layer_chain) select {SEEN}, {index}, '{INDEX}', 900, \
                 {NOW}, 'i' || n.i from {tags}"
            ),
            format!(
                "insert into manifest (repository_id, digest, media_type, size, content_size, platform, config, read_at, \
                 layer_chain) select {SEEN}, {image}, '{IMAGE}', 1800, 90000000, {platform}, \
                 '{{\"entrypoint\":[\"/app\"],\"env\":[\"PATH\"],\"labels\":{{\"title\":\"app\"}}}}', {NOW}, 's' || n.i from {images}"
            ),
            format!(
                "insert into manifest_part (repository_id, manifest, position, role, digest, media_type, size, platform) \
                 select {SEEN}, {child}, n.i % 3, 'manifest', {image}, '{IMAGE}', 1800, {platform} from {images}"
            ),
            format!(
                "insert into manifest_part (repository_id, manifest, position, role, digest, media_type, size) \
                 select {SEEN}, {image}, 0, 'config', {config}, 'application/vnd.oci.image.config.v1+json', 4000 from {images}"
            ),
            format!(
                "insert into manifest_part (repository_id, manifest, position, role, digest, media_type, size, command) \
                 select {SEEN}, {of_image}, n.i % 10 + 1, 'layer', {layer}, '{LAYER}', 9000000, 'RUN make step ' || (n.i % 10) \
                 from {layers}"
            ),
            blobs(&index, 900, 1, &tags),
            blobs(&image, 1800, 2, &images),
            blobs(&config, 4000, 1, &images),
            format!("{} where n.i % 10 >= 5", blobs(&layer, 9_000_000, 1, &layers)),
            blobs(&digest(4, "n.i"), 9_000_000, self.tags * 3, &series(5)),
            format!(
                "insert into tag (repository_id, name, digest, updated_at) select {SEEN}, 'v' || n.i, {index}, {NOW} + n.i from {tags}"
            ),
            format!(
                "insert into tag_change (repository_id, sequence, tag, digest_before, digest_after, changed_at, changed_by, client) \
                 select {SEEN}, n.i + 1, 'v' || (n.i % {of}), {before}, {after}, {NOW} - {all} + n.i, 'admin', 'docker' from {moves}",
                of = self.tags,
                before = moved("n.i"),
                after = moved("n.i + 1"),
                all = self.tags * MOVES,
                moves = series(self.tags * MOVES),
            ),
            format!(
                "insert into content_feed (repository_id, version, changes, recent_events, received_at) values ({SEEN}, 1, {}, '', \
                 {NOW})",
                self.tags * MOVES
            ),
            format!(
                "insert into content_total (repository_id, dimension, value, pull_count, push_count, last_pulled_at, \
                 last_pushed_at, last_pushed_by) select {SEEN}, 'tag', 'v' || n.i, n.i, {MOVES}, {NOW}, {NOW}, 'admin' from {tags}"
            ),
            format!(
                "insert into content_total (repository_id, dimension, value, pull_count, push_count, last_pulled_at, last_pushed_at) \
                 values ({SEEN}, 'repository', '', 1000000, 1000, {NOW}, {NOW})"
            ),
            format!(
                "insert into content_day (repository_id, dimension, day, value, pull_count, push_count) select {SEEN}, 'tag', \
                 {TODAY} - n.i / 100, 'v' || (n.i % 100), n.i, 1 from {}",
                series(30 * 100)
            ),
        ]
    }
}
