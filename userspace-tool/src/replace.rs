// SPDX-License-Identifier: GPL-2.0

//! Replacing a file as a whole.

use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions, Permissions},
    io::{self, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::Path,
};

use nix::fcntl::{Flock, FlockArg};

/// Who may read a file, as chmod(2) takes it.
pub(crate) const OWNER: u32 = 0o600;
pub(crate) const EVERYBODY: u32 = 0o644;

/// Make this the file's contents. Whatever fails, and whenever the power does, the file is the old one or the new one.
/// Folders that are not there are made. A symbolic link stays one.
pub(crate) fn replace(path: &Path, contents: &[u8], readers: u32) -> io::Result<()> {
    // A name alone is in the working folder.
    let path = std::path::absolute(path)?;
    let path = fs::canonicalize(&path).unwrap_or(path);
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    fs::create_dir_all(folder)?;
    // Two that write at once take turns. The lock is the folder, which is what has to reach the disk at the end.
    let folder_file = Flock::lock(File::open(folder)?, FlockArg::LockExclusive)
        .map_err(|(_, errno)| io::Error::from(errno))?;
    let mut name = OsString::from(name);
    name.push(".new");
    let new = folder.join(name);
    let written = write(&new, contents, readers).and_then(|()| fs::rename(&new, &path));
    if written.is_err() {
        let _ = fs::remove_file(&new);
    }
    written?;
    folder_file.sync_all()
}

/// Write a new file, onto the disk. One that was left over by who was killed goes.
fn write(path: &Path, contents: &[u8], readers: u32) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = OpenOptions::new();
    let mut file = options
        .write(true)
        .create_new(true)
        .mode(OWNER)
        .open(path)?;
    file.write_all(contents)?;
    // Whatever the umask is.
    file.set_permissions(Permissions::from_mode(readers))?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt, symlink};

    use super::*;
    use crate::testing::Folder;

    #[test]
    fn a_file_is_made_and_replaced() {
        let folder = Folder::new();
        let path = folder.path().join("a/b/rules");
        for (contents, readers) in [("one", OWNER), ("two", EVERYBODY), ("three", OWNER)] {
            replace(&path, contents.as_bytes(), readers).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), contents);
            assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, readers);
        }
        let names: Vec<_> = fs::read_dir(path.parent().unwrap()).unwrap().collect();
        assert_eq!(names.len(), 1, "{names:?}");
    }

    #[test]
    fn what_was_left_over_is_no_obstacle() {
        let folder = Folder::new();
        let path = folder.path().join("rules");
        let elsewhere = folder.path().join("elsewhere");
        symlink(&elsewhere, folder.path().join("rules.new")).unwrap();
        replace(&path, b"new", OWNER).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert!(!elsewhere.exists());
    }

    #[test]
    fn a_symbolic_link_stays_one() {
        let folder = Folder::new();
        folder.write("versioned/rules", "old");
        let link = folder.path().join("rules");
        symlink("versioned/rules", &link).unwrap();
        replace(&link, b"new", OWNER).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(
            fs::read(folder.path().join("versioned/rules")).unwrap(),
            b"new"
        );
    }

    #[test]
    fn the_old_file_stays_where_the_new_one_cannot_be() {
        let folder = Folder::new();
        folder.write("rules", "old");
        // A folder of that name cannot be removed as a file is.
        folder.write("rules.new/x", "");
        assert!(replace(&folder.path().join("rules"), b"new", OWNER).is_err());
        assert_eq!(fs::read(folder.path().join("rules")).unwrap(), b"old");
    }

    /// A writer that is killed in the middle leaves the old file, whoever comes next writes.
    #[test]
    fn two_at_once_leave_one_of_both() {
        let folder = Folder::new();
        let path = folder.path().join("rules");
        let texts = [b"a".repeat(100_000), b"b".repeat(100_000)];
        std::thread::scope(|scope| {
            for text in &texts {
                scope.spawn(|| (0..20).for_each(|_| replace(&path, text, OWNER).unwrap()));
            }
        });
        assert!(texts.contains(&fs::read(&path).unwrap()));
    }
}
