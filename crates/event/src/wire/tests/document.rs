//! The schema in the docs is the one in the code.

/// Message, field and number of every line `type name = number;` of the protobuf text in the docs.
fn documented() -> Vec<(String, String, String)> {
    let mut fields = Vec::new();
    let mut message = String::new();
    for line in include_str!("../../../../../docs/wire.md").split("```proto").nth(1).unwrap().lines() {
        if let Some(rest) = line.strip_prefix("message ") {
            message = rest.split(' ').next().unwrap().to_owned();
        } else if let Some((field, number)) = line.trim_end_matches(';').split_once(" = ")
            && line.starts_with("  ")
        {
            let field = field.rsplit(' ').next().unwrap().to_owned();
            fields.push((message.clone(), field, number.to_owned()));
        }
    }
    fields.sort();
    fields
}

/// The same of the Rust source of the schema.
fn declared() -> Vec<(String, String, String)> {
    let mut fields = Vec::new();
    let (mut message, mut number) = (String::new(), None);
    for line in include_str!("../schema.rs").lines().map(str::trim) {
        let line = line.trim_start_matches("pub(super) ");
        if let Some((_, tag)) = line.split_once("tag = \"") {
            number = Some(tag.split('"').next().unwrap().to_owned());
        } else if let Some(name) = line.strip_prefix("struct ") {
            message = name.split(' ').next().unwrap().to_owned();
        } else if line.starts_with("enum Kind") {
            "Event".clone_into(&mut message);
        } else if let Some(number) = number.take() {
            let field = line.split([':', '(']).next().unwrap();
            fields.push((message.clone(), snake_case(field), number));
        }
    }
    fields.sort();
    fields
}

fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}

#[test]
fn the_documented_schema_is_the_one_in_use() {
    let declared = declared();
    assert!(declared.len() > 120);
    assert_eq!(documented(), declared);
}
