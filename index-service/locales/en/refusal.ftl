# What is said when something is refused or fails. Those that begin with refusal-said translate what the API says, by its words.
refusal-invalid-title = That is not right yet
refusal-invalid-text = Something in the request is not as it should be.
refusal-invalid-advice = Go back, put it right and send it again.
refusal-unauthenticated-title = Sign in first
refusal-unauthenticated-text = This is for people who are signed in.
refusal-unauthenticated-advice = Sign in and try again.
refusal-forbidden-title = Not allowed
refusal-forbidden-text = You may not do this.
refusal-forbidden-advice = Whoever looks after the repository, the organisation or this site can let you. “Why can’t I?” tells what is missing.
refusal-missing-title = Nothing here
refusal-missing-text = There is nothing at this address, or it is not yours to see.
refusal-missing-advice = Check the spelling. If it is private, sign in with an account that may see it.
refusal-conflict-title = Something is in the way
refusal-conflict-text = It exists already, or it changed meanwhile.
refusal-conflict-advice = Load the page again and look at how it is now.
refusal-method-title = Not like this
refusal-method-text = This address does not take that kind of request.
refusal-method-advice = Go back to the page that led here.
refusal-large-title = Too large
refusal-large-text = What was sent is larger than is taken here.
refusal-large-advice = Send less of it.
refusal-braked-title = Slow down
refusal-braked-text = There were too many attempts.
refusal-braked-advice = Wait a little and try again.
refusal-away-title = Back in a moment
refusal-away-text = A part of the service is away for the moment.
refusal-away-advice = Try again shortly. Pulling may go on working meanwhile.
refusal-internal-title = That is our fault
refusal-internal-text = Something went wrong on our side.
refusal-internal-advice = Try again. If it stays, tell an administrator the number below.
refusal-wait =
    { $n ->
        [one] You can try again in { $n } second.
       *[other] You can try again in { $n } seconds.
    }
refusal-request = Request
refusal-said-incorrect-user-name-password-or-token = The user name or the password is wrong.
refusal-said-this-account-is-disabled = This account is disabled. An administrator of this site can tell why.
refusal-said-this-form-was-not-sent-from-a-page-of-this-site-open-the-page-and-send-it-again = This form was not sent from a page of this site, or you signed in or out meanwhile. Open the page again and send it once more.
refusal-said-accounts-are-made-by-administrators-here = Accounts are made by administrators here.
refusal-said-an-account-is-made-with-an-invitation-of-an-administrator-here = An account is made with an invitation of an administrator here.
refusal-said-a-password-has-12-to-256-characters = A password has 12 to 256 characters.
refusal-said-a-password-is-not-the-user-name = The password must not be the user name.
refusal-said-a-password-holds-no-control-characters = A password holds no control characters.
refusal-said-a-password-is-missing = A password is missing.
refusal-said-too-many-logins-at-once-try-again-in-a-moment = Too many people are signing in at once. Try again in a moment.
refusal-said-this-is-for-accounts-sign-in-as-one = This is for people with an account: sign in first.
refusal-said-this-is-for-administrators-of-the-site = This is for administrators of the site.
