//! All AWS services: which there are, which actions each has, and their models.
//!
//! The embedded file is made by `scripts/services`: a line that names its version, the length of the index (four bytes,
//! lowest first), the index, then the models, all of them compressed by zlib. A line of the index: the service, its name
//! in errors, the offset and the length of its model, its actions (with `-` before those that tasks may not call).

use std::{collections::BTreeMap, io::Read, sync::Arc};

use flate2::read::ZlibDecoder;
use parking_lot::Mutex;

use super::model::Service;
use crate::limits::{INDEX_BYTES_MAX, MODEL_BYTES_MAX};

static EMBEDDED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/services.bin"));

/// What there is to call; models are read when they are first needed, then kept.
pub struct Catalogue {
    services: BTreeMap<Box<str>, Entry>,
    /// The file behind the index.
    models: &'static [u8],
    read: Mutex<BTreeMap<Box<str>, Arc<Service>>>,
}

struct Entry {
    prefix: Box<str>,
    offset: usize,
    length: usize,
    /// Sorted; `true`: tasks may call it.
    actions: Vec<(Box<str>, bool)>,
}

/// Why a service cannot be called.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CatalogueError {
    #[error("this build of Stepwell has no models of AWS services: run `scripts/setup` before it is built")]
    Absent,
    #[error("there is no AWS service `{0}`")]
    UnknownService(String),
    #[error("the model of the AWS service `{0}` is damaged")]
    Damaged(String),
}

/// A parameter or a result of an action, for people to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    pub name: String,
    /// `string`, `integer`, `list of string`, `structure`, ...
    pub kind: String,
    pub required: bool,
}

/// What an action takes and gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActionFields {
    pub parameters: Vec<Field>,
    pub results: Vec<Field>,
}

impl Catalogue {
    /// The services of this build; none if it was built without their models.
    pub fn embedded() -> Catalogue {
        Catalogue::read(EMBEDDED).unwrap_or_else(Catalogue::without_models)
    }

    pub(crate) fn without_models() -> Catalogue {
        Catalogue { services: BTreeMap::new(), models: &[], read: Mutex::default() }
    }

    fn read(file: &'static [u8]) -> Option<Catalogue> {
        let line = file.iter().position(|byte| *byte == b'\n')?;
        let (length, rest) = file[line + 1..].split_first_chunk::<4>()?;
        let (index, models) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        let index = inflate(index, INDEX_BYTES_MAX)?;
        let mut services = BTreeMap::new();
        for line in index.lines() {
            let [name, prefix, offset, length, actions] = line.split('\t').collect::<Vec<_>>().try_into().ok()?;
            let mut actions: Vec<(Box<str>, bool)> = actions
                .split(',')
                .map(|action| match action.strip_prefix('-') {
                    Some(refused) => (refused.into(), false),
                    None => (action.into(), true),
                })
                .collect();
            actions.sort_unstable();
            let entry =
                Entry { prefix: prefix.into(), offset: offset.parse().ok()?, length: length.parse().ok()?, actions };
            services.insert(name.into(), entry);
        }
        Some(Catalogue { services, models, read: Mutex::default() })
    }

    /// False if this build was made without models: then nothing can be said about names.
    pub fn is_present(&self) -> bool {
        !self.services.is_empty()
    }

    /// True if `aws-sdk:SERVICE:ACTION` can be called; in a build without models, of every name.
    pub fn knows(&self, service: &str, action: &str) -> bool {
        if !self.is_present() {
            return true;
        }
        self.services.get(service).is_some_and(|entry| {
            let found = entry.actions.binary_search_by(|(name, _)| (**name).cmp(action));
            found.is_ok_and(|index| entry.actions[index].1)
        })
    }

    /// The names of all services, sorted.
    pub fn services(&self) -> impl Iterator<Item = &str> {
        self.services.keys().map(|name| &**name)
    }

    /// The name that people know a service by, as in its errors: `DynamoDb`.
    pub fn title(&self, service: &str) -> Option<&str> {
        self.services.get(service).map(|entry| &*entry.prefix)
    }

    /// The actions of a service that tasks may call, sorted.
    pub fn actions(&self, service: &str) -> Option<impl Iterator<Item = &str>> {
        let entry = self.services.get(service)?;
        Some(entry.actions.iter().filter(|(_, callable)| *callable).map(|(name, _)| &**name))
    }

    /// The parameters and the results of an action.
    pub fn fields(&self, service: &str, action: &str) -> Result<Option<ActionFields>, CatalogueError> {
        let model = self.service(service)?;
        Ok(model.operation(action).map(|(_, operation)| ActionFields {
            parameters: model.fields(operation.input.as_ref()),
            results: model.fields(operation.output.as_ref()),
        }))
    }

    /// False of a service whose model is still to be read.
    pub(crate) fn has_read(&self, name: &str) -> bool {
        !self.services.contains_key(name) || self.read.lock().contains_key(name)
    }

    pub(crate) fn service(&self, name: &str) -> Result<Arc<Service>, CatalogueError> {
        if !self.is_present() {
            return Err(CatalogueError::Absent);
        }
        if let Some(service) = self.read.lock().get(name) {
            return Ok(service.clone());
        }
        let entry = self.services.get(name).ok_or_else(|| CatalogueError::UnknownService(name.to_owned()))?;
        let damaged = || CatalogueError::Damaged(name.to_owned());
        let end = entry.offset.checked_add(entry.length).ok_or_else(damaged)?;
        let bytes = self.models.get(entry.offset..end).ok_or_else(damaged)?;
        let text = inflate(bytes, MODEL_BYTES_MAX).ok_or_else(damaged)?;
        let service = Arc::new(Service::read(name, &entry.prefix, &text).ok_or_else(damaged)?);
        self.read.lock().insert(name.into(), service.clone());
        Ok(service)
    }
}

fn inflate(bytes: &[u8], bytes_max: u64) -> Option<String> {
    let mut text = String::new();
    ZlibDecoder::new(bytes).take(bytes_max).read_to_string(&mut text).ok()?;
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every model can be read; says so only where models were made.
    #[test]
    fn every_embedded_model_can_be_read() {
        let catalogue = Catalogue::embedded();
        let names: Vec<String> = catalogue.services().map(str::to_owned).collect();
        for name in &names {
            let service = catalogue.service(name).unwrap();
            for action in catalogue.actions(name).unwrap() {
                assert!(service.operation(action).is_some(), "{name}:{action}");
            }
        }
    }

    #[test]
    fn names_are_known_or_not() {
        let catalogue = Catalogue::embedded();
        if !catalogue.is_present() {
            assert!(catalogue.knows("anything", "atAll"), "without models no name is refused");
            return;
        }
        assert!(catalogue.knows("s3", "getObject"));
        assert!(!catalogue.knows("s3", "selectObjectContent"));
        assert!(!catalogue.knows("s3", "GetObject"));
        assert!(!catalogue.knows("sts", "assumeRole"));
        assert!(!catalogue.knows("nothing", "getObject"));
        assert!(!catalogue.has_read("s3") && catalogue.has_read("nothing"), "there is nothing to be read");
        assert!(catalogue.service("s3").is_ok() && catalogue.has_read("s3"));
        assert_eq!(catalogue.service("nothing").err(), Some(CatalogueError::UnknownService("nothing".to_owned())));
    }

    #[test]
    fn a_file_without_models_has_no_services() {
        assert!(Catalogue::read(b"").is_none());
        assert!(Catalogue::read(b"stepwell\n\x10\0\0\0short").is_none());
    }
}
