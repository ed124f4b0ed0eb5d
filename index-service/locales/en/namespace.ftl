# The page of a namespace.
namespace-site = Official images
namespace-organisation = Organisation
namespace-account = Person
namespace-new = New repository
namespace-account-settings = Your account
namespace-organisation-page = Manage the organisation
namespace-repositories = Repositories
namespace-bytes = Stored, each layer once
namespace-location = Place
namespace-website = Website
namespace-since = Here since
namespace-filter = Find a repository
namespace-order-pulls = Most pulls first
namespace-none-such = No repository’s name holds “{ $part }”.
namespace-empty = There is nothing here that you can see.
namespace-empty-own = There is nothing here yet. A push makes a repository:
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
