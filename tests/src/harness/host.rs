//! `stagecall serve` as a separate process.

use std::fs::{File, OpenOptions};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use tokio::net::TcpStream;

use super::command::stagecall;
use super::disk::SmallDisk;
use super::wait::until;

/// The file with the logs of all hosts, in order.
const LOG: &str = "stderr.log";
/// The file with their output.
const OUTPUT: &str = "stdout.log";

/// The number of log lines that a failed test shows.
const SHOWN_LINES: usize = 60;

/// A running host. Dropping it kills it.
pub struct Host {
    child: Child,
    folder: PathBuf,
}

impl Host {
    /// The command that serves a configuration. It sees `disk`, if there is one.
    pub fn command(config: &Path, disk: Option<&SmallDisk>) -> Command {
        let mut command = stagecall();
        command.arg("serve").arg("--config").arg(config);
        match disk {
            Some(disk) => disk.seen_by(&command),
            None => command,
        }
    }

    /// Starts a host with this command. Its log and its output are appended to files in `folder`.
    pub fn start(mut command: Command, folder: &Path, logs: &str) -> Self {
        let child = command
            .env("STAGECALL_LOG", logs)
            .stdin(Stdio::null())
            .stdout(appended(&folder.join(OUTPUT)))
            .stderr(appended(&folder.join(LOG)))
            .spawn()
            .unwrap();
        Self {
            child,
            folder: folder.to_owned(),
        }
    }

    /// Waits until it listens at `addr`.
    pub async fn serves(&mut self, addr: SocketAddr) {
        until("the host serves", async || {
            if let Some(status) = self.child.try_wait().unwrap() {
                panic!("the host exited at once: {status}\n{}", log(&self.folder));
            }
            TcpStream::connect(addr).await.ok()
        })
        .await;
    }

    /// Its peak memory so far, in KiB.
    pub fn memory_peak(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let (_, peak) = status.split_once("VmHWM:").unwrap();
        peak.split_whitespace().next().unwrap().parse().unwrap()
    }

    /// Waits until it exits.
    pub async fn ends(mut self) -> ExitStatus {
        until("the host exits", async || self.child.try_wait().unwrap()).await
    }

    /// Kills it.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Sends it SIGTERM and waits until it exits.
    pub async fn terminate(self) -> ExitStatus {
        self.signal("TERM");
        self.ends().await
    }

    /// Sends it a signal.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("sh")
            .args(["-c", &format!("kill -{name} {}", self.child.id())])
            .status()
            .unwrap();
        assert!(sent.success(), "SIG{name} could not be sent");
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing to do.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            let log = log(&self.folder);
            let lines: Vec<_> = log.lines().collect();
            let last = &lines[lines.len().saturating_sub(SHOWN_LINES)..];
            eprintln!("-- the end of the host's log:\n{}\n--", last.join("\n"));
        }
    }
}

fn appended(file: &Path) -> File {
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(file)
        .unwrap()
}

/// The log of all hosts in `folder`.
pub fn log(folder: &Path) -> String {
    let bytes = std::fs::read(folder.join(LOG)).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}
