# What is one’s own: profile, password, devices, access tokens, lists, and the end of an account.
account-sections = Your account
account-section-profile = Profile
account-section-password = Password
account-section-devices = Sessions and devices
account-section-tokens = Access tokens
account-section-organisations = Organisations
account-section-lists = Bookmarks and stars
account-section-appearance = Language and colours
account-section-end = Delete the account
account-actions = Actions
account-save = Save
account-never = never
account-days =
    { $n ->
        [one] 1 day
       *[other] { $n } days
    }
account-hours =
    { $n ->
        [0] at once
        [one] 1 hour
       *[other] { $n } hours
    }
account-done-saved = Saved.
account-done-password = Your password is changed. Everything that was signed in with the old one is signed out.
account-done-device = Signed out there.
account-done-devices = Signed out everywhere. Sign in again here.
account-done-revoked = The access token is revoked.
account-done-secret = The secret is ended.
account-done-list = Taken off.
account-done-deleted = The account is deleted.

account-profile-name = Signed in as { $name }.
account-profile-since = Here since { $date }.
account-full-name = Full name
account-email = E-mail
account-email-hint = Seen by you and by administrators of the site.
account-biography = About you
account-location = Location
account-website = Website
account-profile-public = Everything but the e-mail address can be seen by everybody who can use this site.

account-password-current = Current password
account-password-new = New password
account-password-again = New password again
account-password-hint = At least 12 characters, and not easy to guess. A sentence is fine.
account-password-effect = Everything that was signed in with the old password has to sign in again. Access tokens stay.
account-password-change = Change the password
account-password-differs = The two new passwords are not the same.

account-devices-lead = Browsers that are signed in, and clients that keep a login after docker login.
account-device-client = Client
account-device-address = Address
account-device-created = Made
account-device-used = Last used
account-device-browser = browser
account-device-login = docker login
account-device-this = this one
account-device-end = Sign out
account-device-end-one = Sign out { $client }
account-devices-all = Sign out everywhere
account-devices-all-text = Every browser and every docker login has to sign in again, this one too. Access tokens stay.
account-devices-all-button = Sign out everywhere

account-tokens-lead = An access token stands in for your password in scripts and on other machines, and reaches no more than you let it.
account-tokens-none = No access tokens yet. Make one below: it works wherever a password is asked for.
account-tokens-back = To your access tokens
account-token-label = Name
account-token-label-hint = What it is for, such as “laptop” or “CI of the web shop”.
account-token-reach = Reaches
account-token-used = Last used
account-token-expires = Ends
account-token-revoked = revoked
account-token-expired = ended
account-token-new = New access token
account-token-pattern = Repositories
account-token-pattern-also = Also these repositories
account-token-pattern-hint = One name, or a pattern: team/app, team/app-*, team/*, or * for all.
account-token-rights = May
account-rights-pull = pull
account-rights-push = pull and push
account-rights-delete = pull, push and delete
account-rights-manage = pull, push, delete and manage
account-rights-all = everything that I may
account-token-more = More repositories, tags, addresses
account-token-push-tags = Only push these tags
account-token-push-tags-hint = Patterns such as v* or main; empty for every tag.
account-token-networks = Only from these addresses
account-token-networks-hint = Ranges such as 10.0.0.0/8; empty for everywhere.
account-token-everywhere = everywhere
account-token-days = Valid for
account-token-make = Make the access token
account-token-refused = Uses refused
account-token-rotate = Another secret
account-token-rotate-text = The secret before lives on for a while, so that you can replace it everywhere without a gap.
account-token-overlap = The old secret ends
account-token-rotate-button = Make another secret
account-token-rename = Rename
account-token-revoke = Revoke
account-token-revoke-text = Whatever uses it is refused from now on. This cannot be undone.
account-token-revoke-button = Revoke the access token
account-secret = Secret
account-secrets = Secrets
account-secret-ends = Ends
account-secret-with-token = with the token
account-secret-end = End
account-secret-end-one = End the secret that ends in { $part }
account-secret-new = Your new access token
account-secret-rotated = Another secret
account-secret-once = This is shown once. Copy it now and keep it safe.
account-secret-login = To use it, log in and paste it where the password is asked for:
account-secret-login-hint = In scripts, pass it on standard input with --password-stdin.

account-organisation = Organisation
account-organisations-none = You are in no organisation. Somebody who manages one can invite you by a link.
account-role = You are
account-role-until = Until
account-role-owner = owner
account-role-manager = manager
account-role-member = member
account-role-guest = guest

account-lists-lead = Nobody else sees your bookmarks. Stars are counted, and not shown by whom.
account-bookmarks = Bookmarks
account-bookmarks-none = Nothing bookmarked yet. The page of a repository has a button for it.
account-stars = Stars
account-stars-none = No stars given yet.
account-repository = Repository
account-list = List
account-list-since = Since
account-list-remove = Remove
account-list-remove-one = Remove { $name } from the list { $list }
account-star-remove-one = Remove the star of { $name }

account-appearance-lead = This browser remembers what you choose here.

account-end-lead = Deleting an account cannot be undone, and its name is never given to anybody again.
account-end-breaks = What ends with it
account-end-repositories = Repositories
account-end-organisations = Organisations left
account-end-rules = Rules on other people’s repositories
account-end-robots = Robots that stop
account-end-tokens = Access tokens that stop
account-end-devices = Sessions and devices signed out
account-end-type = To delete your account, type its name:
account-end-button = Delete my account
account-end-name-differs = What you typed is not the name of your account.
account-obstacle-repositories = Delete or transfer its repositories first: { $names }
account-obstacle-organisations = First make somebody else an owner of these organisations, or delete them: { $names }
account-obstacle-administrator = The site would be left without an administrator: make somebody else one first.
