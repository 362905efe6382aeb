//! The file with the key that callback tokens are made from: 32 random bytes in hex.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::path::Path;

use secrecy::{ExposeSecret as _, SecretBox, SecretString};

/// The key in the file at `path`; a new one if there is no such file. The error is a text.
pub(super) fn read_or_create(path: &Path) -> Result<SecretBox<[u8; 32]>, String> {
    match fs::read_to_string(path) {
        Ok(text) => parse(path, &SecretString::from(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            create(path)
                .map_err(|error| format!("{} cannot be created: {error}", path.display()))?;
            // Read back: if another process was faster, the file has its key.
            let text = fs::read_to_string(path).map_err(|error| unreadable(path, &error))?;
            parse(path, &SecretString::from(text))
        }
        Err(error) => Err(unreadable(path, &error)),
    }
}

fn unreadable(path: &Path, error: &std::io::Error) -> String {
    format!("{} cannot be read: {error}", path.display())
}

fn parse(path: &Path, text: &SecretString) -> Result<SecretBox<[u8; 32]>, String> {
    let mut key = Box::new([0; 32]);
    hex::decode_to_slice(text.expose_secret().trim(), key.as_mut_slice()).map_err(|_| {
        format!(
            "{} does not hold 64 hex digits. Restore it, or delete it and register all callbacks again",
            path.display()
        )
    })?;
    Ok(SecretBox::new(key))
}

/// Writes a new key to `path`, atomically and durably, never over another one.
fn create(path: &Path) -> std::io::Result<()> {
    let mut key = [0; 32];
    getrandom::fill(&mut key).map_err(std::io::Error::other)?;
    let mut draft = path.as_os_str().to_owned();
    draft.push(format!(".{}.new", std::process::id()));
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&draft)?;
    writeln!(file, "{}", hex::encode(key))?;
    file.sync_all()?;
    // A link: a rename would replace the file of a process that was faster.
    let linked = fs::hard_link(&draft, path);
    fs::remove_file(&draft)?;
    match linked {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    #[cfg(unix)]
    if let Some(directory) = path.parent() {
        let directory = if directory.as_os_str().is_empty() {
            Path::new(".")
        } else {
            directory
        };
        File::open(directory)?.sync_all()?;
    }
    Ok(())
}
