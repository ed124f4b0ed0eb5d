//! Reading a token request: the GET form (Docker token authentication specification) and the POST form (Docker's
//! OAuth2 profile, RFC 6749).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};
use shared::secret::Secret;
use shared::token::Scope;

use crate::app::caller::Client;
use crate::app::token::{Credential, TokenRequest};

/// Most resources that one request may name; those named first are kept.
const MAX_RESOURCES: usize = 50;
/// Longest text that is kept of a client's id or user agent, in bytes.
const MAX_CLIENT_BYTES: usize = 128;

/// A request that cannot be understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) struct Malformed {
    /// The code of RFC 6749, section 5.2.
    pub(in crate::http) code: &'static str,
    /// A sentence for people.
    pub(in crate::http) message: &'static str,
    /// Whether it is the credential that cannot be read.
    pub(in crate::http) credential: bool,
}

impl Malformed {
    fn parameter(message: &'static str) -> Self {
        Self {
            code: "invalid_request",
            message,
            credential: false,
        }
    }

    pub(super) fn not_a_form() -> Self {
        Self::parameter("the body is not a form of at most 16 KiB")
    }

    fn credential() -> Self {
        Self {
            code: "invalid_client",
            message: "only Basic credentials with a user name and a password or access token are accepted",
            credential: true,
        }
    }
}

/// The parameters of a query or a form, in their order.
struct Parameters(Vec<(String, String)>);

impl Parameters {
    fn parse(text: &[u8]) -> Self {
        Self(form_urlencoded::parse(text).into_owned().collect())
    }

    /// A parameter that may stand once; empty is absent.
    fn one<'a>(&'a self, name: &'a str, repeated: &'static str) -> Result<Option<&'a str>, Malformed> {
        let mut values = self.all(name);
        let first = values.next();
        match values.next() {
            Some(_) => Err(Malformed::parameter(repeated)),
            None => Ok(first.filter(|value| !value.is_empty())),
        }
    }

    fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0
            .iter()
            .filter(move |(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// The field may be repeated, and each may hold several scopes.
    fn scopes(&self) -> Vec<Scope> {
        Scope::parse_all(self.all("scope"), MAX_RESOURCES)
    }

    fn service(&self) -> Result<Option<String>, Malformed> {
        let service = self.one("service", "the parameter service is repeated")?;
        Ok(service.map(str::to_owned))
    }

    fn client_id(&self) -> String {
        abridged(self.all("client_id").next().unwrap_or_default())
    }
}

/// A request as GET sends it: `query` is the part after `?`.
pub(in crate::http) fn from_query(
    query: &str,
    authorization: Option<&HeaderValue>,
    client: Client,
) -> Result<TokenRequest, Malformed> {
    let parameters = Parameters::parse(query.as_bytes());
    let offline = match parameters.one("offline_token", "the parameter offline_token is repeated")? {
        Some("true" | "1") => true,
        Some("false" | "0") | None => false,
        Some(_) => return Err(Malformed::parameter("offline_token is neither true nor false")),
    };
    let credential = match authorization {
        Some(header) => basic(header)?,
        None => Credential::Anonymous,
    };
    // The account is a hint; the token's subject comes from the credential alone. A hint that contradicts it is a
    // confused client.
    if let (Some(account), Credential::Password { username, .. }) =
        (parameters.all("account").next(), &credential)
        && !account.is_empty()
        // Some send the `+` of a robot's name as it is, which reads as a space.
        && !account.replace(' ', "+").eq_ignore_ascii_case(username)
    {
        return Err(Malformed::parameter(
            "account is not the user name of the credential",
        ));
    }
    Ok(TokenRequest {
        service: parameters.service()?,
        scopes: parameters.scopes(),
        credential,
        offline,
        client_id: parameters.client_id(),
        client,
    })
}

/// A request as POST sends it.
pub(in crate::http) fn from_form(body: &[u8], client: Client) -> Result<TokenRequest, Malformed> {
    let parameters = Parameters::parse(body);
    let offline = match parameters.one("access_type", "the parameter access_type is repeated")? {
        Some("offline") => true,
        Some("online") | None => false,
        Some(_) => return Err(Malformed::parameter("access_type is neither online nor offline")),
    };
    let required = |name: &'static str, message| {
        parameters
            .one(name, "a parameter is repeated")?
            .ok_or(Malformed::parameter(message))
    };
    let secret = |text: &str| Secret::new(text.to_owned());
    let credential = match required("grant_type", "grant_type is missing")? {
        "password" => Credential::Password {
            username: required("username", "username is missing")?.to_owned(),
            password: secret(required("password", "password is missing")?),
        },
        "refresh_token" => {
            Credential::Refresh(secret(required("refresh_token", "refresh_token is missing")?))
        }
        _ => {
            return Err(Malformed {
                code: "unsupported_grant_type",
                message: "grant_type is neither password nor refresh_token",
                credential: false,
            });
        }
    };
    required("client_id", "client_id is missing")?;
    Ok(TokenRequest {
        service: parameters.service()?,
        scopes: parameters.scopes(),
        credential,
        offline,
        client_id: parameters.client_id(),
        client,
    })
}

/// The one credential of a request. Several are an error: which of them was meant is anybody's guess.
pub(in crate::http) fn authorization(headers: &HeaderMap) -> Result<Option<&HeaderValue>, Malformed> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    match (values.next(), values.next()) {
        (_, Some(_)) => Err(Malformed::credential()),
        (only, None) => Ok(only),
    }
}

/// A Basic credential (RFC 7617). Whatever else the header holds is an error: a client that shows something must never
/// be taken for one that shows nothing.
pub(in crate::http) fn basic(header: &HeaderValue) -> Result<Credential, Malformed> {
    let credential = || {
        let (scheme, encoded) = header.to_str().ok()?.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let decoded = Secret::new(STANDARD.decode(encoded.trim()).ok()?);
        let text = std::str::from_utf8(decoded.expose()).ok()?;
        let (username, password) = text.split_once(':')?;
        Some(Credential::Password {
            username: username.to_owned(),
            password: Secret::new(password.to_owned()),
        })
    };
    credential().ok_or_else(Malformed::credential)
}

/// What a client says of itself, without control characters and not longer than is kept.
pub(in crate::http) fn abridged(text: &str) -> String {
    let mut kept: String = text.chars().filter(|c| !c.is_control()).collect();
    let mut end = kept.len().min(MAX_CLIENT_BYTES);
    while !kept.is_char_boundary(end) {
        end -= 1;
    }
    kept.truncate(end);
    kept
}

#[cfg(test)]
mod tests;
