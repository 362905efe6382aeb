//! A share of a core for a process, as a small function has it: by the kernel's control groups.

use std::fs;
use std::path::{Path, PathBuf};

use tokio::process::Command;

/// The share: that of 128 MB of memory, of which 1769 are a whole core.
pub const SHARE: f64 = 0.07;

/// The length of a period, in microseconds. Within it the share is used up at once, so it is kept short.
const PERIOD: u32 = 20_000;

/// A control group with the share. Dropping it removes it; its processes must have ended.
pub struct Group(PathBuf);

impl Group {
    /// Makes one; the error says why that cannot be.
    pub fn new() -> Result<Self, String> {
        let cannot = |what: &Path, error: std::io::Error| {
            format!("no share of a core: {}: {error}", what.display())
        };
        let name = format!("stagecall-bench-{}", std::process::id());
        let root = Path::new("/sys/fs/cgroup");
        let unified = fs::read_to_string(root.join("cgroup.controllers"));
        let second = unified.is_ok_and(|all| all.split_whitespace().any(|one| one == "cpu"));
        let group = if second {
            root.join(name)
        } else {
            root.join("cpu").join(name)
        };
        fs::create_dir(&group).map_err(|error| cannot(&group, error))?;
        let group = Self(group);
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "small and positive"
        )]
        let quota = (f64::from(PERIOD) * SHARE) as u32;
        let settings: &[(&str, String)] = if second {
            &[("cpu.max", format!("{quota} {PERIOD}"))]
        } else {
            &[
                ("cpu.cfs_period_us", PERIOD.to_string()),
                ("cpu.cfs_quota_us", quota.to_string()),
            ]
        };
        for (file, value) in settings {
            let file = group.0.join(file);
            fs::write(&file, value).map_err(|error| cannot(&file, error))?;
        }
        Ok(group)
    }

    /// A command that runs `program` within the group from its first instruction on.
    pub fn command(&self, program: &Path) -> Command {
        let mut command = Command::new("sh");
        command
            .args(["-c", "echo $$ >\"$0\"; exec \"$@\""])
            .arg(self.0.join("cgroup.procs"))
            .arg(program);
        command
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir(&self.0) {
            eprintln!("{} is left behind: {error}", self.0.display());
        }
    }
}
