# The reference of the API. What it says of operations and fields comes from the description of the API, in English.
reference-title = API reference
reference-lead = Everything these pages do can be done by programs too.
reference-how = In short
reference-sign-in = Sign in with Basic (user name, and a password or an access token) or Bearer (an access token alone).
reference-pages = Lists come in pages: limit says how many, after takes the next of the page before.
reference-errors = What is refused is told as a problem document (RFC 9457): status, title and a sentence.
reference-once = A POST with an Idempotency-Key is carried out once, however often it is sent.
reference-openapi = The description as OpenAPI 3.1
reference-groups = Groups of operations
reference-name = Name
reference-type = Type
reference-meaning = Meaning
reference-required = required
reference-parameters = Parameters
reference-body = Body:
reference-shapes = Types
