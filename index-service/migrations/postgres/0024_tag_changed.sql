-- When a tag of a repository was changed last, so that what is new in a namespace is found without looking at all of it.
alter table repository add column tag_changed_at bigint;
update repository set tag_changed_at = (select c.changed_at from tag_change c
    where c.repository_id = repository.repository_id order by c.sequence desc limit 1);
create index repository_changed on repository (namespace_id, tag_changed_at, repository_id);
