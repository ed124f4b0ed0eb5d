-- What an account chose for pages; null is nothing: the browser's choice holds.
alter table account add column language text check (language in ('en', 'zh-CN'));
alter table account add column theme text check (theme in ('light', 'dark'));

-- When the password was given last in a session of the web pages, and until when administration goes on without it.
alter table device add column confirmed_at bigint;
alter table device add column confirmed_until bigint;
