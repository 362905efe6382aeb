//! A small disk for a host, which can be filled and emptied while the host runs: a file system in memory, in a namespace
//! that only the host sees. Linux only, where this user may create a namespace.

use std::fs::File;
use std::io::{BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A small disk. It is removed when it is dropped.
pub struct SmallDisk {
    // Holds the namespace until its standard input ends.
    holder: Child,
    folder: PathBuf,
}

impl SmallDisk {
    /// Creates a disk of `bytes` bytes at `folder`. `Err` has the reason why this machine does not allow it.
    pub fn new(folder: &Path, bytes: usize) -> Result<Self, String> {
        std::fs::create_dir(folder).unwrap();
        let script = format!("mount -t tmpfs -o size={bytes} none \"$0\" && echo mounted && cat");
        let mut holder = Command::new("unshare")
            .args(["--user", "--map-root-user", "--mount", "sh", "-c", &script])
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|problem| format!("unshare cannot be run: {problem}"))?;
        let mut said = String::new();
        let mut out = BufReader::new(holder.stdout.take().unwrap());
        out.read_line(&mut said).unwrap();
        if said.trim() == "mounted" {
            return Ok(Self {
                holder,
                folder: folder.to_owned(),
            });
        }
        holder.wait().unwrap();
        let mut why = String::new();
        let mut err = holder.stderr.take().unwrap();
        err.read_to_string(&mut why).unwrap();
        Err(why)
    }

    /// A command that sees the disk in place of the folder.
    pub fn seen_by(&self, command: &Command) -> Command {
        let mut seeing = Command::new("nsenter");
        seeing
            .args(["--user", "--mount", "--preserve-credentials"])
            .args(["--target", &self.holder.id().to_string()])
            .arg(command.get_program())
            .args(command.get_args());
        seeing
    }

    /// Fills it to the last byte.
    pub fn fill(&self) {
        let mut file = File::options()
            .create(true)
            .append(true)
            .open(self.filler())
            .unwrap();
        let block = [b'x'; 4096];
        loop {
            match file.write_all(&block) {
                Ok(()) => {}
                Err(problem) if problem.kind() == ErrorKind::StorageFull => return,
                Err(problem) => panic!("the disk could not be filled: {problem}"),
            }
        }
    }

    /// Frees the space again.
    pub fn clear(&self) {
        std::fs::remove_file(self.filler()).unwrap();
    }

    /// Its path outside the namespace.
    pub fn outside(&self) -> PathBuf {
        let outside = PathBuf::from(format!("/proc/{}/root", self.holder.id()));
        outside.join(self.folder.strip_prefix("/").unwrap())
    }

    /// The file that fills it.
    fn filler(&self) -> PathBuf {
        self.outside().join("filler")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing to do.
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}
