//! How a function is named: by name, by a part of its ARN, or by all of it, each with or without a qualifier.

use crate::limits::NAME_CHARS_MAX;

/// A function's name and its qualifier: a version, an alias or `$LATEST`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    pub function: String,
    pub qualifier: Option<String>,
}

impl Name {
    /// Source: Lambda's API model, `FunctionName`: `NAME`, `ACCOUNT:function:NAME`, `arn:..:function:NAME`, each with
    /// `:QUALIFIER`. Account and region are not looked at: a function here stands for the one of its name anywhere.
    pub fn parse(text: &str) -> Option<Name> {
        let parts: Vec<&str> = text.split(':').collect();
        let (function, qualifier) = match parts.as_slice() {
            ["arn", _, "lambda", _, _, "function", rest @ ..]
            | [_, "function", rest @ ..]
            | ["function", rest @ ..] => match rest {
                [function] => (*function, None),
                [function, qualifier] => (*function, Some(*qualifier)),
                _ => return None,
            },
            [function] => (*function, None),
            [function, qualifier] => (*function, Some(*qualifier)),
            _ => return None,
        };
        let name = Name { function: function.to_owned(), qualifier: qualifier.map(str::to_owned) };
        is_name(function).then_some(name)
    }
}

/// Letters, digits, `-` and `_`. Source: Lambda's API model.
pub(crate) fn is_name(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    !text.is_empty() && text.len() <= NAME_CHARS_MAX && text.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_forms_of_a_name() {
        let cases = [
            ("f", Some(("f", None))),
            ("f:live", Some(("f", Some("live")))),
            ("123456789012:function:f", Some(("f", None))),
            ("123456789012:function:f:1", Some(("f", Some("1")))),
            ("function:f", Some(("f", None))),
            ("arn:aws:lambda:us-east-1:123456789012:function:f", Some(("f", None))),
            ("arn:aws:lambda:eu-west-1:210987654321:function:f:$LATEST", Some(("f", Some("$LATEST")))),
            ("", None),
            ("a b", None),
            ("a:b:c", None),
            ("arn:aws:lambda:us-east-1:123456789012:function:f:1:2", None),
            ("arn:aws:s3:::bucket", None),
        ];
        for (text, expected) in cases {
            let expected = expected.map(|(function, qualifier): (&str, Option<&str>)| Name {
                function: function.to_owned(),
                qualifier: qualifier.map(str::to_owned),
            });
            assert_eq!(Name::parse(text), expected, "{text}");
        }
    }
}
