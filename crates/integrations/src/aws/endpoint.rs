//! Where each service is called: what the environment or a profile says, else AWS itself.

use std::collections::BTreeMap;

use super::{model::Service, profile::Profiles};

/// Addresses of services, by who says them: what is said first wins, for one service or for all.
///
/// Source: AWS SDKs and Tools reference guide, "Service-specific endpoints".
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Endpoints {
    sources: Vec<Source>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Source {
    /// For all services that have none of their own in this source.
    all: Option<String>,
    /// By service id, lower-case, `_` for blanks: `sqs`, `lex_runtime_v2`.
    services: BTreeMap<String, String>,
}

const VARIABLE: &str = "AWS_ENDPOINT_URL";

impl Endpoints {
    /// From environment variables, then from the chosen profile.
    pub fn from_environment() -> Endpoints {
        let variables = std::env::vars_os();
        let variables =
            variables.filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        Endpoints::read(&variables.collect(), &Profiles::from_environment())
    }

    fn read(variables: &BTreeMap<String, String>, profiles: &Profiles) -> Endpoints {
        let is_set = |name: &str| variables.get(name).is_some_and(|value| value.eq_ignore_ascii_case("true"));
        if is_set("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS") {
            return Endpoints::default();
        }
        let mut environment = Source::default();
        for (name, value) in variables.iter().filter(|(_, value)| !value.is_empty()) {
            match name.strip_prefix(VARIABLE) {
                Some("") => environment.all = Some(value.clone()),
                Some(service) => {
                    if let Some(service) = service.strip_prefix('_') {
                        environment.services.insert(service.to_ascii_lowercase(), value.clone());
                    }
                }
                None => {}
            }
        }
        let profile = Source { all: profiles.endpoint(), services: profiles.service_endpoints() };
        Endpoints { sources: vec![environment, profile] }
    }

    /// With one service's address, which goes before everything.
    pub fn first(mut self, service: &str, url: String) -> Endpoints {
        let services = BTreeMap::from([(service.to_owned(), url)]);
        self.sources.insert(0, Source { all: None, services });
        self
    }

    /// With addresses that count where nothing else says any.
    pub fn last(mut self, all: Option<String>, services: BTreeMap<String, String>) -> Endpoints {
        self.sources.push(Source { all, services });
        self
    }

    /// The address that was configured for a service.
    pub(crate) fn of(&self, service: &Service) -> Option<&str> {
        self.of_id(&service.id.to_ascii_lowercase().replace([' ', '-'], "_"))
    }

    /// The same by the service's id, in lower case.
    pub(crate) fn of_id(&self, id: &str) -> Option<&str> {
        let urls = self.sources.iter().find_map(|source| source.services.get(id).or(source.all.as_ref()));
        urls.map(|url| url.trim_end_matches('/'))
    }

    /// The address that was configured for one service alone.
    pub(crate) fn own(&self, id: &str) -> Option<&str> {
        let urls = self.sources.iter().find_map(|source| source.services.get(id));
        urls.map(|url| url.trim_end_matches('/'))
    }
}

impl Service {
    /// AWS's own address, and the region that signs.
    pub(crate) fn public_endpoint(&self, region: &str) -> (String, String) {
        let mut url = self.endpoint.replace("{region}", region);
        if region.starts_with("cn-") {
            url = url.replace(".amazonaws.com", ".amazonaws.com.cn");
        }
        let signed_in = if self.signed_in.is_empty() { region } else { &self.signed_in };
        (url, signed_in.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_first_wins() {
        let config =
            "[default]\nendpoint_url = http://p\nservices = mine\n[services mine]\nsqs =\n  endpoint_url = http://q\n";
        let profiles = Profiles::read(config, "", "default");
        let of = |variables: &[(&str, &str)]| {
            let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            let services = [("sqs", "http://f"), ("kms", "http://k")];
            let services = services.map(|(service, url)| (service.to_owned(), url.to_owned())).into();
            let endpoints = Endpoints::read(&variables.collect(), &profiles);
            endpoints.last(Some("http://file".to_owned()), services).first("lambda", "http://option".to_owned())
        };
        let endpoints = of(&[]);
        assert_eq!(endpoints.of_id("sqs"), Some("http://q"));
        assert_eq!(endpoints.of_id("kms"), Some("http://p"));
        assert_eq!(endpoints.of_id("lambda"), Some("http://option"));
        let endpoints = of(&[("AWS_ENDPOINT_URL", "http://v"), ("AWS_ENDPOINT_URL_LEX_RUNTIME_V2", "http://l/")]);
        assert_eq!(endpoints.of_id("sqs"), Some("http://v"));
        assert_eq!(endpoints.of_id("lex_runtime_v2"), Some("http://l"));
        assert_eq!(endpoints.own("sqs"), Some("http://q"));
        let endpoints = of(&[("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")]);
        assert_eq!(endpoints.of_id("kms"), Some("http://k"));
        assert_eq!(endpoints.of_id("sns"), Some("http://file"));
    }
}
