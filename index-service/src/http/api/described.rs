//! Routes with their description (OpenAPI), which is made when somebody asks for it and not before: building that of all
//! operations takes more memory and code than everything else that happens at a start.

use std::convert::Infallible;

use axum::Router;
use axum::routing::MethodRouter;
use utoipa::openapi::path::Paths;
use utoipa::openapi::schema::Schema;
use utoipa::openapi::{OpenApi, RefOr};
use utoipa_axum::router::OpenApiRouter;

use crate::http::State;

/// What utoipa says of the operations of one path.
pub(super) type Said = (
    Vec<(String, RefOr<Schema>)>,
    Paths,
    MethodRouter<State, Infallible>,
);

/// The operations of one path; made by [`routes!`].
pub(super) struct Routes {
    /// Their path.
    pub(super) path: String,
    /// Their handlers.
    pub(super) handlers: MethodRouter<State, Infallible>,
    /// Their description.
    pub(super) describe: fn() -> Said,
}

/// The operations of one path by their handlers, each with `#[utoipa::path]`: [`Routes`].
macro_rules! routes {
    ($first:ident $(, $other:ident)* $(,)?) => {{
        let handlers = axum::routing::MethodRouter::new();
        let handlers = $crate::http::api::described::with_handler!(handlers, $first);
        $(let handlers = $crate::http::api::described::with_handler!(handlers, $other);)*
        $crate::http::api::described::Routes {
            path: utoipa_axum::paste! { <[<__path_ $first>] as utoipa::Path>::path() },
            handlers,
            describe: || utoipa_axum::routes!($first $(, $other)*),
        }
    }};
}

/// Adds a handler under the methods that its description names.
macro_rules! with_handler {
    ($handlers:ident, $handler:ident) => {{
        use utoipa_axum::PathItemExt as _;
        let methods = utoipa_axum::paste! { <[<__path_ $handler>] as utoipa::Path>::methods() };
        methods.iter().fold($handlers, |handlers, method| {
            handlers.on(method.to_method_filter(), $handler)
        })
    }};
}

pub(super) use {routes, with_handler};

/// Routes, and what describes them.
#[derive(Default)]
pub(super) struct ApiRouter {
    /// What answers.
    pub(super) router: Router<State>,
    /// What describes it.
    pub(super) descriptions: Vec<fn() -> Said>,
}

impl ApiRouter {
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// Adds the operations of one path.
    pub(super) fn routes(mut self, routes: Routes) -> Self {
        self.router = self.router.route(&routes.path, routes.handlers);
        self.descriptions.push(routes.describe);
        self
    }

    /// Adds all of `other`.
    pub(super) fn merge(mut self, other: Self) -> Self {
        self.router = self.router.merge(other.router);
        self.descriptions.extend(other.descriptions);
        self
    }
}

/// The description of everything below `root`, added to `description`.
pub(super) fn describe(description: OpenApi, root: &str, descriptions: &[fn() -> Said]) -> OpenApi {
    let routes = descriptions
        .iter()
        .fold(OpenApiRouter::new(), |router, describe| router.routes(describe()));
    OpenApiRouter::with_openapi(description)
        .nest(root, routes)
        .into_openapi()
}
