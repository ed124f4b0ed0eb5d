-- What the image that stands for a repository says about it. Made from the projection; platforms and labels one in each line,
-- sayings as JSON.
create table repository_showcase (
    repository_id integer not null primary key references repository (repository_id),
    tag text not null,
    summary text not null,
    sayings text not null,
    platforms text not null,
    labels text not null
) strict;
