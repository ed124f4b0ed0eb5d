//! Bad input, black box against both services: whatever is wrong with a request, the answer is a 4xx with the code that
//! fits and the specification's error body, never a 5xx, a panic or a hang, and nothing is left behind.

use harness::Suite;

mod forged_claims;
mod forged_token;
mod forgery;
mod head;
mod manifest;
mod mutation;
mod path;
mod race;
mod token_request;
mod upload;

pub(crate) fn add(suite: &mut Suite) {
    path::add(suite);
    upload::add(suite);
    manifest::add(suite);
    head::add(suite);
    token_request::add(suite);
    forged_token::add(suite);
    forged_claims::add(suite);
    mutation::add(suite);
    race::add(suite);
}
