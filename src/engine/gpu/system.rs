//! The machine around the adapters: its files and its variables.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Where device files, libraries and variables are looked up.
#[derive(Debug, Clone)]
pub struct System {
    root: PathBuf,
    variables: BTreeMap<String, String>,
}

/// Whether a device file can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    Open,
    /// By the owner and mode of the file.
    Denied,
    /// By something else, such as the control group of a job.
    Forbidden,
    /// It is not there, or answers with another error.
    Absent,
}

impl System {
    /// This machine, and the variables of this process.
    pub fn here() -> System {
        let text = |name: std::ffi::OsString| name.into_string().ok();
        let variables = std::env::vars_os().filter_map(|(name, value)| Some((text(name)?, text(value)?))).collect();
        System { root: PathBuf::from("/"), variables }
    }

    /// A machine whose files lie under `root`.
    pub fn made_up(root: &Path, variables: &[(&str, &str)]) -> System {
        let owned = |&(name, value): &(&str, &str)| (name.to_owned(), value.to_owned());
        System { root: root.to_owned(), variables: variables.iter().map(owned).collect() }
    }

    pub fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str)
    }

    /// Where a file of this machine really is.
    fn place(&self, path: &str) -> PathBuf {
        self.root.join(path.trim_start_matches('/'))
    }

    pub fn has(&self, path: &str) -> bool {
        self.place(path).exists()
    }

    /// The text of a file, where there is one.
    pub fn read(&self, path: &str) -> Option<String> {
        let bytes = std::fs::read(self.place(path)).ok()?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The names in a folder, in order; none where there is no such folder.
    pub fn names(&self, folder: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.place(folder)).into_iter().flatten().flatten();
        let mut names: Vec<_> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
        names.sort();
        names
    }

    /// What opening a device file to read and write comes to.
    pub fn access(&self, path: &str) -> Access {
        /// EPERM on Linux.
        const NOT_PERMITTED: i32 = 1;
        match std::fs::OpenOptions::new().read(true).write(true).open(self.place(path)) {
            Ok(_) => Access::Open,
            Err(error) if error.raw_os_error() == Some(NOT_PERMITTED) => Access::Forbidden,
            Err(error) if error.kind() == ErrorKind::PermissionDenied => Access::Denied,
            Err(_) => Access::Absent,
        }
    }
}
