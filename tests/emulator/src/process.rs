//! Processes of this machine, by `/proc`, so on Linux only; and signals to them.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

use crate::Error;

/// The state of a process that stands still.
const STOPPED: char = 'T';
/// The state of one that has ended and was not yet waited for.
const ENDED: char = 'Z';

/// The processes whose environment has all these variables, each `NAME=value`, and that are not stopped.
pub(crate) fn running(variables: &[String]) -> Result<Vec<String>, Error> {
    let mut found = all()?;
    found.retain(|process| {
        // One that has just ended, or is somebody else's, cannot be read.
        let Ok(environment) = fs::read(format!("/proc/{process}/environ")) else {
            return false;
        };
        let has = |wanted: &String| {
            environment
                .split(|byte| *byte == 0)
                .any(|variable| variable == wanted.as_bytes())
        };
        variables.iter().all(has) && state_of(process) != Some(STOPPED)
    });
    Ok(found)
}

/// Sends a process a signal. Returns whether it was there.
pub(crate) async fn signal(name: &str, process: &str) -> bool {
    let done = Command::new("kill")
        .args([&format!("-{name}"), process])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .await;
    done.is_ok_and(|status| status.success())
}

/// Lets a process stand still, and waits until it does. Returns whether it was there.
pub(crate) async fn stop(process: &str) -> bool {
    let there = signal("STOP", process).await;
    while there && matches!(state_of(process), Some(state) if state != STOPPED && state != ENDED) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    there
}

/// The numbers of all processes.
fn all() -> Result<Vec<String>, Error> {
    let folder = Path::new("/proc");
    let entries = fs::read_dir(folder).map_err(|problem| Error::file(folder, problem))?;
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    Ok(names
        .filter(|name| name.bytes().all(|byte| byte.is_ascii_digit()))
        .collect())
}

/// The state of a process, if it is there.
fn state_of(process: &str) -> Option<char> {
    state(&fs::read_to_string(format!("/proc/{process}/stat")).ok()?)
}

/// The state in a line of `/proc/…/stat`. Before it is the program's name in parentheses, which may have some itself.
fn state(about: &str) -> Option<char> {
    let (_, after) = about.rsplit_once(") ")?;
    after.chars().next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_is_read_whatever_the_program_is_called() {
        assert_eq!(state("17 (bootstrap) S 1 17 17 0"), Some('S'));
        assert_eq!(state("17 (odd) name) T 1 17 17 0"), Some('T'));
        assert_eq!(state(""), None);
    }

    #[tokio::test]
    async fn a_stopped_process_is_not_running_until_resumed() {
        let sleeper = Command::new("sleep")
            .arg("60")
            .env("STAGECALL_SLEEPER", "1")
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let process = sleeper.id().unwrap().to_string();
        let runs = || {
            !running(&["STAGECALL_SLEEPER=1".to_owned()])
                .unwrap()
                .is_empty()
        };
        // A program that is just beginning has no environment yet.
        let begins = async {
            while !runs() {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), begins)
            .await
            .unwrap();
        assert!(stop(&process).await);
        assert!(!runs());
        assert!(signal("CONT", &process).await);
        while state_of(&process) == Some(STOPPED) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        assert!(runs());
    }
}
