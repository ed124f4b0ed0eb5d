-- Of manifests that have a subject only: PostgreSQL preferred the whole one, small as it was, to the primary key and read all
-- manifests of a repository for one. Most manifests have no subject, and cost a push no entry here now.
drop index manifest_subject;
create index manifest_subject on manifest (repository_id, subject) where subject is not null;
