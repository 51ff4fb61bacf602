//! What may be called twice after a crash is told to users.

const DIFFERENCES: &str = include_str!("../../../docs/differences.md");

#[test]
fn every_action_that_may_be_repeated_is_listed() {
    let missing: Vec<String> = stepwell_integrations::repeatable_actions()
        .map(|(service, action)| format!("`{service}:{action}`"))
        .filter(|name| !DIFFERENCES.contains(name.as_str()))
        .collect();
    assert!(missing.is_empty(), "not in docs/differences.md: {missing:?}");
}
