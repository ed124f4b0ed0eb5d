-- Why an invitation was withdrawn: by hand, or since somebody found its link where it should not be.
alter table invitation add column revoked_because text;
