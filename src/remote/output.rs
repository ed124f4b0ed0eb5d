//! What is shown: tables for people, JSON for programs.

use serde_json::Value;

/// How answers are shown.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    json: bool,
}

/// One column: its title, and where its value is in an item (RFC 6901).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column {
    title: &'static str,
    pointer: &'static str,
}

/// A column.
pub(crate) const fn column(title: &'static str, pointer: &'static str) -> Column {
    Column { title, pointer }
}

impl Output {
    pub(crate) fn new(json: bool) -> Self {
        Self { json }
    }

    /// A list: a row for each item.
    #[expect(clippy::print_stdout, reason = "the answer of the command")]
    pub(crate) fn list(self, items: &[Value], columns: &[Column]) {
        if self.json {
            println!("{}", Value::from(items.to_vec()));
        } else {
            print!("{}", table(items, columns));
        }
    }

    /// One thing: a line for each column.
    #[expect(clippy::print_stdout, reason = "the answer of the command")]
    pub(crate) fn one(self, item: &Value, columns: &[Column]) {
        if self.json {
            println!("{item}");
            return;
        }
        let width = columns
            .iter()
            .map(|column| column.title.len())
            .max()
            .unwrap_or_default();
        for column in columns {
            println!("{:<width$}  {}", column.title, cell(item, column.pointer));
        }
    }

    /// A sentence about what was done; programs learn it from the exit code.
    #[expect(clippy::print_stdout, reason = "the answer of the command")]
    pub(crate) fn done(self, sentence: &str) {
        if !self.json {
            println!("{sentence}");
        }
    }

    /// A secret that is shown once: alone on standard output, so that it can be piped.
    #[expect(clippy::print_stdout, reason = "the secret is what was asked for, shown once")]
    pub(crate) fn secret(self, answer: &Value, pointer: &str) {
        if self.json {
            println!("{answer}");
        } else {
            println!("{}", cell(answer, pointer));
        }
    }
}

fn table(items: &[Value], columns: &[Column]) -> String {
    let rows: Vec<Vec<String>> = items
        .iter()
        .map(|item| columns.iter().map(|column| cell(item, column.pointer)).collect())
        .collect();
    let widths: Vec<usize> = columns
        .iter()
        .enumerate()
        .map(|(i, column)| {
            let widest = rows
                .iter()
                .filter_map(|row| row.get(i))
                .map(|text| width(text))
                .max();
            widest.unwrap_or_default().max(column.title.len())
        })
        .collect();
    let titles: Vec<String> = columns.iter().map(|column| column.title.to_owned()).collect();
    let mut text = String::new();
    for row in std::iter::once(&titles).chain(&rows) {
        let mut line = String::new();
        for (value, width_of_column) in row.iter().zip(&widths) {
            line.push_str(value);
            line.push_str(&" ".repeat(width_of_column.saturating_sub(width(value)) + 2));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// Columns that a text takes on a terminal: East Asian characters take two.
fn width(text: &str) -> usize {
    text.chars()
        .map(|c| match u32::from(c) {
            0x1100..=0x115f
            | 0x2e80..=0xa4cf
            | 0xac00..=0xd7a3
            | 0xf900..=0xfaff
            | 0xfe30..=0xfe6f
            | 0xff00..=0xff60
            | 0xffe0..=0xffe6
            | 0x1f300..=0x1faff
            | 0x20000..=0x3fffd => 2,
            _ => 1,
        })
        .sum()
}

/// A value as a person reads it; a terminal's control characters are left out.
fn cell(item: &Value, pointer: &str) -> String {
    let text = match item.pointer(pointer) {
        None | Some(Value::Null) => "-".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Bool(is)) => if *is { "yes" } else { "no" }.to_owned(),
        Some(Value::Array(list)) => list
            .iter()
            .map(|item| cell(item, ""))
            .collect::<Vec<_>>()
            .join(","),
        Some(Value::Object(fields)) => fields
            .iter()
            .map(|(name, value)| format!("{name}={}", cell(value, "")))
            .collect::<Vec<_>>()
            .join(" "),
        Some(other) => other.to_string(),
    };
    let shown: String = text.chars().filter(|c| !c.is_control()).collect();
    if shown.is_empty() { "-".to_owned() } else { shown }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_also_with_wide_characters() {
        let items = [
            serde_json::json!({"name": "ada", "note": "电脑", "tags": ["a", "b"]}),
            serde_json::json!({"name": "longer-name", "note": null, "on": true}),
        ];
        let columns = [
            column("NAME", "/name"),
            column("NOTE", "/note"),
            column("TAGS", "/tags"),
            column("ON", "/on"),
        ];
        assert_eq!(
            table(&items, &columns),
            "NAME         NOTE  TAGS  ON\nada          电脑  a,b   -\nlonger-name  -     -     yes\n"
        );
    }

    #[test]
    fn what_a_terminal_would_obey_is_not_printed() {
        let item = serde_json::json!({"a": "x\u{1b}[31my\n"});
        assert_eq!(cell(&item, "/a"), "x[31my");
    }
}
