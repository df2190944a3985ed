//! Files that appear whole or not at all: written beside their final name, flushed to the disk, then renamed.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use crate::error::{Error, Result, option};

/// What becomes of a file that already has the name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Existing {
    #[default]
    Refuse,
    Replace,
}

/// What a file is filled through.
pub type Output<'a> = BufWriter<&'a mut File>;

/// Writes a file through `fill`. Under `path` nothing incomplete is ever seen, whatever happens in between.
///
/// # Errors
/// The name is taken (a usage error), or the file cannot be written.
pub fn write(path: &Path, existing: Existing, fill: impl FnOnce(&mut Output<'_>) -> io::Result<()>) -> Result<()> {
    // Asked before the work as well as at the rename: better to hear it at once.
    if existing == Existing::Refuse && path.symlink_metadata().is_ok() {
        return Err(taken(path));
    }
    fill_and_rename(path, existing, fill).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => taken(path),
        _ => Error::failed(format!("{}: cannot be written: {error}", path.display()))
            .hint("check the folder, its permissions and the space left on the disk"),
    })
}

/// What a file is called while it is written.
const PREFIX: &str = ".equirisk-";
const SUFFIX: &str = ".part";

/// Removes from a folder what programs that were killed left half written. Nobody else may be writing there.
pub fn sweep(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        if name.to_str().is_some_and(|name| name.starts_with(PREFIX) && name.ends_with(SUFFIX)) {
            // Nothing can be done about a file that stays.
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Whether both are names of one file.
pub fn same(a: &Path, b: &Path) -> bool {
    a.canonicalize().is_ok_and(|a| b.canonicalize().is_ok_and(|b| a == b))
}

fn taken(path: &Path) -> Error {
    Error::usage(format!("{}: this file exists", path.display()))
        .hint(format!("say {} to replace it, or choose another name", option("force")))
}

fn fill_and_rename(
    path: &Path,
    existing: Existing,
    fill: impl FnOnce(&mut Output<'_>) -> io::Result<()>,
) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let mut builder = tempfile::Builder::new();
    builder.prefix(PREFIX).suffix(SUFFIX);
    #[cfg(unix)]
    {
        // As for any new file: the umask takes from it. The default of a temporary file hides it from others.
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    // Without the name of the temporary file, which the user has never seen.
    let mut temporary = builder.tempfile_in(folder).map_err(|error| io::Error::from(error.kind()))?;
    let mut output = BufWriter::new(temporary.as_file_mut());
    fill(&mut output)?;
    output.flush()?;
    drop(output);
    temporary.as_file().sync_all()?;
    match existing {
        Existing::Replace => temporary.persist(path)?,
        Existing::Refuse => temporary.persist_noclobber(path)?,
    };
    // The new name itself must survive a power cut; not every system can flush a folder.
    #[cfg(unix)]
    File::open(folder)?.sync_all()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_leaves_what_was_there() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("result.csv");
        write(&path, Existing::Refuse, |file| file.write_all(b"first")).expect("a new file");
        let error = write(&path, Existing::Refuse, |file| file.write_all(b"second")).expect_err("the name is taken");
        assert_eq!(error.kind, crate::ErrorKind::Usage);
        let error = write(&path, Existing::Replace, |file| {
            file.write_all(b"half a")?;
            Err(io::Error::other("the disk is full"))
        });
        assert!(error.expect_err("filling failed").message.contains("the disk is full"));
        assert_eq!(fs::read(&path).expect("still there"), b"first");
        write(&path, Existing::Replace, |file| file.write_all(b"third")).expect("replaced");
        assert_eq!(fs::read(&path).expect("still there"), b"third");
        assert_eq!(fs::read_dir(folder.path()).expect("listable").count(), 1, "no temporary file stays behind");
    }

    #[test]
    fn a_missing_folder_is_a_failure() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let error = write(&folder.path().join("no/where"), Existing::Refuse, |_| Ok(())).expect_err("no such folder");
        assert_eq!(error.kind, crate::ErrorKind::Failed);
    }
}
