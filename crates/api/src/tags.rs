//! Tags as requests carry them.

use std::sync::Arc;

use stepwell_engine::Tags;

use crate::{
    error::Error,
    fields::{Fields, TAG_KEY, TAG_VALUE},
};

/// Characters besides letters, digits and blanks that a tag may have. Source: Step Functions guide, "Tagging".
const SPECIAL: &str = "_.:/=+-@";
/// Keys that begin so are AWS's own. Source: the same.
const RESERVED_PREFIX: &str = "aws:";

/// One element of the list `tags`. Its value is empty where it is absent.
pub(crate) fn read(tag: &mut Fields<'_>) -> Result<(Arc<str>, Arc<str>), Error> {
    let key = tag.required_text("key", &TAG_KEY)?;
    let value = tag.optional_text("value", &TAG_VALUE)?;
    Ok((key, value.unwrap_or_default()))
}

/// The tags of a list: of two with the same key the later one counts.
pub(crate) fn checked(list: Vec<(Arc<str>, Arc<str>)>) -> Result<Tags, Error> {
    for (key, value) in &list {
        if key.get(..RESERVED_PREFIX.len()).is_some_and(|head| head.eq_ignore_ascii_case(RESERVED_PREFIX)) {
            return Err(Error::validation(format!("Invalid tag key: '{key}': keys must not begin with aws:")));
        }
        for (what, text) in [("key", key), ("value", value)] {
            if !text.chars().all(is_allowed) {
                return Err(Error::validation(format!("Invalid tag {what}: '{text}'")));
            }
        }
    }
    Ok(list.into_iter().collect())
}

fn is_allowed(char: char) -> bool {
    char.is_alphanumeric() || char.is_whitespace() || SPECIAL.contains(char)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(tags: &[(&str, &str)]) -> Result<Vec<(String, String)>, String> {
        let list = tags.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect();
        let tags = checked(list).map_err(|error| error.to_string())?;
        Ok(tags.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect())
    }

    #[test]
    fn tags() {
        let pair = |key: &str, value: &str| (key.to_string(), value.to_string());
        assert_eq!(check(&[]), Ok(vec![]));
        assert_eq!(check(&[("b", "1"), ("a", ""), ("b", "2")]), Ok(vec![pair("a", ""), pair("b", "2")]));
        assert_eq!(check(&[("Köst le/x", "a@b:c=d+e-f_g.h")]), Ok(vec![pair("Köst le/x", "a@b:c=d+e-f_g.h")]));
        assert_eq!(check(&[("AWS:x", "")]), Err("Invalid tag key: 'AWS:x': keys must not begin with aws:".into()));
        assert_eq!(check(&[("a", "b,c")]), Err("Invalid tag value: 'b,c'".into()));
        assert_eq!(check(&[("a&", "")]), Err("Invalid tag key: 'a&'".into()));
    }
}
