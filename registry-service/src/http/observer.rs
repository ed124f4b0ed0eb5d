//! What is kept of every request: numbers, a line in the log, a line in the access log.

use std::sync::Arc;

use http::HeaderValue;
use shared::runtime::clock::Clock;
use shared::runtime::serve::{Exchange, Observer};

use super::told::{Told, ToldError};
use crate::access_log::{AccessLog, shown_target};
use crate::metrics::{self, Handler};
use crate::trace::RequestSpan;

/// A request whose client went away before it was answered is written with this status, as nginx does.
const WENT_AWAY: u16 = 499;

/// Counts requests, writes a line of the log about each, and one of `access_log` if there is one.
pub fn observer(clock: Clock, access_log: Option<AccessLog>) -> Observer {
    Observer::new(move |exchange| {
        let told = exchange.extensions.get::<Arc<Told>>().map(AsRef::as_ref);
        let status = exchange.status.map_or(WENT_AWAY, |status| status.as_u16());
        if told.is_none() && exchange.status.is_some_and(|status| !status.is_success()) {
            metrics::REFUSED.add(1);
        }
        metrics::request(
            told.map_or(Handler::Other, |told| told.in_flight.handler()),
            &exchange.method,
            status,
            exchange.duration,
            exchange.announced_bytes,
            exchange.sent_bytes,
        );
        RequestSpan::ended(exchange);
        if let Some(access_log) = &access_log {
            let user = told.map_or("", |told| told.user.as_str());
            access_log.write(exchange, status, user, clock.now_s());
        }
        log(exchange, status, told);
    })
}

/// The line about a request, with distribution's fields.
fn log(exchange: &Exchange, status: u16, told: Option<&Told>) {
    let error = exchange.extensions.get::<ToldError>();
    let variable = |wanted| {
        let (name, value) = told?.variable.as_ref()?;
        (*name == wanted).then_some(value.as_str())
    };
    let message = match (error, exchange.status, exchange.complete) {
        (_, None, _) => "request ended before it was answered",
        (_, Some(_), false) => "request ended before its answer was sent",
        (Some(_), ..) => "response completed with error",
        _ => "response completed",
    };
    macro_rules! line {
        ($level:expr) => {
            tracing::event!(
                $level,
                http.request.uri = %shown_target(&exchange.uri),
                http.request.host = text(exchange.host.as_ref()),
                http.request.remoteaddr = %exchange.peer,
                http.request.useragent = text(exchange.user_agent.as_ref()),
                http.request.referer = text(exchange.referer.as_ref()),
                http.request.contenttype = text(exchange.content_type.as_ref()),
                http.response.status = status,
                http.response.written = exchange.sent_bytes,
                http.response.duration = ?exchange.duration,
                http.response.contenttype = text(exchange.answer_type.as_ref()),
                vars.name = told.and_then(|told| told.repository.as_ref()).map(tracing::field::display),
                vars.reference = variable("vars.reference"),
                vars.digest = variable("vars.digest"),
                vars.uuid = variable("vars.uuid"),
                auth.user.name = told.map(|told| told.user.as_str()).filter(|user| !user.is_empty()),
                err.code = error.map(|error| tracing::field::display(error.code.as_str())),
                err.message = error.map(|error| error.message.as_str()),
                "{message}"
            )
        };
    }
    if status >= 500 {
        line!(tracing::Level::ERROR);
    } else {
        line!(tracing::Level::INFO);
    }
}

/// A header's text as far as it can be shown: a formatter escapes what is left.
fn text(value: Option<&HeaderValue>) -> Option<&str> {
    value.and_then(|value| value.to_str().ok())
}
