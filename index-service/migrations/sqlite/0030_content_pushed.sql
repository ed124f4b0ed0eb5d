-- To which repositories something was pushed last, so that the first page finds them without looking at all.
create index content_pushed on content_total (last_pushed_at, repository_id) where dimension = 'repository' and value = '';
