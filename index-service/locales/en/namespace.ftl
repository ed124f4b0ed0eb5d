# The page of a namespace.
namespace-site = Official images
namespace-organisation = Organisation
namespace-account = Person
namespace-new = New repository
namespace-account-settings = Your account
namespace-organisation-page = Manage the organisation
namespace-repositories = Repositories
namespace-bytes = Storage, each layer counted once
namespace-location = Location
namespace-website = Website
namespace-since = Created
namespace-filter = Find a repository
namespace-order-pulls = Most pulls first
namespace-none-such = No repository’s name contains “{ $part }”.
namespace-empty = There is nothing here that you can see.
namespace-empty-own = No repositories yet. Push an image to create one:
namespace-pulls =
    { $n ->
        [one] { $n } pull
       *[other] { $n } pulls
    }
namespace-stars =
    { $n ->
        [one] { $n } star
       *[other] { $n } stars
    }
