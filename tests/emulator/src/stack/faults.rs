//! What can go wrong with a stack's functions, on purpose.

use std::process::Stdio;

use serde_json::json;
use stagecall_http::Method;

use super::{Queue, Stack};
use crate::Error;
use crate::functions::Function;
use crate::process::{running, signal, stop};

const MAPPINGS: &str = "2015-03-31/event-source-mappings/";

/// Processes of a function that stand still. Dropping it kills them, so that none stays behind.
pub struct Paused(Vec<String>);

impl Paused {
    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// Lets them go on with whatever they were about to do. Returns how many were still there.
    pub async fn go_on(mut self) -> usize {
        let mut awake = 0;
        for process in std::mem::take(&mut self.0) {
            awake += usize::from(signal("CONT", &process).await);
        }
        awake
    }
}

impl Drop for Paused {
    fn drop(&mut self) {
        if !self.0.is_empty() {
            // They may have ended already; then there is nothing to do.
            let _ = std::process::Command::new("kill")
                .arg("-KILL")
                .args(&self.0)
                .stdin(Stdio::null())
                .stderr(Stdio::null())
                .status();
        }
    }
}

impl Stack {
    /// Lets the queue's function take from it, or not.
    pub async fn serve(&self, queue: Queue, on: bool) -> Result<(), Error> {
        let what = "turn an event source mapping on or off";
        let path = format!(
            "{MAPPINGS}?FunctionName={}-{}",
            self.name(),
            queue.function()
        );
        let found = self
            .caller()
            .path("lambda", what, Method::Get, &path, None)
            .await?;
        let id = found["EventSourceMappings"][0]["UUID"]
            .as_str()
            .ok_or_else(|| Error::refused(what, format!("there is none for {queue}")))?;
        let path = format!("{MAPPINGS}{id}");
        let enabled = json!({"Enabled": on});
        self.caller()
            .path("lambda", what, Method::Put, &path, Some(&enabled))
            .await?;
        Ok(())
    }

    /// Kills every running process of a function, as when its machine is lost; those that stand still are left alone.
    /// Returns how many there were.
    pub async fn kill(&self, function: Function) -> Result<usize, Error> {
        let mut killed = 0;
        for process in self.processes(function)? {
            killed += usize::from(signal("KILL", &process).await);
        }
        Ok(killed)
    }

    /// Lets every running process of a function stand still, as when its machine is starved or frozen. Their queue hands
    /// out the work anew when it has waited long enough, to processes that are started for it.
    pub async fn pause(&self, function: Function) -> Result<Paused, Error> {
        let mut paused = Paused(Vec::new());
        for process in self.processes(function)? {
            if stop(&process).await {
                paused.0.push(process);
            }
        }
        Ok(paused)
    }

    /// The running processes of a function, known by their environment.
    fn processes(&self, function: Function) -> Result<Vec<String>, Error> {
        let endpoint = self.parts.endpoint.as_str().trim_end_matches('/');
        running(&[
            format!("AWS_LAMBDA_FUNCTION_NAME={}-{function}", self.name()),
            format!("AWS_ENDPOINT_URL={endpoint}"),
        ])
    }
}
