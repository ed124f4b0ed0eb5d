# The reference of the API. What it says of operations and fields comes from the description of the API, in English.
reference-title = API reference
reference-lead = Everything these pages can do, programs can do too.
reference-how = In short
reference-sign-in = Sign in with Basic (username, and a password or an access token) or Bearer (an access token alone).
reference-pages = Lists come in pages: limit sets how many items you get, and after takes the value of next from the previous page.
reference-errors = Refused requests are answered with a problem document (RFC 9457): status, title and a sentence.
reference-once = A POST with an Idempotency-Key is carried out only once, however often you send it.
reference-openapi = Description as OpenAPI 3.1
reference-groups = Groups of operations
reference-name = Name
reference-type = Type
reference-meaning = Meaning
reference-required = required
reference-parameters = Parameters
reference-body = Body:
reference-shapes = Types
