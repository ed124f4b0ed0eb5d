-- PostgreSQL preferred an index that is smaller, and begins with the repository too, to the one that leads to a single row, and
-- read all manifests, parts or tags of a repository. So subjects are listed where there are any, which costs most pushes no
-- entry,
drop index manifest_subject;
create index manifest_subject on manifest (repository_id, subject) where subject is not null;
-- and tags and parts by their digest first.
drop index tag_digest;
create index tag_digest on tag (digest, repository_id);
drop index manifest_part_digest;
create index manifest_part_digest on manifest_part (digest, repository_id);
