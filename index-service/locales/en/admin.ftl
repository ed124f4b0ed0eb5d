# What administrators of the site look after.
admin-sections = Administration
admin-section-overview = Overview
admin-section-accounts = Accounts
admin-section-organisations = Organisations
admin-section-storage = Storage and quotas
admin-section-keys = Signing keys
admin-section-events = Failures
admin-section-upkeep = Index and registry
admin-section-announcements = Announcements
admin-section-categories = Categories and badges
admin-section-settings = Settings
admin-section-audit = Audit log
admin-done-suspended = The account is suspended.
admin-done-resumed = The account may be used again.
admin-done-appointed = The account administers the site now.
admin-done-dismissed = The account does not administer the site any more.
admin-done-deleted = The account is deleted.
admin-done-quota = The limits are set. They hold from the next token on.
admin-done-rotated = The next key signs as soon as registries know it.
admin-done-keys-revoked = All keys are replaced.
admin-done-reindex = Every repository is read again.
admin-done-category = The category is saved.
admin-done-category-removed = The category is removed.
admin-done-verified = The namespace has its badge.
admin-done-unverified = The badge is taken away.
admin-done-announced = Every page shows it now.
admin-done-announcement-removed = The announcement is taken away.
admin-yes = yes
admin-no = no
admin-unlimited = no limit
admin-find = Find
admin-remove = Remove
admin-deleted = deleted
admin-created = Made
admin-state = State
admin-value = Value
admin-when = When
admin-until = Until
admin-namespace = Namespace
admin-organisation = Organisation
admin-repository = Repository
admin-repositories = Repositories
admin-members = Members
admin-seconds =
    { $n ->
        [one] 1 second
       *[other] { $n } seconds
    }
admin-ms = { $n } ms

admin-limited = This process works with limits: { $what }
admin-health = Health
admin-registry = Registry
admin-registry-answers = answers
admin-registry-away = does not answer
admin-registry-unknown = cannot be asked from here
admin-database = Database
admin-reading = To be read from the registry
admin-telling = Webhooks with something to send
admin-queue-empty = nothing waits
admin-lag =
    { $n ->
        [one] the first for a second
       *[other] the first for { $n } seconds
    }
admin-dead-day = Deliveries given up today
admin-versions = This process
admin-version = Version
admin-instance = Instance
admin-host = Clients log in to
admin-key-signing = Signing key

admin-account = User name
admin-full-name = Full name
admin-email = E-mail
admin-email-twice = another account’s too
admin-accounts-prefix = Names that begin with
admin-accounts-none = No account’s name begins so.
admin-active = active
admin-suspended = suspended
admin-suspended-since = Suspended
admin-administrator = administrator
admin-account-new = New account
admin-account-new-text = A password is made and shown once, for you to hand over.
admin-account-make = Make the account
admin-account-made = The first password
admin-account-made-text = Hand it over in a safe way. It can be changed under “Password” after signing in.
admin-account-namespace = Its namespace
admin-account-audit = What it did
admin-reset = Reset link
admin-reset-text = A link with which its owner sets another password, once and within a day. Links before it end.
admin-reset-button = Make a reset link
admin-reset-made = It works once, until { $date }.
admin-suspension = Suspension
admin-suspension-text = A suspended account may do nothing until it is resumed. What it owns stays.
admin-suspend = Suspend
admin-resume = Resume
admin-administration = Administration
admin-administration-text = Administrators look after everything on these pages, and own the namespace library.
admin-appoint = Make it an administrator
admin-dismiss = Take the administration away
admin-account-delete = Delete the account
admin-account-type = To delete this account, type its name:
admin-account-delete-button = Delete the account
admin-account-name-differs = What you typed is not the name of this account.

admin-organisations-prefix = Names that begin with
admin-organisations-none = No organisation’s name begins so.

admin-storage-lead = What a namespace holds, and may hold at most.
admin-storage-look = Look
admin-quotas = Decided limits
admin-quotas-none = No limits were decided for any namespace: those of the configuration hold.
admin-quota-decide = Decide
admin-quota-hint = A number such as 1000 or 500 GB; “unlimited” for no limit; empty for what the configuration says.
admin-quota-default = as configured
admin-quota-bytes = Bytes of all repositories
admin-quota-storage_bytes = Bytes in storage
admin-quota-repositories = Repositories
admin-quota-tags = Tags
admin-quota-strict = The registry asks before each manifest

admin-keys-lead = Registries believe tokens that these keys signed. They take turns by themselves, as configured.
admin-key = Key
admin-key-published = Published
admin-key-signs = Signs
admin-key-sealed = Encrypted with
admin-key-clear = not encrypted
admin-key-next = next
admin-key-current = current
admin-key-retired = retired
admin-key-from = from
admin-key-since = since
admin-key-until = published until
admin-key-when-asked = when asked
admin-keys-rotate = Rotate now
admin-keys-rotate-text = The next key signs as soon as registries had the time to learn of it. Tokens of the key before stay valid.
admin-keys-rotate-button = Let the next key sign
admin-keys-revoke = A key was stolen
admin-keys-revoke-text = New keys take the place of all of them. Every token that was signed until now is refused within a minute; clients fetch new ones by themselves.
admin-keys-authority = Replace the certificate that vouches for them too. Registries that were given it need the new one.
admin-keys-type = To replace all keys, type:
admin-keys-word-differs = Type “{ $word }” to replace all keys.
admin-keys-revoke-button = Replace all keys

admin-dead = Deliveries given up
admin-dead-text = Messages to webhooks that were tried until there was no use in it. Whoever looks after the webhook can send them again.
admin-dead-none = No delivery was given up.
admin-event = Event
admin-place = Of
admin-receiver = Receiver
admin-why = Why
admin-attempts =
    { $n ->
        [one] after 1 attempt
       *[other] after { $n } attempts
    }
admin-stuck = Not read yet
admin-stuck-text = What could not be read from the registry at the first attempt. It is tried again by itself.
admin-stuck-none = Everything was read.
admin-manifest = Manifest
admin-whole = the whole repository
admin-attempts-head = Attempts
admin-next-attempt = Next attempt

admin-reindex = Read everything again
admin-reindex-text = Every repository is compared with what the registry holds, and what the index knows of it is repaired. Content is not touched.
admin-reindex-running = Repositories are being read
admin-reindex-done = Everything was read
admin-reindex-leave = It goes on when you leave this page.
admin-reindex-button = Read everything again
admin-reload = Look again
admin-verify = Compare one repository
admin-verify-text = Every manifest by its bytes, against the registry. For repositories that you manage.
admin-verify-repair = Repair what differs
admin-verify-button = Compare
admin-verify-same =
    { $n ->
        [one] Nothing differs: 1 tag or manifest was compared.
       *[other] Nothing differs: { $n } tags and manifests were compared.
    }
admin-verify-differs =
    { $n ->
        [one] 1 thing differs.
       *[other] { $n } things differ.
    }
admin-verify-repaired =
    { $n ->
        [one] 1 thing differed and is repaired.
       *[other] { $n } things differed and are repaired.
    }
admin-verify-compared = Compared
admin-verify-tags = Tags
admin-verify-manifests = Manifests
admin-verify-missing = { $n } missing
admin-verify-moved = { $n } moved
admin-verify-different = { $n } different
admin-verify-gone = { $n } gone

admin-settings-lead = What the configuration says. It is changed there, and holds after a restart.
admin-setting = Setting
admin-setting-key = In the configuration
admin-settings-url = Address of this site
admin-settings-sign-up = Who may make an account
admin-settings-sign-up-open = everybody
admin-settings-sign-up-invitation = whoever was invited
admin-settings-sign-up-closed = administrators, for others
admin-settings-makers = Who may make organisations
admin-settings-makers-everyone = every account
admin-settings-makers-admins = administrators
admin-settings-token = A registry token lives for
admin-settings-restore = Deleted repositories can be restored for
admin-settings-proxies = Proxies that are believed
admin-settings-events = The registry may deliver events over HTTP
admin-settings-comments = Whether people may comment is decided for each repository, in its settings.

admin-categories = Categories
admin-categories-none = No categories yet. Repositories are sorted by them, and people search by them.
admin-category-slug = In addresses
admin-category-slug-hint = Letters, digits and hyphens, such as databases.
admin-category-name = Name
admin-category-new = Add or rename a category
admin-category-remove-one = Remove the category { $name }
admin-verified = Verified namespaces
admin-verified-text = The badge says that a namespace is whose it claims to be. Repositories of library are official.
admin-verified-none = No namespace is verified yet.
admin-verified-add = Give the badge
admin-verified-remove-one = Remove the badge of { $name }

admin-announcements-lead = A line that every page shows to everybody, such as planned maintenance.
admin-announcements-none = Nothing is announced.
admin-announcement = Announcement
admin-announcement-shown = shown
admin-announcement-warns = shown as a warning
admin-announcement-over = not shown
admin-announcement-endless = until it is removed
admin-announcement-new = Announce something
admin-announcement-text = Text
admin-announcement-text-zh = In Chinese (optional)
admin-announcement-hours = Shown for
admin-announcement-warning = As a warning
admin-announcement-remove-one = Remove the announcement “{ $text }”
admin-announce = Announce

admin-audit-actor = Who
admin-audit-target = About what
admin-audit-action = What
admin-audit-every = everything
admin-audit-from = From
admin-audit-to = To
admin-audit-reset = Show everything
admin-audit-none = Nothing happened that fits.
admin-audit-details = Details
admin-audit-credential = Credential
admin-audit-request = Request
admin-audit-before = Before
admin-audit-after = After
admin-actor-account = an account
admin-actor-robot = a robot
admin-actor-anonymous = nobody signed in
admin-actor-machine = the machine itself
admin-actor-service = the service itself
