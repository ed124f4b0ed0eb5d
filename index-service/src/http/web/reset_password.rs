//! The page behind a link that sets a password once. It works without a script, so the secret is pasted: what stands behind
//! `#` in the link reaches no server by itself.

use axum::extract::{RawForm, State};
use axum::response::{IntoResponse, Response};
use http::header::CACHE_CONTROL;
use http::{HeaderMap, StatusCode};
use shared::secret::Secret;

use super::{Policy, escaped, page_headers, reads_chinese};
use crate::app::caller::Client;
use crate::app::token::Credential;
use crate::http::State as Parts;
use crate::http::error::Failure;

const ENGLISH: &str = include_str!("reset_password.en.html");
const CHINESE: &str = include_str!("reset_password.zh.html");

/// What the page says above the form, in both languages.
struct Notice {
    english: String,
    chinese: String,
}

pub(in crate::http) async fn show(headers: HeaderMap) -> Response {
    let notice = Notice {
        english: "Copy what stands behind # in your link into the first field.".to_owned(),
        chinese: "请将链接中 # 之后的内容粘贴到第一个输入框。".to_owned(),
    };
    page(&headers, StatusCode::OK, &notice)
}

pub(in crate::http) async fn take(
    State(state): State<Parts>,
    client: Client,
    headers: HeaderMap,
    RawForm(form): RawForm,
) -> Response {
    let field = |name: &str| {
        let mut fields = form_urlencoded::parse(&form);
        let found = fields.find(|(key, _)| key == name);
        Secret::new(found.map(|(_, value)| value.into_owned()).unwrap_or_default())
    };
    let outcome = match state.app.recognise(&Credential::Anonymous, client).await {
        Ok(nobody) => {
            state
                .app
                .redeem_password_reset(&nobody, &field("secret"), field("password"))
                .await
        }
        Err(error) => Err(error),
    };
    let (status, notice) = match outcome {
        Ok(()) => {
            let notice = Notice {
                english: "The password is set. Log in with it now.".to_owned(),
                chinese: "密码已设置，现在可以用它登录。".to_owned(),
            };
            (StatusCode::OK, notice)
        }
        Err(error) => {
            let failure = Failure::from(error);
            let notice = Notice {
                chinese: format!("未能设置密码：{}", failure.message),
                english: failure.message,
            };
            (failure.status, notice)
        }
    };
    page(&headers, status, &notice)
}

fn page(headers: &HeaderMap, status: StatusCode, notice: &Notice) -> Response {
    let (page, text) = if reads_chinese(headers) {
        (CHINESE, &notice.chinese)
    } else {
        (ENGLISH, &notice.english)
    };
    let page = page.replace("{notice}", &escaped(text));
    (
        status,
        page_headers(Policy::NoScript),
        [(CACHE_CONTROL, "no-store")],
        page,
    )
        .into_response()
}
