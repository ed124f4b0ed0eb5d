//! Variables `REGISTRY_…` laid over the file, as distribution lays them: in the lexical order of their names, by the
//! names of Go's fields or of the keys, typed by where they lead.

use shared::runtime::config::{ConfigError, Content, Node, parse_variable};

use super::shape::Shape;

/// Fields whose name in Go is not that of the key.
const FIELDS: [(&str, &str); 6] = [
    ("eventconfig", "events"),
    ("filecheckers", "file"),
    ("httpcheckers", "http"),
    ("tcpcheckers", "tcp"),
    ("mailoptions", "options"),
    ("trustkey", "signingkeyfile"),
];

/// Lays the variables over the tree; the answer is what is to be said of those that changed nothing.
pub(super) fn lay(
    tree: &mut Node,
    shape: &Shape,
    variables: impl Iterator<Item = (String, String)>,
) -> Result<Vec<String>, ConfigError> {
    let mut variables: Vec<(String, String)> = variables
        .filter(|(name, _)| name.starts_with("REGISTRY_") && name != "REGISTRY_CONFIGURATION_PATH")
        .collect();
    variables.sort();
    let mut remarks = Vec::new();
    for (name, text) in variables {
        if is_service_link(&name, &text) {
            let remark =
                format!("the variable {name} is Kubernetes' word about a service and configures nothing");
            remarks.push(remark);
            continue;
        }
        let parts: Vec<&str> = name.split('_').skip(1).collect();
        let value = parse_variable(&name, &text)?;
        words_to_maps(tree);
        match set(tree, Some(shape), false, &parts, &value) {
            Laid::Done => {}
            Laid::NoKey => remarks.push(format!("the variable {name} fits no key and is ignored")),
            Laid::NoItem => return Err(ConfigError::NoSuchItem(name)),
        }
    }
    words_to_maps(tree);
    one_name_for_s3(tree);
    Ok(remarks)
}

/// `s3aws` is another name of the driver `s3`; who writes both has two drivers.
fn one_name_for_s3(tree: &mut Node) {
    let Content::Map(sections) = &mut tree.content else {
        return;
    };
    for (_, storage) in sections.iter_mut().filter(|(name, _)| name == "storage") {
        let Content::Map(drivers) = &mut storage.content else {
            continue;
        };
        if drivers.iter().any(|(name, _)| name == "s3") {
            continue;
        }
        for (name, _) in drivers.iter_mut().filter(|(name, _)| name == "s3aws") {
            "s3".clone_into(name);
        }
    }
}

/// `storage: inmemory` and `auth: htpasswd` name a driver alone.
fn words_to_maps(tree: &mut Node) {
    let Content::Map(entries) = &mut tree.content else {
        return;
    };
    for (name, node) in entries {
        if !matches!(name.as_str(), "storage" | "auth") {
            continue;
        }
        if let Content::Scalar(word) = &node.content {
            let driver = Node {
                content: Content::Map(Vec::new()),
                origin: node.origin.clone(),
            };
            node.content = Content::Map(vec![(word.text().to_owned(), driver)]);
        }
    }
}

enum Laid {
    Done,
    NoKey,
    NoItem,
}

/// `is_open`: whether this is in one of Go's maps, where any name makes a key.
fn set(node: &mut Node, shape: Option<&Shape>, is_open: bool, parts: &[&str], value: &Node) -> Laid {
    let Some((first, rest)) = parts.split_first() else {
        *node = value.clone();
        return Laid::Done;
    };
    let is_open = is_open || shape.is_none_or(Shape::is_open);
    let is_list = shape.is_some_and(|shape| shape.item().is_some() || shape.is_list());
    if node.is_null() {
        node.content = if is_list {
            Content::List(Vec::new())
        } else {
            Content::Map(Vec::new())
        };
    }
    match &mut node.content {
        Content::List(items) => {
            let Ok(index) = first.parse::<usize>() else {
                return Laid::NoItem;
            };
            if index == items.len() {
                items.push(Node::null(value.origin.clone()));
            }
            match items.get_mut(index) {
                Some(item) => set(item, shape.and_then(Shape::item), is_open, rest, value),
                None => Laid::NoItem,
            }
        }
        Content::Map(entries) => {
            let Some((name, used)) =
                find(entries, shape, parts).or_else(|| is_open.then(|| (first.to_lowercase(), 1)))
            else {
                return Laid::NoKey;
            };
            let below = shape.and_then(|shape| shape.named(&name));
            let at = entries.iter().rposition(|(known, _)| *known == name);
            let at = at.unwrap_or_else(|| {
                entries.push((name, Node::null(value.origin.clone())));
                entries.len() - 1
            });
            set(&mut entries[at].1, below, is_open, &parts[used..], value)
        }
        Content::Scalar(_) | Content::Null => Laid::NoKey,
    }
}

/// The key that the longest run of leading parts names, among those that are there and those that are known, and the
/// length of that run.
fn find(entries: &[(String, Node)], shape: Option<&Shape>, parts: &[&str]) -> Option<(String, usize)> {
    (1..=parts.len()).rev().find_map(|used| {
        let wanted = parts[..used].join("_").to_lowercase();
        let there = entries.iter().map(|(name, _)| name.as_str());
        let known = shape
            .into_iter()
            .flat_map(Shape::names)
            .map(|name| -> &str { name });
        let field = FIELDS.iter().find(|(field, _)| *field == wanted);
        let mut names = there.chain(known);
        let found = names.find(|name| {
            let is_field = field.is_some_and(|(_, key)| key == name)
                && shape.is_some_and(|shape| shape.names().any(|known| known == *name));
            name.to_lowercase() == wanted || is_field
        });
        found.map(|name| (name.to_owned(), used))
    })
}

/// Kubernetes gives every container variables about its services: one called `registry` or `registry-auth` must not
/// configure us.
fn is_service_link(name: &str, value: &str) -> bool {
    if name.ends_with("_SERVICE_HOST") || name.contains("_SERVICE_PORT") {
        return true;
    }
    let is_url = ["tcp://", "udp://", "sctp://"]
        .iter()
        .any(|scheme| value.starts_with(scheme));
    if name.ends_with("_PORT") && is_url {
        return true;
    }
    // REGISTRY_PORT_5000_TCP, REGISTRY_PORT_5000_TCP_PROTO, …_PORT, …_ADDR
    let Some((_, rest)) = name.split_once("_PORT_") else {
        return false;
    };
    let mut parts = rest.split('_');
    let is_number = parts.next().is_some_and(|part| part.parse::<u16>().is_ok());
    is_number && matches!(parts.next(), Some("TCP" | "UDP" | "SCTP"))
}
