//! Names of state machines, executions and activities.

use std::sync::Arc;

use crate::error::Error;

/// ASCII characters that no name has. Source: CreateStateMachine, parameter `name`.
const FORBIDDEN: &str = "<>{}[]?*\"#%\\^|~`$&,;:/";

/// Checks the characters of a name; its length is a constraint of the field.
pub(crate) fn check(name: &Arc<str>) -> Result<(), Error> {
    if name.chars().any(is_forbidden) {
        return Err(Error::InvalidName(name.clone()));
    }
    Ok(())
}

fn is_forbidden(char: char) -> bool {
    let special = matches!(char, '\u{fffe}' | '\u{ffff}' | '\u{10ffff}');
    special || char.is_control() || char.is_whitespace() || FORBIDDEN.contains(char)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn allowed() {
        for name in ["a", "0", "A-b_c.d", "état", "名前", "(x)", "a=b+c@d!'", "-", "."] {
            assert_eq!(check(&name.into()), Ok(()), "{name:?}");
        }
    }

    #[test]
    fn forbidden() {
        let characters = FORBIDDEN.chars().chain([
            ' ',
            '\t',
            '\n',
            '\u{0}',
            '\u{1f}',
            '\u{7f}',
            '\u{85}',
            '\u{9f}',
            '\u{a0}',
            '\u{2003}',
            '\u{3000}',
            '\u{fffe}',
            '\u{ffff}',
            '\u{10ffff}',
        ]);
        for char in characters {
            let name: Arc<str> = format!("a{char}b").into();
            assert_eq!(check(&name), Err(Error::InvalidName(name.clone())), "{char:?}");
        }
    }
}
