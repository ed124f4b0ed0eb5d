# The search page.
search-title = Search
search-filters = Filters
search-order = Order
search-order-best = Best match
search-order-stars = Most stars
search-order-pulls = Most pulls
search-order-updated = Last updated
search-order-name = Name
search-stars = Stars
search-stars-any = Any number
search-stars-one = At least 1
search-stars-ten = At least 10
search-stars-hundred = At least 100
search-updated = Updated
search-time-any = Any time
search-time-week = In the last week
search-time-month = In the last month
search-time-year = In the last year
search-platform = Platform
search-topic = Topic
search-official = Official only
search-reset = Clear filters
search-results = Results
search-count =
    { $n ->
        [0] Nothing found
        [one] { $n } repository
       *[other] { $n } repositories
    }
search-count-more = More than { $n } repositories, best matches first
search-none = Nothing found. Try fewer or shorter words, or clear the filters. Private repositories appear only for people who may pull them, so make sure you are signed in.
