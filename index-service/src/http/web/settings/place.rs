//! What settings are about: a repository, or a namespace with the organisation that owns it.

use axum::extract::{FromRequestParts, RawPathParams};
use axum::response::{IntoResponse, Response};
use http::request::Parts as Head;
use shared::oci::RepositoryName;

use super::section::Section;
use crate::app::AppError;
use crate::app::caller::Caller;
use crate::app::organisation::OrganisationView;
use crate::app::repository::Shown;
use crate::app::webhook::HookScope;
use crate::domain::{NamespaceName, OrganisationRole, Right};
use crate::http::State as Parts;
use crate::http::web::fault::PageError;
use crate::http::web::view::View;
use crate::http::web::visitor::SignedIn;

/// Somebody who is signed in, at a page of settings that they may see.
pub(in crate::http) struct At {
    pub(in crate::http) caller: Caller,
    pub(in crate::http) view: View,
    pub(in crate::http) place: Place,
}

/// What the settings are about, and which of them.
pub(in crate::http) struct Place {
    pub(in crate::http) subject: Subject,
    pub(in crate::http) section: Section,
}

/// What settings are about.
pub(in crate::http) enum Subject {
    /// A repository, and what the reader may do with it.
    Repository(Box<Shown>),
    /// A namespace.
    Namespace(Box<Namespace>),
}

/// A namespace as its reader sees it.
pub(in crate::http) struct Namespace {
    pub(in crate::http) name: NamespaceName,
    /// The organisation that owns it, where one does.
    pub(in crate::http) organisation: Option<OrganisationView>,
    /// Whether the reader administers it.
    pub(in crate::http) is_administered: bool,
    /// Whether the reader administers the site.
    pub(in crate::http) is_sites: bool,
}

/// One of the pages of a place, as its navigation names it.
pub(in crate::http) struct Tab {
    pub(in crate::http) href: String,
    pub(in crate::http) key: &'static str,
    pub(in crate::http) is_current: bool,
}

impl FromRequestParts<Parts> for At {
    type Rejection = Response;

    async fn from_request_parts(head: &mut Head, state: &Parts) -> Result<Self, Response> {
        let SignedIn { caller, view } = SignedIn::from_request_parts(head, state)
            .await
            .map_err(IntoResponse::into_response)?;
        let path = head.uri.path().to_owned();
        let params = RawPathParams::from_request_parts(head, state)
            .await
            .map_err(IntoResponse::into_response)?;
        let of = |name: &str| {
            params
                .iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| value.to_owned())
        };
        let (repository, organisation) = (of("name"), of("organisation"));
        let found = match (repository, organisation) {
            (Some(name), _) => Place::of_repository(state, &caller, &name, &path).await,
            (None, Some(name)) => Place::of_namespace(state, &caller, &name, &path).await,
            (None, None) => Err(nothing()),
        };
        let place = found.map_err(|error| PageError::from(error).into_response())?;
        Ok(Self { caller, view, place })
    }
}

impl At {
    /// The organisation, where there is one.
    pub(in crate::http) fn organisation(&self) -> Result<&OrganisationView, AppError> {
        match &self.place.subject {
            Subject::Namespace(namespace) => namespace.organisation.as_ref().ok_or_else(nothing),
            Subject::Repository(_) => Err(nothing()),
        }
    }

    /// The namespace that is administered, or that the repository is in.
    pub(in crate::http) fn namespace(&self) -> NamespaceName {
        match &self.place.subject {
            Subject::Namespace(namespace) => namespace.name.clone(),
            Subject::Repository(shown) => NamespaceName::from(&shown.facts.name),
        }
    }

    /// The repository.
    pub(in crate::http) fn repository(&self) -> Result<&Shown, AppError> {
        match &self.place.subject {
            Subject::Repository(shown) => Ok(shown),
            Subject::Namespace(_) => Err(nothing()),
        }
    }

    /// Whose webhooks.
    pub(in crate::http) fn hooks(&self) -> HookScope {
        match &self.place.subject {
            Subject::Repository(shown) => HookScope::Repository(shown.facts.repository_id),
            Subject::Namespace(namespace) => HookScope::Namespace(namespace.name.clone()),
        }
    }
}

/// Said of everything that somebody may not know of.
pub(in crate::http) fn nothing() -> AppError {
    AppError::NotFound("there is nothing at this path".to_owned())
}

impl Place {
    async fn of_repository(state: &Parts, caller: &Caller, name: &str, path: &str) -> Result<Self, AppError> {
        let section = path
            .split('/')
            .nth(2)
            .and_then(Section::of_repository)
            .ok_or_else(nothing)?;
        let name: RepositoryName = name.trim_end_matches('/').parse().map_err(|_| nothing())?;
        let shown = state.app.find_named(caller, &name).await?;
        if !shown.rights.contains(section.right()) {
            return Err(if shown.rights.contains(Right::Pull) {
                AppError::Forbidden("settings are for those who manage the repository")
            } else {
                nothing()
            });
        }
        Ok(Self {
            subject: Subject::Repository(Box::new(shown)),
            section,
        })
    }

    async fn of_namespace(state: &Parts, caller: &Caller, name: &str, path: &str) -> Result<Self, AppError> {
        let section = path.split('/').nth(3).unwrap_or_default();
        let section = Section::of_namespace(section).ok_or_else(nothing)?;
        let namespace = Namespace::find(state, caller, name).await?;
        if namespace.shows(section) {
            return Ok(Self {
                subject: Subject::Namespace(Box::new(namespace)),
                section,
            });
        }
        // To those who are not in it, an organisation has no pages but the first.
        Err(match &namespace.organisation {
            Some(OrganisationView {
                membership: Some(_), ..
            }) if section.is_of_organisation(namespace.organisation.is_some()) => {
                AppError::Forbidden("this is for those who look after the organisation")
            }
            _ => nothing(),
        })
    }

    /// The name of the repository, or of the namespace.
    pub(in crate::http) fn name(&self) -> String {
        match &self.subject {
            Subject::Repository(shown) => shown.facts.name.to_string(),
            Subject::Namespace(namespace) => namespace.name.to_string(),
        }
    }

    /// What people call it.
    pub(in crate::http) fn title(&self) -> String {
        match &self.subject {
            Subject::Repository(shown) => shown.facts.name.to_string(),
            Subject::Namespace(namespace) => namespace.title(),
        }
    }

    /// Where it is shown.
    pub(in crate::http) fn home(&self) -> String {
        match &self.subject {
            Subject::Repository(shown) => format!("/r/{}", shown.facts.name),
            Subject::Namespace(namespace) => format!("/o/{}", namespace.name),
        }
    }

    /// Whether it is a repository.
    pub(in crate::http) fn is_repository(&self) -> bool {
        matches!(self.subject, Subject::Repository(_))
    }

    /// Whether an organisation owns it.
    pub(in crate::http) fn is_organisation(&self) -> bool {
        matches!(&self.subject, Subject::Namespace(namespace) if namespace.organisation.is_some())
    }

    /// Where another of its pages is.
    pub(in crate::http) fn at(&self, section: Section) -> String {
        match &self.subject {
            Subject::Repository(shown) => format!("/settings/{}/{}", section.word(), shown.facts.name),
            Subject::Namespace(namespace) if section == Section::Overview => format!("/o/{}", namespace.name),
            Subject::Namespace(namespace) => format!("/o/{}/{}", namespace.name, section.word()),
        }
    }

    /// Where this page is.
    pub(in crate::http) fn here(&self) -> String {
        self.at(self.section)
    }

    /// The pages that the reader may see.
    pub(in crate::http) fn tabs(&self) -> Vec<Tab> {
        let sections: Vec<Section> = match &self.subject {
            Subject::Repository(shown) => Section::OF_REPOSITORY
                .into_iter()
                .filter(|section| shown.rights.contains(section.right()))
                .collect(),
            Subject::Namespace(namespace) => Section::OF_NAMESPACE
                .into_iter()
                .filter(|section| namespace.shows(*section))
                .collect(),
        };
        let tab = |section: Section| Tab {
            href: self.at(section),
            key: section.key(),
            is_current: section == self.section,
        };
        sections.into_iter().map(tab).collect()
    }
}

impl Namespace {
    /// The namespace of a name; without an organisation, only for those who administer it.
    pub(in crate::http) async fn find(state: &Parts, caller: &Caller, name: &str) -> Result<Self, AppError> {
        let name: NamespaceName = name.to_ascii_lowercase().parse().map_err(|_| nothing())?;
        let organisation = match state.app.organisation(caller, name.as_str()).await {
            Ok(view) => Some(view),
            Err(AppError::NotFound(_)) => None,
            Err(error) => return Err(error),
        };
        let is_administered = match state.app.show_namespace(caller, &name).await {
            Ok(_) => true,
            Err(AppError::Forbidden(_)) => false,
            Err(error) => return Err(error),
        };
        if organisation.is_none() && !is_administered {
            return Err(nothing());
        }
        Ok(Self {
            name,
            organisation,
            is_administered,
            is_sites: caller.is_admin(),
        })
    }

    /// What people call it.
    pub(in crate::http) fn title(&self) -> String {
        let display = self
            .organisation
            .as_ref()
            .map(|view| view.organisation.display_name.clone());
        display
            .filter(|name| !name.is_empty())
            .unwrap_or_else(|| self.name.to_string())
    }

    /// What the reader is in the organisation.
    pub(in crate::http) fn role(&self) -> Option<OrganisationRole> {
        let view = self.organisation.as_ref()?;
        view.membership.map(|membership| membership.role)
    }

    /// Whether the reader may see this page of it.
    pub(in crate::http) fn shows(&self, section: Section) -> bool {
        if !section.is_of_organisation(self.organisation.is_some()) {
            return false;
        }
        match section {
            Section::Overview => true,
            Section::Members | Section::Teams | Section::Leave => self.role().is_some(),
            Section::Audit => self.is_sites || self.role() == Some(OrganisationRole::Owner),
            Section::Deletion => self.role() == Some(OrganisationRole::Owner),
            Section::Quota => self.is_sites || self.is_administered,
            _ => self.is_administered,
        }
    }
}
