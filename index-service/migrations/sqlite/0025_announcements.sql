-- What administrators of the site tell everybody, on every page. text_zh is empty where the other text is shown to everybody.
create table announcement (
    announcement_id integer primary key,
    is_warning integer not null check (is_warning in (0, 1)),
    text text not null,
    text_zh text not null,
    starts_at integer not null,
    ends_at integer,
    created_at integer not null
) strict;

-- Lists of the administrators' pages.
create index webhook_delivery_dead on webhook_delivery (state, delivery_id) where state = 'dead';
create index manifest_work_whole on manifest_work (digest, repository_id) where digest = '';
create index namespace_verified on namespace (is_verified, name);
