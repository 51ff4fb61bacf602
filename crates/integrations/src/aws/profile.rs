//! The files of AWS profiles: `~/.aws/config` and `~/.aws/credentials`.

use std::{collections::BTreeMap, path::PathBuf};

use crate::limits::PROFILE_BYTES_MAX;

/// Sections of both files by name, without `profile `; those of services by `services NAME`.
type Sections = BTreeMap<String, BTreeMap<String, String>>;

/// What the profile files say, and which profile is chosen.
#[derive(Clone, Debug, Default)]
pub(crate) struct Profiles {
    sections: Sections,
    chosen: String,
}

impl Profiles {
    /// `AWS_PROFILE`, `AWS_CONFIG_FILE`, `AWS_SHARED_CREDENTIALS_FILE`, with AWS's own defaults.
    pub(crate) fn from_environment() -> Profiles {
        let chosen = std::env::var("AWS_PROFILE").unwrap_or_else(|_| "default".to_owned());
        Profiles::read(&text("AWS_CONFIG_FILE", "config"), &text("AWS_SHARED_CREDENTIALS_FILE", "credentials"), &chosen)
    }

    /// Credentials go before what the config file says of the same profile.
    pub(crate) fn read(config: &str, credentials: &str, chosen: &str) -> Profiles {
        let mut sections = sections(config);
        for (name, values) in self::sections(credentials) {
            sections.entry(name).or_default().extend(values);
        }
        Profiles { sections, chosen: chosen.to_owned() }
    }

    pub(crate) fn chosen(&self) -> &str {
        &self.chosen
    }

    pub(crate) fn get(&self, profile: &str, key: &str) -> Option<&str> {
        self.sections.get(profile)?.get(key).map(|value| value.as_str()).filter(|value| !value.is_empty())
    }

    pub(crate) fn has(&self, profile: &str) -> bool {
        self.sections.contains_key(profile)
    }

    pub(crate) fn endpoint(&self) -> Option<String> {
        self.get(&self.chosen, "endpoint_url").map(str::to_owned)
    }

    /// Of the `services` section that the chosen profile names.
    pub(crate) fn service_endpoints(&self) -> BTreeMap<String, String> {
        let services = self.get(&self.chosen, "services").map(|name| format!("services {name}"));
        let values = services.and_then(|name| self.sections.get(&name)).into_iter().flatten();
        let endpoints =
            values.filter_map(|(key, value)| Some((key.strip_suffix(".endpoint_url")?.to_owned(), value.clone())));
        endpoints.collect()
    }
}

/// A file that is missing or absurdly large says nothing.
fn text(variable: &str, name: &str) -> String {
    let home = || Some(PathBuf::from(std::env::var_os("HOME")?).join(".aws").join(name));
    let path = std::env::var_os(variable).map(PathBuf::from).or_else(home);
    let is_small = |path: &PathBuf| std::fs::metadata(path).is_ok_and(|file| file.len() <= PROFILE_BYTES_MAX);
    path.filter(is_small).and_then(|path| std::fs::read_to_string(path).ok()).unwrap_or_default()
}

/// Nested values (`sqs =` and below it `  endpoint_url = …`) get both names: `sqs.endpoint_url`.
fn sections(text: &str) -> Sections {
    let mut sections = Sections::new();
    let mut section = String::new();
    let mut outer = String::new();
    for line in text.lines() {
        let is_nested = line.starts_with([' ', '\t']);
        let line = line.trim();
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.split(']').next()) {
            let name = name.trim();
            section = name.strip_prefix("profile ").unwrap_or(name).trim().to_owned();
            sections.entry(section.clone()).or_default();
            continue;
        }
        let Some((key, value)) = line.split_once('=') else { continue };
        let (key, value) = (key.trim().to_ascii_lowercase(), value.trim().to_owned());
        let key = if is_nested { format!("{outer}.{key}") } else { key };
        if !is_nested {
            outer.clone_from(&key);
        }
        sections.entry(section.clone()).or_default().insert(key, value);
    }
    sections
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_go_before_the_config_file() {
        let config = "# c\n[profile a]\nregion = eu-west-1\naws_access_key_id=1\n[default]\nrole_arn = r\n";
        let profiles = Profiles::read(config, "[a]\naws_access_key_id = 2\n", "a");
        assert_eq!(profiles.get("a", "aws_access_key_id"), Some("2"));
        assert_eq!(profiles.get("a", "region"), Some("eu-west-1"));
        assert_eq!(profiles.get("default", "role_arn"), Some("r"));
        assert!(profiles.has("default") && !profiles.has("b"));
    }
}
