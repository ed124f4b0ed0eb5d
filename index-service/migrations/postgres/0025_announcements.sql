-- What administrators of the site tell everybody, on every page. text_zh is empty where the other text is shown to everybody.
create table announcement (
    announcement_id bigint not null primary key,
    is_warning boolean not null,
    text text not null,
    text_zh text not null,
    starts_at bigint not null,
    ends_at bigint,
    created_at bigint not null
);

-- Lists of the administrators' pages.
create index webhook_delivery_dead on webhook_delivery (state, delivery_id) where state = 'dead';
create index manifest_work_whole on manifest_work (digest, repository_id) where digest = '';
create index namespace_verified on namespace (is_verified, name);
