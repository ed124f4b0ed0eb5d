-- Which devices of an account were used longest ago.
create index device_use on device (account_id, last_used_at, device_id);
