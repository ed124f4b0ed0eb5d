# Pages of organisations and namespaces.

# Navigation.
organisation-overview = Overview
organisation-profile = Profile and defaults
organisation-members = Members
organisation-teams = Teams
organisation-invitations = Invitations
organisation-robots = Robots
organisation-tokens = Access tokens
organisation-quota = Quota
organisation-audit = Audit log
organisation-deleted = Deleted repositories
organisation-leave = Leave

# Overview.
organisation-mine = Organisations
organisation-mine-none = You are in no organisation yet. Create one to share repositories with colleagues.
organisation-you-are = You are
organisation-until = until
organisation-repositories = Repositories
organisation-repositories-none = There is no repository here that you may see. A push makes one.

# A new one.
organisation-new = New organisation
organisation-create = Create the organisation
organisation-name = Name
organisation-name-hint = Its namespace, too: images are called name/image. It stays for good.
organisation-display-name = Name as people write it
organisation-description = Description
organisation-done-created = The organisation was created. You own it.

# Profile.
organisation-describe = What it is
organisation-default-visibility = Visibility of new repositories
organisation-default-visibility-about = Repositories that are made from now on begin with this. Those that are there stay as they are.

# Members.
organisation-account = Account
organisation-role = Role
organisation-since = Since
organisation-add = Add
organisation-member-add = Add somebody
organisation-guest-until = Guests: until
organisation-roles-hint = Members hold what rules give them. Guests are from outside and have an end. Managers look after repositories, members and teams. Owners decide about everything.
organisation-role-guest = Guest
organisation-role-member = Member
organisation-role-manager = Manager
organisation-role-owner = Owner
organisation-done-member-added = Added.
organisation-done-member-removed = Removed.

# The end of a membership.
organisation-remove-title = Remove { $name }
organisation-remove-do = Remove from the organisation
organisation-leave-title = Leave { $name }
organisation-leave-do = Leave the organisation
organisation-last-owner = This is the last owner who can log in: make somebody else an owner first.
organisation-end-what = This ends with the membership:
organisation-end-access = Every right that the membership gives; tokens handed out before end within minutes.
organisation-end-teams = Places in the teams
organisation-end-rules =
    { $n ->
        [one] { $n } rule about this account
       *[other] { $n } rules about this account
    }
organisation-end-tokens =
    { $n ->
        [one] { $n } access token that reaches less
       *[other] { $n } access tokens that reach less
    }
organisation-done-left = You left the organisation.

# The end of an organisation.
organisation-delete-title = Delete { $name }
organisation-delete-about = Its name is never given again, to nobody.
organisation-delete-repositories =
    { $n ->
        [one] There is { $n } repository. Delete or transfer it first.
       *[other] There are { $n } repositories. Delete or transfer them first.
    }
organisation-delete-members =
    { $n ->
        [one] { $n } member loses access
       *[other] { $n } members lose access
    }
organisation-delete-teams =
    { $n ->
        [one] { $n } team ends
       *[other] { $n } teams end
    }
organisation-delete-robots =
    { $n ->
        [one] { $n } robot or access token stops
       *[other] { $n } robots and access tokens stop
    }
organisation-delete-rules =
    { $n ->
        [one] { $n } rule of others about its robots ends
       *[other] { $n } rules of others about its robots end
    }
organisation-delete-do = Delete the organisation
organisation-done-deleted = The organisation was deleted.

# Teams.
organisation-team = Team
organisation-teams-none = There is no team yet. A team holds accounts together, so that a rule can give access to all of them.
organisation-team-new = New team
organisation-team-create = Create the team
organisation-team-name = Name
organisation-team-name-hint = Lower-case letters and digits, joined by . _ or -.
organisation-team-empty = Nobody is in this team yet.
organisation-team-add-hint = Somebody who is in the organisation.
organisation-team-delete = Delete the team
organisation-team-delete-about = The rules about it, and invitations to it, go with it.
organisation-done-team-created = The team was created. Add its members.
organisation-done-team-deleted = The team was deleted.

# Robots and access tokens.
organisation-robots-about = Robots push and pull for machines such as CI. They belong to the namespace, not to a person.
organisation-tokens-about = Access tokens of the organisation: clients log in with the organisation’s name and the token.
organisation-machines-none = There is none yet.
organisation-robot-new = New robot
organisation-robot-create = Create the robot
organisation-robot-name = Name
organisation-robot-name-hint = It logs in as { $name }+NAME.
organisation-token-new = New access token
organisation-token-create = Create the access token
organisation-machine-label = What people call it
organisation-machine-days = Valid for days
organisation-machine-name = Name
organisation-machine-may = May at most
organisation-machine-used = Last used
organisation-machine-ends = Ends
organisation-machine-made = Made
organisation-machine-over = Over
organisation-machine-username = Logs in as
organisation-machine-refused = Refused uses
organisation-machine-suspended = Suspended
organisation-machine-suspend = Suspend
organisation-machine-resume = Let it go on
organisation-machine-networks = Only from these addresses
organisation-machine-networks-hint = Ranges such as 10.0.0.0/8, separated by spaces; empty for everywhere.
organisation-machine-delete = Delete it
organisation-machine-delete-about = Whatever logs in with it stops at once, and what it made ends with it.
organisation-limit = What it may do ({ $n })
organisation-limit-pattern = Repositories
organisation-limit-rights = May
organisation-secrets = Secrets
organisation-secrets-about = Two secrets can be valid at once, so that one takes the place of the other without a pause.
organisation-secret-end = End it now
organisation-done-secret-ended = The secret is over.
organisation-done-machine-deleted = Deleted.

# Invitations.
organisation-invite = Invite by a link
organisation-invite-about = Whoever holds the link can join. It is shown once. Owners are appointed by name, not by a link.
organisation-invite-days = Open for days
organisation-invite-uses = Lets in
organisation-invite-create = Make the link
organisation-invitations-none = Nobody is invited at the moment.
organisation-invitation-link = Link
organisation-invitation-by = By
organisation-invitation-uses = Places left
organisation-invitation-revoke = Withdraw
organisation-done-invitation-revoked = The invitation was withdrawn.

# Quota.
organisation-quota-used = What is used
organisation-quota-bytes = Content of all repositories
organisation-quota-storage = Storage, shared layers counted once
organisation-quota-repositories = Repositories
organisation-quota-tags = Tags
organisation-quota-unlimited = Nothing is limited here.
organisation-quota-no-limit = no limit
organisation-quota-full = used up
organisation-quota-near = nearly used up
organisation-quota-warn = From { $n } % on, clients that push are warned.
organisation-quota-strict = The registry asks before each push, so that no limit is passed at all.

# Audit log.
organisation-audit-filter = Filter
organisation-audit-show = Show
organisation-audit-all = Everything
organisation-audit-when = When
organisation-audit-action = What
organisation-audit-actor = Who
organisation-audit-target = To what
organisation-audit-what = Before and after
organisation-audit-from = From
organisation-audit-to = To
organisation-audit-none = Nothing of this kind happened.

# Deleted repositories.
organisation-deleted-about = They can be restored until their time is over; then their content is removed.
organisation-deleted-none = No deleted repository waits here.
organisation-deleted-at = Deleted
organisation-deleted-until = can be restored until
organisation-restore = Restore
organisation-restore-as = Restore as
organisation-purge = Remove it for good
organisation-purge-about = Its content is removed now. This cannot be undone.
organisation-purge-do = Remove it for good
organisation-done-restored = The repository is back.
organisation-done-purged = The repository is gone for good.
