//! What pages show of the API's description.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// All of it.
#[derive(Debug)]
pub(super) struct Reference {
    /// In the order of their names.
    pub(super) groups: Vec<Group>,
    shapes: BTreeMap<String, Shape>,
}

/// Operations about the same.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) name: String,
    /// The name as addresses have it.
    pub(super) slug: String,
    pub(super) operations: Vec<Operation>,
}

/// Something that can be asked for.
#[derive(Debug)]
pub(super) struct Operation {
    pub(super) id: String,
    pub(super) method: String,
    pub(super) path: String,
    pub(super) summary: String,
    pub(super) description: String,
    pub(super) parameters: Vec<Field>,
    pub(super) body: Option<Kind>,
    pub(super) answers: Vec<Answer>,
}

/// What is answered with a status.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: String,
    pub(super) kind: Option<Kind>,
}

/// A type in words, and the shape that its page describes.
#[derive(Debug, Clone)]
pub(super) struct Kind {
    pub(super) words: String,
    /// The name of a shape; empty for none.
    pub(super) shape: String,
}

/// A parameter or a field.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) is_required: bool,
    pub(super) text: String,
}

/// What an object holds.
#[derive(Debug)]
pub(super) struct Shape {
    pub(super) name: String,
    pub(super) text: String,
    pub(super) fields: Vec<Field>,
}

impl Reference {
    /// What a description says; `None` for what is none.
    pub(super) fn read(text: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(text).ok()?;
        let mut groups: BTreeMap<String, Vec<Operation>> = BTreeMap::new();
        for (path, operations) in value["paths"].as_object()? {
            for (method, operation) in operations.as_object()? {
                let tag = operation["tags"][0].as_str().unwrap_or("more");
                groups
                    .entry(tag.to_owned())
                    .or_default()
                    .push(Operation::read(method, path, operation));
            }
        }
        let shapes = value["components"]["schemas"].as_object()?;
        Some(Self {
            groups: groups
                .into_iter()
                .map(|(name, operations)| Group {
                    slug: name.replace(' ', "-"),
                    name,
                    operations,
                })
                .collect(),
            shapes: shapes
                .iter()
                .map(|(name, schema)| (name.clone(), Shape::read(name, schema)))
                .collect(),
        })
    }

    /// The shapes that the operations of a group name, and those that these name, in the order of their names.
    pub(super) fn shapes_of(&self, group: &Group) -> Vec<&Shape> {
        let mut wanted: Vec<&str> = Vec::new();
        for operation in &group.operations {
            wanted.extend(operation.body.iter().map(|kind| kind.shape.as_str()));
            let answers = operation.answers.iter().filter_map(|answer| answer.kind.as_ref());
            wanted.extend(answers.map(|kind| kind.shape.as_str()));
            wanted.extend(operation.parameters.iter().map(|field| field.kind.shape.as_str()));
        }
        let mut found: BTreeSet<&str> = BTreeSet::new();
        while let Some(name) = wanted.pop() {
            if let Some(shape) = self.shapes.get(name)
                && found.insert(&shape.name)
            {
                wanted.extend(shape.fields.iter().map(|field| field.kind.shape.as_str()));
            }
        }
        found
            .into_iter()
            .filter_map(|name| self.shapes.get(name))
            .collect()
    }
}

impl Operation {
    fn read(method: &str, path: &str, value: &Value) -> Self {
        let answers = value["responses"].as_object();
        let parameters = value["parameters"].as_array();
        Self {
            id: text(&value["operationId"]),
            method: method.to_ascii_uppercase(),
            path: path.to_owned(),
            summary: text(&value["summary"]),
            description: text(&value["description"]),
            parameters: parameters
                .into_iter()
                .flatten()
                .map(|parameter| Field {
                    name: text(&parameter["name"]),
                    kind: Kind::read(&parameter["schema"]),
                    is_required: parameter["required"] == true,
                    text: text(&parameter["description"]),
                })
                .collect(),
            body: content(&value["requestBody"]),
            // Every operation may be refused in the same way: the beginning says so once.
            answers: answers
                .into_iter()
                .flatten()
                .filter(|(status, _)| *status != "default")
                .map(|(status, answer)| Answer {
                    status: status.clone(),
                    kind: content(answer).filter(|_| status.starts_with('2')),
                })
                .collect(),
        }
    }
}

impl Kind {
    fn read(schema: &Value) -> Self {
        if let Some(name) = schema["$ref"].as_str() {
            let name = name.rsplit('/').next().unwrap_or_default().to_owned();
            return Self {
                words: name.clone(),
                shape: name,
            };
        }
        for key in ["oneOf", "anyOf", "allOf"] {
            let parts = schema[key].as_array().into_iter().flatten();
            let known = parts.filter(|part| part["type"] != "null").map(Self::read).next();
            if let Some(known) = known {
                return known;
            }
        }
        let mut kind = match &schema["type"] {
            Value::String(word) => word.clone(),
            Value::Array(words) => words
                .iter()
                .filter_map(Value::as_str)
                .filter(|word| *word != "null")
                .collect::<Vec<_>>()
                .join(" | "),
            _ => "object".to_owned(),
        };
        if kind == "array" {
            let inner = Self::read(&schema["items"]);
            return Self {
                words: format!("{}[]", inner.words),
                shape: inner.shape,
            };
        }
        if let Some(words) = schema["enum"].as_array() {
            kind = words
                .iter()
                .filter_map(Value::as_str)
                .collect::<Vec<_>>()
                .join(" | ");
        } else if let Some(format) = schema["format"].as_str() {
            kind = format!("{kind} ({format})");
        }
        Self {
            words: kind,
            shape: String::new(),
        }
    }
}

impl Shape {
    fn read(name: &str, schema: &Value) -> Self {
        let mut fields = Vec::new();
        collect(schema, &mut fields);
        Self {
            name: name.to_owned(),
            text: text(&schema["description"]),
            fields,
        }
    }
}

/// The fields of an object, those included that it has of others.
fn collect(schema: &Value, fields: &mut Vec<Field>) {
    for part in schema["allOf"].as_array().into_iter().flatten() {
        if part["$ref"].is_null() {
            collect(part, fields);
        } else {
            fields.push(Field {
                name: "…".to_owned(),
                kind: Kind::read(part),
                is_required: true,
                text: String::new(),
            });
        }
    }
    let required = schema["required"].as_array();
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        fields.push(Field {
            name: name.clone(),
            kind: Kind::read(field),
            is_required: required.is_some_and(|names| names.iter().any(|one| one == name)),
            text: text(&field["description"]),
        });
    }
}

fn content(value: &Value) -> Option<Kind> {
    let (_, media) = value["content"].as_object()?.iter().next()?;
    media.get("schema").map(Kind::read)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
