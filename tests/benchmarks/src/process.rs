//! A function's process.

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use serde_json::Value;
use tokio::process::{Child, Command};

use crate::runtime_api::RuntimeApi;

/// The name under which everything is set up.
pub const STACK: &str = "bench";

/// A function's process, which ends when this is dropped.
pub struct Process {
    api: RuntimeApi,
    child: Child,
    /// From its start to its asking for an event.
    pub init: Duration,
}

impl Process {
    /// Starts a function as the template would, with `endpoint` for AWS, and waits until it is ready.
    pub async fn start(binary: &Path, endpoint: &str) -> anyhow::Result<Self> {
        let mut api = RuntimeApi::start().await?;
        let mut command = Command::new(binary);
        command
            .env_clear()
            .env("AWS_LAMBDA_RUNTIME_API", api.address())
            .env("AWS_LAMBDA_FUNCTION_NAME", STACK)
            .env("AWS_LAMBDA_FUNCTION_VERSION", "1")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
            .env("AWS_LAMBDA_LOG_GROUP_NAME", STACK)
            .env("AWS_LAMBDA_LOG_STREAM_NAME", STACK)
            .env("AWS_REGION", "eu-west-2")
            .env("AWS_ACCESS_KEY_ID", "id")
            .env("AWS_SECRET_ACCESS_KEY", "key")
            .env("AWS_ENDPOINT_URL", endpoint)
            .env("STAGECALL_POLL_QUEUE", format!("{endpoint}/poll"))
            .env("STAGECALL_INVITE_QUEUE", format!("{endpoint}/invite"))
            .env("STAGECALL_RESULT_QUEUE", format!("{endpoint}/result"))
            .env("STAGECALL_SANDBOX", "true")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true);
        for name in ["STACK", "TABLE", "BUS", "SECRETS"] {
            command.env(format!("STAGECALL_{name}"), STACK);
        }
        let begun = Instant::now();
        let child = command
            .spawn()
            .with_context(|| format!("{} cannot be started", binary.display()))?;
        let init = api.ready().await? - begun;
        Ok(Self { api, child, init })
    }

    /// Lets it handle an event within `time`.
    pub async fn invoke(&mut self, event: &Value, time: Duration) -> anyhow::Result<Value> {
        self.api.invoke(event, time).await
    }

    /// The most memory that it has had so far, in megabytes: everything resident, its own code included.
    pub fn peak_memory(&self) -> anyhow::Result<f64> {
        let id = self.child.id().context("the process has ended")?;
        let status = std::fs::read_to_string(format!("/proc/{id}/status"))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
        let kibibytes: f64 = kibibytes
            .context("the system does not tell peak memory")?
            .parse()?;
        Ok(kibibytes * 1024.0 / 1e6)
    }

    /// Ends it.
    pub async fn end(mut self) -> anyhow::Result<()> {
        self.child.kill().await?;
        Ok(())
    }
}
