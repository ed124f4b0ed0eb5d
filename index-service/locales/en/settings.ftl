# Settings of repositories, and what namespaces have as well.

# Navigation.
settings-nav = Pages of these settings
settings-general = General
settings-access = Access
settings-webhooks = Webhooks
settings-immutable = Immutable tags
settings-retention = Retention
settings-name = Rename or transfer
settings-deletion = Delete

# Everywhere.
settings-save = Save
settings-change = Change
settings-remove = Remove
settings-reload = Look again
settings-more = More
settings-never = Never
settings-none = None
settings-yes = yes
settings-no = no
settings-digest = Digest
settings-ms = { $n } ms
settings-rotate = Make a new secret
settings-overlap = Hours that the old one stays valid
settings-type = Type { $name } to confirm
settings-patterns-hint = One pattern to a line; * stands for any characters, such as v*.
settings-done-saved = Saved.

# General.
settings-describe = Description
settings-summary = In one line
settings-summary-hint = At most 100 characters; shown in search results.
settings-description = At length
settings-description-hint = Markdown, at most 25,000 bytes. Images from elsewhere are left out.
settings-topics = Topics
settings-topics-hint = Up to 20 words, separated by spaces.
settings-categories = Categories (at most three)
settings-preview = Preview
settings-preview-title = This is how it will look
settings-visibility = Visibility
settings-visibility-legend = Who may pull
settings-public = Public
settings-public-hint = Everybody, without signing in.
settings-internal = Internal
settings-internal-hint = Every account of this site.
settings-private = Private
settings-private-hint = Only those whom you give access; to others it does not exist.
settings-comments = Comments
settings-comments-off = Comments are switched off for the whole site; this takes effect once an administrator allows them.
settings-comments-open = People may comment on this repository
settings-comments-wait = The first comment of somebody new waits until it is approved

# Access.
settings-give = Give access
settings-rule-kind = To
settings-rule-who = Who
settings-rule-role = Role
settings-rule-pattern = Repositories
settings-rule-bounds = Until when, and which tags
settings-rule-until = Ends after
settings-rule-push-tags = May push only these tags
settings-rule-delete-tags = May delete only these tags
settings-rule-pushes-only = pushes only { $tags }
settings-rule-deletes-only = deletes only { $tags }
settings-rule-add = Give access
settings-roles-hint = Read: pull. Write: also push. Maintain: also delete tags and change settings. Admin: everything.
settings-role-read = Read
settings-role-write = Write
settings-role-maintain = Maintain
settings-role-admin = Admin
settings-subject-account = Account
settings-subject-team = Team
settings-subject-robot = Robot
settings-subject-members = All members
settings-subject-signed-in = Everybody who is signed in
settings-subject-anyone = Anyone
settings-rules = Who has access
settings-rules-none = Nobody was given access yet. Type a colleague’s name above.
settings-rules-patterns = By rules of the namespace
settings-rules-namespace = Rules of the namespace
settings-access-organisation = Owners and managers of { $name } may do everything here.
settings-access-owner = { $name } owns this repository and may do everything here.
settings-why = Why may somebody do this?
settings-why-who = Account, or robot as namespace+name
settings-why-ask = Explain
settings-why-of = What { $name } may do here, and why
settings-why-right = Right
settings-why-allowed = Allowed
settings-why-because = Why
settings-right-pull = pull
settings-right-push = push
settings-right-delete = delete
settings-right-manage = manage
settings-right-administer = administer
settings-done-rule-created = Access was given. It counts from the next login or token on.
settings-done-rule-removed = Access was taken away. Tokens handed out before end within minutes.

# Secrets.
settings-secret = Your new secret
settings-secret-machine = Clients log in with it as a password.
settings-secret-webhook = Deliveries are signed with it. Give it to the receiver.
settings-secret-invitation = Whoever holds this link can join. Send it to those you invite.
settings-secret-once = It is shown this once. Copy it now.
settings-secret-next = What to type next
settings-secret-kept = I have kept it

# Webhooks.
settings-hooks = Webhooks
settings-hooks-none = Nobody is told yet of what happens here.
settings-hook-new = New webhook
settings-hook-create = Create the webhook
settings-hook-url = Address
settings-hook-url-hint = Where a POST is sent, such as https://ci.example.com/hooks/portolan.
settings-hook-url-keep = Leave it empty to keep the address: it is not shown, since it may hold a secret.
settings-hook-name = Name
settings-hook-format = Form
settings-hook-events = Events
settings-hook-tags = Only of these tags
settings-hook-tags-hint = Patterns such as v*, separated by spaces; empty for every tag.
settings-hook-tags-only = only { $tags }
settings-hook-secret = Secret of the bot
settings-hook-secret-own = The receiver has a secret of its own
settings-hook-secret-hint = For bots of Feishu and DingTalk that sign. Others get a secret of ours.
settings-hook-state = State
settings-hook-on = On
settings-hook-off = Off
settings-hook-failing = { $n } in a row failed
settings-hook-delivered = Last delivered
settings-hook-attempted = Last sent
settings-hook-keeper = Stands on the rights of
settings-hook-secret-since = Secret made
settings-hook-former-until = the old one signs until
settings-hook-off-asked = It is off because somebody switched it off.
settings-hook-off-failing = It was switched off because nothing could be delivered for days.
settings-hook-off-gone = It was switched off because the receiver said that it is gone.
settings-hook-off-permission = It was switched off because whoever looks after it has no longer the right to. Switch it on to take it over.
settings-hook-ping = Send a test
settings-hook-enable = Switch on
settings-hook-disable = Switch off
settings-hook-change = Change the webhook
settings-hook-rotate = Another secret
settings-hook-rotate-hint = Both secrets sign for a while, so that the receiver can change over. After a theft choose 0 hours.
settings-hook-remove = Remove the webhook
settings-hook-remove-hint = What waits is not sent any more, and the log goes with it.
settings-done-webhook-created = The webhook was created.
settings-done-webhook-removed = The webhook was removed.
settings-done-pinged = A test is on its way.
settings-done-redelivered = It is being delivered again.
settings-deliveries = Deliveries
settings-deliveries-none = Nothing was sent yet. Send a test to see what arrives.
settings-delivery-event = Event
settings-delivery-about = About
settings-delivery-answer = Answer
settings-delivery-when = When
settings-delivery-message = Message
settings-delivery-attempts = Attempts
settings-delivery-due = Next attempt
settings-delivery-error = What went wrong
settings-delivery-request = What was sent
settings-delivery-response = What was answered
settings-delivery-headers = Headers
settings-delivery-body = Body
settings-delivery-waiting = Waiting
settings-delivery-delivered = Delivered
settings-delivery-dead = Given up
settings-redeliver = Deliver again
settings-event-push = A tag was pushed
settings-event-tag-moved = A tag points elsewhere
settings-event-tag-deleted = A tag was deleted
settings-event-manifest-deleted = A manifest was deleted
settings-event-repository-created = A repository was created
settings-event-repository-renamed = A repository was renamed
settings-event-repository-deleted = A repository was deleted
settings-event-repository-restored = A repository was restored
settings-event-repository-visibility = The visibility changed
settings-event-star = A star was given
settings-event-comment = A comment was written
settings-event-quota = A quota is nearly used up
settings-event-ping = Test
settings-format-docker-hub = As Docker Hub sends it, signed
settings-format-cloudevents = CloudEvents, signed
settings-format-slack = Slack or Mattermost
settings-format-feishu = Feishu or Lark
settings-format-dingtalk = DingTalk
settings-format-wecom = WeCom

# Immutable tags.
settings-immutable-title = Tags that stay what they are
settings-immutable-about = A tag that one of these patterns matches can be pushed once. After that no push moves it, and nobody deletes it.
settings-immutable-tags = Immutable tags
settings-immutable-except = Except
settings-immutable-when = It holds from the next login or token on, which is within minutes. Empty both fields to end it.
settings-immutable-namespace = The namespace says besides

# Retention.
settings-policy = Policy
settings-policy-about = A tag that any rule keeps stays. Of the others, those go that any rule deletes. What no rule is about stays.
settings-policy-inherited = This repository follows the policy of { $name } ({ $n } rules). Save one here to use another.
settings-policy-inherited-see = See it
settings-policy-changed = Changed by { $by }
settings-policy-next = next time
settings-policy-rule = Rule { $n }
settings-policy-action = What it does
settings-policy-none = No rule
settings-policy-delete = Delete
settings-policy-keep = Keep
settings-policy-tags = Tags
settings-policy-except = Except
settings-policy-repositories = Of repositories
settings-policy-conditions = Conditions
settings-policy-newest = Keep the newest
settings-policy-pushed = Keep if pushed within days
settings-policy-pulled = Keep if pulled within days
settings-policy-not-pushed = Delete if not pushed for days
settings-policy-not-pulled = Delete if not pulled for days
settings-policy-untagged = Delete untagged after days
settings-policy-every = Every so many days
settings-policy-hour = At this hour (UTC)
settings-policy-enabled = Carry this policy out
settings-policy-simulate = See what would go
settings-policy-more = Another rule
settings-policy-remove = Remove the policy
settings-policy-remove-hint = A repository then follows the policy of its namespace, if there is one.
settings-simulation = What would go now
settings-simulation-nothing = There is nothing here that could go.
settings-simulation-go =
    { $n ->
        [one] { $n } tag would go
       *[other] { $n } tags would go
    }
settings-simulation-stay =
    { $n ->
        [one] { $n } stays
       *[other] { $n } stay
    }
settings-simulation-untagged =
    { $n ->
        [one] { $n } manifest without a tag would go
       *[other] { $n } manifests without a tag would go
    }
settings-simulation-freed = That frees { $bytes } in the repository and { $storage } in the storage.
settings-simulation-partly = (counted in part: there is very much)
settings-simulation-unread = The index has not read every manifest yet; until it has, none goes.
settings-simulation-immutable =
    { $n ->
        [one] { $n } tag stays because it is immutable:
       *[other] { $n } tags stay because they are immutable:
    }
settings-simulation-tag = Tag
settings-simulation-pushed = Pushed
settings-simulation-pulled = Last pulled
settings-simulation-rule = Rule
settings-simulation-follows = goes with its manifest
settings-simulation-first = The first { $n } are shown.
settings-simulation-next = Next repositories
settings-runs = What it did
settings-runs-none = It was not carried out yet.
settings-run = Run
settings-run-when = When
settings-run-ended = Ended
settings-run-by = By
settings-run-schedule = Schedule
settings-run-deleted = Deleted
settings-run-tags =
    { $n ->
        [one] { $n } tag
       *[other] { $n } tags
    }
settings-run-manifests =
    { $n ->
        [one] { $n } manifest
       *[other] { $n } manifests
    }
settings-run-refused = { $n } stayed
settings-run-now = Carry it out now
settings-run-nothing = It deleted nothing.
settings-run-untagged = without a tag
settings-run-done = Done
settings-run-failed = Failed
settings-run-running = Going on
settings-run-waiting = Waiting
settings-gone-pending = to be deleted
settings-gone-deleted = deleted, can be restored
settings-gone-kept = stayed
settings-gone-restored = restored
settings-gone-purged = gone for good
settings-done-retention-removed = The policy was removed.
settings-done-retention-started = The policy is being carried out.

# Another name.
settings-rename = Another name
settings-rename-about = Content, history, rules and webhooks stay with the repository. The old name goes on for pulls until another repository takes it.
settings-rename-to = New name
settings-rename-hint = In the same namespace, or in another that you administer.
settings-rename-rehearse = See what it means
settings-rename-confirm = { $from } becomes { $to }
settings-rename-alias = { $from } goes on for pulls until another repository takes the name.
settings-rename-content = Nothing is copied: it takes effect at once.
settings-rename-dropped = These rules end, since their teams, members and robots stay behind:
settings-rename-left = These rules of the namespace reach it no more:
settings-rename-do = Rename it
settings-done-renamed = The repository has its new name.

# The end.
settings-delete-title = Delete { $name }
settings-delete-about = From then on every pull and push is refused.
settings-delete-impact = What depends on it
settings-delete-pulls = Pulls in 30 days
settings-delete-last = Last pulled
settings-delete-tags = Tags
settings-delete-bytes = Frees
settings-delete-bytes-of = { $bytes }, of which { $storage } in the storage
settings-delete-built = Images built on it
settings-delete-shared = Shares layers with
settings-delete-restore = It can be restored for a while; then its content is removed for good.
settings-delete-do = Delete the repository
settings-done-deleted = The repository was deleted. It can be restored for a while.

# A new repository.
settings-new = New repository
settings-new-namespace = Namespace
settings-new-name = Name
settings-new-name-hint = Lower-case letters and digits, joined by . _ - or /.
settings-new-default = As the namespace says
settings-new-default-hint = What was chosen for new repositories there.
settings-new-create = Create the repository
settings-new-push = A push makes a repository, too: there is no need to create it first.
settings-done-repository-created = The repository was created.
