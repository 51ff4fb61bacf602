//! Objects that are files of this machine: a bucket `file:///PATH` is a folder, a key is a path below it.
//!
//! Only folders at or below one of the operator's roots are buckets, and no path leads out of its root, also by symbolic
//! links: each is walked by `cap-std`, from an open folder.

use std::{
    io::{self, Write},
    path::{Component, Path, PathBuf},
    sync::Arc,
    time::UNIX_EPOCH,
};

use bytes::Bytes;
use cap_std::{
    ambient_authority,
    fs::{Dir, File, FileExt, Metadata},
};

use super::{
    FileRoots, Problem,
    bucket::{Listed, Piece},
    s3::changed,
};
use crate::limits::{FOLDER_DEPTH_MAX, FOLDER_ENTRIES_MAX, LISTING_PAGE_OBJECTS};

#[derive(Clone)]
pub(super) struct Folder(Arc<Place>);

struct Place {
    name: Arc<str>,
    root: PathBuf,
    /// Below the root.
    path: PathBuf,
}

impl Folder {
    /// `path` is absolute, and is taken letter by letter.
    pub(super) fn new(roots: &FileRoots, name: &Arc<str>, path: &str) -> Result<Folder, Problem> {
        let path = Path::new(path);
        let is_plain = path.components().all(|part| matches!(part, Component::RootDir | Component::Normal(_)));
        if !path.is_absolute() || !is_plain {
            return Err(Problem::new(format!("the bucket `{name}` names no absolute path, as in file:///srv/data")));
        }
        let root = roots.iter().find(|root| path.starts_with(root));
        let not_allowed = || {
            let why = "is at or below no folder that `file_roots` of `[map]` in stepwell.toml allows";
            Problem::new(format!("the bucket `{name}` {why}"))
        };
        let root = root.ok_or_else(not_allowed)?.clone();
        let path = path.strip_prefix(&root).map_or_else(|_| PathBuf::new(), Path::to_owned);
        Ok(Folder(Arc::new(Place { name: name.clone(), root, path })))
    }

    pub(super) fn name(&self) -> &str {
        &self.0.name
    }

    pub(super) async fn read(
        &self,
        key: &str,
        at: u64,
        length: usize,
        version: Option<&str>,
    ) -> Result<Piece, Problem> {
        let version = version.map(str::to_owned);
        self.with(key, move |folder, key| {
            let file = folder.open()?.open(key)?;
            let metadata = file.metadata()?;
            if metadata.is_dir() {
                return Err(io::Error::from(io::ErrorKind::IsADirectory).into());
            }
            let found = version_of(&metadata);
            if version.is_some_and(|version| version != found) {
                return Err(Trouble::Told(changed(folder.name(), key)));
            }
            let mut bytes = vec![0; length];
            let mut filled = 0;
            while filled < length {
                match file.read_at(&mut bytes[filled..], at + filled as u64) {
                    Ok(0) => break,
                    Ok(count) => filled += count,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => return Err(error.into()),
                }
            }
            bytes.truncate(filled);
            Ok(Piece { bytes: bytes.into(), size: metadata.len(), version: found.into() })
        })
        .await
    }

    pub(super) async fn list(&self, prefix: &str, after: Option<&str>) -> Result<FolderListing, Problem> {
        let after = after.map(Box::from);
        let prefix: Box<str> = prefix.into();
        self.with("", move |folder, _| {
            let mut walk = Walk { prefix, after, open: Vec::new() };
            walk.enter(folder.open()?, String::new())?;
            Ok(FolderListing { folder: folder.clone(), walk: Some(walk) })
        })
        .await
    }

    pub(super) async fn create(&self, key: &str) -> Result<FolderUpload, Problem> {
        self.with(key, |folder, key| {
            let root = folder.open_root()?;
            let path = folder.0.path.join(key);
            if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
                root.create_dir_all(parent)?;
            }
            Ok(FolderUpload { folder: folder.clone(), key: key.into(), file: Arc::new(root.create(&path)?) })
        })
        .await
    }

    fn open_root(&self) -> io::Result<Dir> {
        Dir::open_ambient_dir(&self.0.root, ambient_authority())
    }

    fn open(&self) -> io::Result<Dir> {
        let root = self.open_root()?;
        match self.0.path.as_os_str().is_empty() {
            true => Ok(root),
            false => root.open_dir(&self.0.path),
        }
    }

    /// Does what may block where that blocks nobody.
    async fn with<T: Send + 'static>(
        &self,
        key: &str,
        work: impl FnOnce(&Folder, &str) -> Result<T, Trouble> + Send + 'static,
    ) -> Result<T, Problem> {
        let (folder, key) = (self.clone(), key.to_owned());
        let done = tokio::task::spawn_blocking(move || {
            work(&folder, &key).map_err(|trouble| match trouble {
                Trouble::Told(problem) => problem,
                Trouble::Io(error) => {
                    Problem::new(format!("`{key}` of the bucket `{}` cannot be used: {error}", folder.name()))
                }
            })
        });
        done.await.unwrap_or_else(|error| Err(Problem::new(error.to_string())))
    }
}

enum Trouble {
    Io(io::Error),
    Told(Problem),
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Trouble {
        Trouble::Io(error)
    }
}

/// Changes when the file does.
fn version_of(metadata: &Metadata) -> String {
    let modified = metadata.modified().ok().and_then(|time| time.into_std().duration_since(UNIX_EPOCH).ok());
    format!("\"{:x}-{:x}\"", metadata.len(), modified.unwrap_or_default().as_nanos())
}

/// A walk through a folder, page by page.
pub(super) struct FolderListing {
    folder: Folder,
    /// `None` at the end, and while a page is read.
    walk: Option<Walk>,
}

impl FolderListing {
    /// The next objects; none at the end.
    pub(super) async fn page(&mut self) -> Result<Vec<Listed>, Problem> {
        let Some(mut walk) = self.walk.take() else { return Ok(Vec::new()) };
        let page = self.folder.with("", move |_, _| {
            let page = walk.page()?;
            Ok((page, walk))
        });
        let (page, walk) = page.await?;
        self.walk = (!page.is_empty()).then_some(walk);
        Ok(page)
    }
}

/// Files in the order of their keys, as S3 lists objects.
struct Walk {
    prefix: Box<str>,
    after: Option<Box<str>>,
    /// The folders on the way to the next file: each with what its keys begin with, and what it still has, last first.
    open: Vec<(Dir, String, Vec<Entry>)>,
}

struct Entry {
    /// Of a folder with `/`: so it stands where its files' keys stand.
    name: String,
    is_folder: bool,
}

impl Walk {
    fn page(&mut self) -> Result<Vec<Listed>, Trouble> {
        let mut page = Vec::new();
        while page.len() < LISTING_PAGE_OBJECTS {
            let Some((dir, path, entries)) = self.open.last_mut() else { break };
            let Some(Entry { name, is_folder }) = entries.pop() else {
                self.open.pop();
                continue;
            };
            let key = format!("{path}{name}");
            if is_folder {
                let inner = dir.open_dir(name.trim_end_matches('/'))?;
                self.enter(inner, key)?;
                continue;
            }
            // What a symbolic link names outside of the root is not there.
            let Ok(metadata) = dir.metadata(&name) else { continue };
            if metadata.is_file() {
                page.push(listed(key.into(), &metadata));
            }
        }
        Ok(page)
    }

    /// Goes on with the entries of a folder whose keys begin with `path`.
    fn enter(&mut self, dir: Dir, path: String) -> Result<(), Trouble> {
        if self.open.len() >= FOLDER_DEPTH_MAX {
            return Err(Trouble::Told(Problem::new(format!("the folder `{path}` is deeper than {FOLDER_DEPTH_MAX}"))));
        }
        let mut entries = Vec::new();
        for entry in dir.entries()? {
            let entry = entry?;
            let not_text = || Trouble::Told(Problem::new(format!("a file's name in the folder `{path}` is no UTF-8")));
            let mut name = entry.file_name().into_string().map_err(|_| not_text())?;
            let is_folder = entry.file_type()?.is_dir();
            if is_folder {
                name.push('/');
            }
            if self.is_wanted(&format!("{path}{name}"), is_folder) {
                entries.push(Entry { name, is_folder });
            }
            if entries.len() > FOLDER_ENTRIES_MAX {
                let problem = format!("the folder `{path}` holds more than {FOLDER_ENTRIES_MAX} files");
                return Err(Trouble::Told(Problem::new(problem)));
            }
        }
        entries.sort_by(|one, other| other.name.cmp(&one.name));
        self.open.push((dir, path, entries));
        Ok(())
    }

    fn is_wanted(&self, key: &str, is_folder: bool) -> bool {
        let after = self.after.as_deref().unwrap_or("");
        match is_folder {
            true => {
                let has_prefix = key.starts_with(&*self.prefix) || self.prefix.starts_with(key);
                has_prefix && (key > after || after.starts_with(key))
            }
            false => key.starts_with(&*self.prefix) && key > after,
        }
    }
}

fn listed(key: Arc<str>, metadata: &Metadata) -> Listed {
    let modified = metadata.modified().ok().and_then(|time| time.into_std().duration_since(UNIX_EPOCH).ok());
    Listed {
        key,
        etag: version_of(metadata).into(),
        last_modified: i64::try_from(modified.unwrap_or_default().as_secs()).unwrap_or(i64::MAX),
        size: i64::try_from(metadata.len()).unwrap_or(i64::MAX),
        storage_class: "STANDARD".into(),
    }
}

/// A file that is being written.
pub(super) struct FolderUpload {
    folder: Folder,
    key: Box<str>,
    file: Arc<File>,
}

impl FolderUpload {
    pub(super) async fn write(&mut self, bytes: Bytes) -> Result<(), Problem> {
        let file = self.file.clone();
        self.folder.with(&self.key, move |_, _| Ok((&*file).write_all(&bytes)?)).await
    }

    pub(super) async fn finish(mut self, bytes: Bytes) -> Result<(), Problem> {
        self.write(bytes).await?;
        self.folder
            .with(&self.key, move |folder, key| {
                self.file.sync_all()?;
                // The name must last as well as what is in it.
                let path = folder.0.path.join(key);
                let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
                Ok(folder.open_root()?.open(parent.unwrap_or(Path::new(".")))?.sync_all()?)
            })
            .await
    }
}
