//! What can go wrong with a stack, on purpose.

use std::process::Stdio;

use aws_sdk_sqs::types::MessageSystemAttributeName;
use serde_json::json;
use stagecall_http::Method;
use tokio::process::Command;

use super::{Queue, Stack};
use crate::Error;
use crate::functions::Function;

const MAPPINGS: &str = "2015-03-31/event-source-mappings/";

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

    /// Puts a copy of every message that waits in the queue beside it, as if SQS had handed out each twice. To be used
    /// while nobody takes from the queue. Returns how many there were.
    pub async fn double(&self, queue: Queue) -> Result<usize, Error> {
        let what = "copy messages";
        let address = self.address(queue)?;
        let mut taken = Vec::new();
        loop {
            let answer = self
                .sqs
                .receive_message()
                .queue_url(address)
                .max_number_of_messages(10)
                .visibility_timeout(60)
                .wait_time_seconds(0)
                .message_system_attribute_names(MessageSystemAttributeName::MessageGroupId)
                .send()
                .await
                .map_err(|problem| Error::refused(what, problem.into_service_error()))?;
            let messages = answer.messages.unwrap_or_default();
            if messages.is_empty() {
                break;
            }
            taken.extend(messages);
        }
        for message in &taken {
            let group = message
                .attributes
                .as_ref()
                .and_then(|all| all.get(&MessageSystemAttributeName::MessageGroupId));
            self.sqs
                .send_message()
                .queue_url(address)
                .set_message_body(message.body.clone())
                .set_message_group_id(group.cloned())
                .send()
                .await
                .map_err(|problem| Error::refused(what, problem.into_service_error()))?;
            self.sqs
                .change_message_visibility()
                .queue_url(address)
                .set_receipt_handle(message.receipt_handle.clone())
                .visibility_timeout(0)
                .send()
                .await
                .map_err(|problem| Error::refused(what, problem.into_service_error()))?;
        }
        Ok(taken.len())
    }

    /// Kills every running process of a function, as when its machine is lost. Returns how many there were. Finds them
    /// by `/proc`, so on Linux only.
    pub async fn kill(&self, function: Function) -> Result<usize, Error> {
        let name = format!("AWS_LAMBDA_FUNCTION_NAME={}-{function}", self.name());
        let endpoint = self.parts.endpoint.as_str().trim_end_matches('/');
        let endpoint = format!("AWS_ENDPOINT_URL={endpoint}");
        let mut killed = 0;
        for process in processes()? {
            // One that has just ended, or is somebody else's, cannot be read.
            let Ok(environment) = std::fs::read(format!("/proc/{process}/environ")) else {
                continue;
            };
            let has = |wanted: &str| {
                environment
                    .split(|byte| *byte == 0)
                    .any(|variable| variable == wanted.as_bytes())
            };
            if has(&name) && has(&endpoint) {
                let done = Command::new("kill")
                    .args(["-KILL", &process])
                    .stdin(Stdio::null())
                    .stderr(Stdio::null())
                    .status()
                    .await;
                killed += usize::from(done.is_ok_and(|status| status.success()));
            }
        }
        Ok(killed)
    }
}

/// The numbers of all processes.
fn processes() -> Result<Vec<String>, Error> {
    let folder = std::path::Path::new("/proc");
    let entries = std::fs::read_dir(folder).map_err(|problem| Error::file(folder, problem))?;
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    Ok(names
        .filter(|name| name.bytes().all(|byte| byte.is_ascii_digit()))
        .collect())
}
