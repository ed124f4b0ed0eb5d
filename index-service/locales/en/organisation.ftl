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
organisation-mine-none = You are not in any organisation yet. Create one to share repositories with others.
organisation-you-are = Your role:
organisation-until = until
organisation-repositories = Repositories
organisation-repositories-none = No repositories that you can see yet. Push an image to create one.

# A new one.
organisation-new = New organisation
organisation-create = Create organisation
organisation-name = Name
organisation-name-hint = It is also the namespace: images are called name/image. It cannot be changed later.
organisation-display-name = Display name
organisation-description = Description
organisation-done-created = The organisation has been created, and you are its owner.

# Profile.
organisation-describe = About the organisation
organisation-default-visibility = Visibility of new repositories
organisation-default-visibility-about = Applies to repositories created from now on. Existing repositories stay as they are.

# Members.
organisation-account = Account
organisation-role = Role
organisation-since = Member since
organisation-add = Add
organisation-member-add = Add a member
organisation-guest-until = For guests: until
organisation-roles-hint = Members have the rights that rules give them. Guests come from outside and leave on a set date. Managers look after repositories, members and teams. Owners can do everything.
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
organisation-last-owner = This is the last owner who can log in. Make somebody else an owner first.
organisation-end-what = These end with the membership:
organisation-end-access = All rights that come with the membership. Tokens issued before expire within minutes.
organisation-end-teams = Membership in these teams:
organisation-end-rules =
    { $n ->
        [one] { $n } rule for this account
       *[other] { $n } rules for this account
    }
organisation-end-tokens =
    { $n ->
        [one] { $n } access token loses rights
       *[other] { $n } access tokens lose rights
    }
organisation-done-left = You have left the organisation.

# The end of an organisation.
organisation-delete-title = Delete { $name }
organisation-delete-about = Its name can never be used again.
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
        [one] { $n } team is deleted
       *[other] { $n } teams are deleted
    }
organisation-delete-robots =
    { $n ->
        [one] { $n } robot or access token stops working
       *[other] { $n } robots and access tokens stop working
    }
organisation-delete-rules =
    { $n ->
        [one] { $n } rule of other namespaces for its robots ends
       *[other] { $n } rules of other namespaces for its robots end
    }
organisation-delete-do = Delete organisation
organisation-done-deleted = The organisation has been deleted.

# Teams.
organisation-team = Team
organisation-teams-none = No teams yet. With a team, one rule can give access to several people.
organisation-team-new = New team
organisation-team-create = Create team
organisation-team-name = Name
organisation-team-name-hint = Lowercase letters and digits, joined by . _ or -.
organisation-team-empty = This team has no members yet.
organisation-team-add-hint = The account must be in the organisation.
organisation-team-delete = Delete team
organisation-team-delete-about = Its rules and the invitations to it are deleted too.
organisation-done-team-created = The team has been created. You can now add members.
organisation-done-team-deleted = The team has been deleted.

# Robots and access tokens.
organisation-robots-about = Robots push and pull for machines such as CI. They belong to the namespace rather than to a person.
organisation-tokens-about = Access tokens of the organisation. Clients log in with the organisation’s name and the token.
organisation-machines-none = None yet.
organisation-robot-new = New robot
organisation-robot-create = Create robot
organisation-robot-name = Name
organisation-robot-name-hint = It logs in as { $name }+NAME.
organisation-token-new = New access token
organisation-token-create = Create access token
organisation-machine-label = Description
organisation-machine-days = Valid for (days)
organisation-machine-name = Name
organisation-machine-may = Maximum rights
organisation-machine-used = Last used
organisation-machine-ends = Expires
organisation-machine-made = Created
organisation-machine-over = Ended
organisation-machine-username = Logs in as
organisation-machine-refused = Refused uses
organisation-machine-suspended = Suspended
organisation-machine-suspend = Suspend
organisation-machine-resume = Resume
organisation-machine-networks = Only from these addresses
organisation-machine-networks-hint = Ranges such as 10.0.0.0/8, separated by spaces. Leave empty for any address.
organisation-machine-delete = Delete
organisation-machine-delete-about = Anything that logs in with it stops working at once, and what it issued ends with it.
organisation-limit = Access { $n }
organisation-limit-pattern = Repositories
organisation-limit-rights = Allow
organisation-secrets = Secrets
organisation-secrets-about = Two secrets can be valid at the same time, so you can replace one without interruption.
organisation-secret-end = Revoke now
organisation-done-secret-ended = The secret has been revoked.
organisation-done-machine-deleted = Deleted.

# Invitations.
organisation-invite = Invite with a link
organisation-invite-about = Anyone who has the link can join. It is shown only once. Owners are appointed by name, not with a link.
organisation-invite-days = Valid for (days)
organisation-invite-uses = Number of people
organisation-invite-create = Create link
organisation-invitations-none = No open invitations.
organisation-invitation-link = Link
organisation-invitation-by = Invited by
organisation-invitation-uses = Uses left
organisation-invitation-revoke = Withdraw
organisation-done-invitation-revoked = The invitation has been withdrawn.

# Quota.
organisation-quota-used = Usage
organisation-quota-bytes = Content of all repositories
organisation-quota-storage = Storage, shared layers counted once
organisation-quota-repositories = Repositories
organisation-quota-tags = Tags
organisation-quota-unlimited = There are no limits here.
organisation-quota-no-limit = no limit
organisation-quota-full = used up
organisation-quota-near = nearly used up
organisation-quota-warn = From { $n } % on, clients that push get a warning.
organisation-quota-strict = Usage is checked before every push, so no limit is ever exceeded.

# Audit log.
organisation-audit-filter = Filter
organisation-audit-show = Show
organisation-audit-all = Everything
organisation-audit-when = When
organisation-audit-action = Action
organisation-audit-actor = Who
organisation-audit-target = Target
organisation-audit-what = Before and after
organisation-audit-from = From
organisation-audit-to = To
organisation-audit-none = No matching events.

# Deleted repositories.
organisation-deleted-about = You can restore them until the date shown. After that, their content is removed.
organisation-deleted-none = No deleted repositories.
organisation-deleted-at = Deleted
organisation-deleted-until = can be restored until
organisation-restore = Restore
organisation-restore-as = Restore as
organisation-purge = Remove for good
organisation-purge-about = Its content is removed right now. This cannot be undone.
organisation-purge-do = Remove for good
organisation-done-restored = The repository has been restored.
organisation-done-purged = The repository has been removed for good.
