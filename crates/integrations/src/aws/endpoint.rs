//! Where each service is called: what the environment or a profile says, else AWS itself.

use std::collections::BTreeMap;

use super::{model::Service, profile::Profiles};

/// Addresses of services, as the AWS SDKs take them from `AWS_ENDPOINT_URL…` and from profiles.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Endpoints {
    /// For all services that have none of their own.
    pub all: Option<String>,
    /// By service id, lower-case, `_` for blanks: `sqs`, `lex_runtime_v2`.
    pub services: BTreeMap<String, String>,
}

const VARIABLE: &str = "AWS_ENDPOINT_URL";

impl Endpoints {
    /// From environment variables, else from the chosen profile.
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
        let mut endpoints = Endpoints { all: profiles.endpoint(), services: profiles.service_endpoints() };
        for (name, value) in variables.iter().filter(|(_, value)| !value.is_empty()) {
            match name.strip_prefix(VARIABLE) {
                Some("") => endpoints.all = Some(value.clone()),
                Some(service) => {
                    if let Some(service) = service.strip_prefix('_') {
                        endpoints.services.insert(service.to_ascii_lowercase(), value.clone());
                    }
                }
                None => {}
            }
        }
        endpoints
    }

    /// The address that was configured for a service.
    pub(crate) fn of(&self, service: &Service) -> Option<&str> {
        let id = service.id.to_ascii_lowercase().replace([' ', '-'], "_");
        self.services.get(&id).or(self.all.as_ref()).map(|url| url.trim_end_matches('/'))
    }

    /// The address that was configured for one service alone.
    pub(crate) fn own(&self, id: &str) -> Option<&str> {
        self.services.get(id).map(|url| url.trim_end_matches('/'))
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
    fn variables_go_before_profiles_and_services_before_all() {
        let config =
            "[default]\nendpoint_url = http://p\nservices = mine\n[services mine]\nsqs =\n  endpoint_url = http://q\n";
        let profiles = Profiles::read(config, "", "default");
        let of = |variables: &[(&str, &str)]| {
            let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            Endpoints::read(&variables.collect(), &profiles)
        };
        let endpoints = of(&[]);
        assert_eq!(endpoints.all.as_deref(), Some("http://p"));
        assert_eq!(endpoints.own("sqs"), Some("http://q"));
        let endpoints = of(&[("AWS_ENDPOINT_URL", "http://v"), ("AWS_ENDPOINT_URL_LEX_RUNTIME_V2", "http://l/")]);
        assert_eq!(endpoints.all.as_deref(), Some("http://v"));
        assert_eq!(endpoints.own("lex_runtime_v2"), Some("http://l"));
        assert_eq!(of(&[("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")]), Endpoints::default());
    }
}
