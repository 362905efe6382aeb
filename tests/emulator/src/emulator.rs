//! The emulator's process, and deploying to it.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use aws_sdk_dynamodb::config::Credentials;
use serde_json::Value;
use stagecall_aws::Access;
use stagecall_core::timing::Timing;
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use url::Url;

use crate::functions::Functions;
use crate::signed::Caller;
use crate::stack::{Parts, Stack};
use crate::{Error, end_of, process, repository, tell, tools};

/// Where everything is, for the emulator.
pub(crate) const REGION: &str = "eu-west-2";

/// The owner of the account, who may do everything. The functions have their roles instead.
const OWNER: &str = "test";

/// The timeout for the emulator to listen. It takes half a second on an idle machine.
const START_TIMEOUT: Duration = Duration::from_mins(1);

/// What is to be deployed.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The stack's name.
    pub name: String,
    /// Its intervals.
    pub timing: Timing,
    /// The text of its template.
    pub template: String,
}

impl Plan {
    /// The project's own template, as it is.
    pub async fn new(name: &str, timing: Timing) -> Result<Self, Error> {
        let path = repository().join("template.yaml");
        let template = tokio::fs::read_to_string(&path)
            .await
            .map_err(|problem| Error::file(&path, problem))?;
        Ok(Self {
            name: name.to_owned(),
            timing,
            template,
        })
    }

    /// The template's parameters. Those that are not named keep their defaults.
    fn parameters(&self) -> Result<Vec<String>, Error> {
        let architecture = if cfg!(target_arch = "aarch64") {
            "arm64"
        } else {
            "x86_64"
        };
        let timing = serde_json::to_string(&self.timing)
            .map_err(|problem| Error::refused("write the intervals", problem))?;
        Ok(vec![
            format!("Architecture={architecture}"),
            // The emulator has no archives of events and does not keep what a deleted stack leaves.
            "ArchiveDays=0".to_owned(),
            "ProtectTable=false".to_owned(),
            "Sandbox=true".to_owned(),
            format!("Timing='{timing}'"),
        ])
    }
}

/// A running emulator. Dropping it ends it, with all functions and all data.
pub struct Emulator {
    process: Child,
    endpoint: Url,
    port: u16,
    commands: PathBuf,
    folder: TempDir,
}

impl Emulator {
    /// Starts one on a free port, for stacks of these functions. Installs it first if need be.
    pub async fn start(functions: &Functions) -> Result<Self, Error> {
        let commands = tools::commands().await?;
        tell("starting the emulator");
        let folder =
            tempfile::tempdir().map_err(|problem| Error::file(Path::new("/tmp"), problem))?;
        functions.lay_out(&built(folder.path())).await?;
        let port = free_port().map_err(|problem| Error::refused("find a free port", problem))?;
        let endpoint = Url::parse(&format!("http://127.0.0.1:{port}/"))
            .map_err(|problem| Error::refused("find a free port", problem))?;
        let process = spawn(&commands, folder.path(), &endpoint, port)?;
        let mut emulator = Self {
            process,
            endpoint,
            port,
            commands,
            folder,
        };
        emulator.listens().await?;
        Ok(emulator)
    }

    /// Asks the emulator to end, and starts it again at the same address with everything that it keeps; the README says
    /// what that is. Functions that are at work go on meanwhile, without AWS and with nobody to answer to; idle ones end.
    pub async fn restart(&mut self) -> Result<(), Error> {
        let what = "restart";
        let process = self.process()?;
        process::signal("TERM", &process).await;
        let ended = tokio::time::timeout(START_TIMEOUT, self.process.wait()).await;
        ended
            .map_err(|_| Error::refused(what, "it does not end"))?
            .map_err(|problem| Error::refused(what, problem))?;
        self.process = spawn(
            &self.commands,
            self.folder.path(),
            &self.endpoint,
            self.port,
        )?;
        self.listens().await
    }

    /// Lets the emulator stand still: a caller from now on is connected and waits for an answer.
    pub async fn pause(&self) -> Result<(), Error> {
        process::stop(&self.process()?).await;
        Ok(())
    }

    /// Lets it go on, with everything that it was asked meanwhile.
    pub async fn go_on(&self) -> Result<(), Error> {
        process::signal("CONT", &self.process()?).await;
        Ok(())
    }

    /// The number of its process.
    fn process(&self) -> Result<String, Error> {
        let number = self.process.id();
        let number = number.ok_or_else(|| Error::refused("find its process", "it has ended"))?;
        Ok(number.to_string())
    }

    async fn listens(&mut self) -> Result<(), Error> {
        let began = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))
            .await
            .is_err()
        {
            let ended = self.process.try_wait().is_ok_and(|status| status.is_some());
            if ended || began.elapsed() > START_TIMEOUT {
                return Err(Error::Failed {
                    program: "ministack".to_owned(),
                    said: end_of(
                        &tokio::fs::read(log(self.folder.path()))
                            .await
                            .unwrap_or_default(),
                    ),
                });
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    /// Deploys a stack with SAM, and makes up for what the emulator does not do.
    pub async fn deploy(&self, plan: &Plan) -> Result<Stack, Error> {
        tell(&format!("deploying the stack {} with SAM", plan.name));
        let template = self.lay_out(plan).await?;
        let mut arguments = vec![
            "deploy".to_owned(),
            "--template".to_owned(),
            template.display().to_string(),
            "--stack-name".to_owned(),
            plan.name.clone(),
            "--resolve-s3".to_owned(),
            "--no-confirm-changeset".to_owned(),
            "--no-progressbar".to_owned(),
            "--capabilities".to_owned(),
            "CAPABILITY_IAM".to_owned(),
            "CAPABILITY_AUTO_EXPAND".to_owned(),
            "--parameter-overrides".to_owned(),
        ];
        arguments.extend(plan.parameters()?);
        self.sam(&arguments).await?;
        let said = self
            .sam(
                &[
                    "list",
                    "stack-outputs",
                    "--stack-name",
                    &plan.name,
                    "--output",
                    "json",
                ]
                .map(str::to_owned),
            )
            .await?;
        let outputs = outputs(&said)
            .map_err(|problem| Error::refused("read the stack's outputs", problem))?;
        let credentials = Credentials::new(OWNER, OWNER, None, None, "emulator");
        let stack = Stack::new(Parts {
            name: plan.name.clone(),
            timing: plan.timing.clone(),
            outputs,
            endpoint: self.endpoint.clone(),
            aws: stagecall_aws::connect_with(Access {
                region: REGION.to_owned(),
                credentials: credentials.clone(),
                endpoint: Some(self.endpoint.to_string()),
            })
            .map_err(|problem| Error::refused("set up calls", problem))?,
            caller: Caller::new(self.endpoint.clone(), credentials)?,
        })?;
        // The emulator passes over this part of the template.
        stack.expire_rows().await?;
        Ok(stack)
    }

    /// Writes the template, with the nested ones beside it, where its paths lead to the functions.
    async fn lay_out(&self, plan: &Plan) -> Result<PathBuf, Error> {
        let nested = "infra/deploy";
        let built = built(self.folder.path());
        let (from, to) = (repository().join(nested), built.join(nested));
        tokio::fs::create_dir_all(&to)
            .await
            .map_err(|problem| Error::file(&to, problem))?;
        for name in ["watch.yaml", "network.yaml"] {
            tokio::fs::copy(from.join(name), to.join(name))
                .await
                .map_err(|problem| Error::file(&from.join(name), problem))?;
        }
        let template = built.join(format!("{}.yaml", plan.name));
        tokio::fs::write(&template, with_batches(&plan.template))
            .await
            .map_err(|problem| Error::file(&template, problem))?;
        Ok(template)
    }

    async fn sam(&self, arguments: &[String]) -> Result<Vec<u8>, Error> {
        let done = Command::new(self.commands.join("sam"))
            .args(arguments)
            .current_dir(built(self.folder.path()))
            .envs(environment(&self.endpoint))
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output()
            .await
            .map_err(|problem| Error::NotStarted {
                program: "sam".to_owned(),
                problem,
                remedy: "Remove .venv and run infra/deploy/tools",
            })?;
        if done.status.success() {
            return Ok(done.stdout);
        }
        Err(Error::Failed {
            program: format!("sam {}", arguments[0]),
            said: end_of(&[done.stdout, done.stderr].concat()),
        })
    }
}

/// The environment of the emulator and of SAM: AWS's address and the credentials.
fn environment(endpoint: &Url) -> [(&'static str, String); 6] {
    [
        (
            "AWS_ENDPOINT_URL",
            endpoint.as_str().trim_end_matches('/').to_owned(),
        ),
        ("AWS_ACCESS_KEY_ID", OWNER.to_owned()),
        ("AWS_SECRET_ACCESS_KEY", OWNER.to_owned()),
        ("AWS_DEFAULT_REGION", REGION.to_owned()),
        ("AWS_REGION", REGION.to_owned()),
        ("SAM_CLI_TELEMETRY", "0".to_owned()),
    ]
}

/// Where the functions and the templates are laid out.
fn built(folder: &Path) -> PathBuf {
    folder.join("built")
}

/// What the emulator says.
fn log(folder: &Path) -> PathBuf {
    folder.join("emulator.log")
}

fn spawn(commands: &Path, folder: &Path, endpoint: &Url, port: u16) -> Result<Child, Error> {
    let log = log(folder);
    let file = |problem| Error::file(&log, problem);
    let out = std::fs::File::options()
        .create(true)
        .append(true)
        .open(&log)
        .map_err(file)?;
    let err = out.try_clone().map_err(file)?;
    Command::new(commands.join("ministack"))
        .current_dir(folder)
        .envs(environment(endpoint))
        .env("BIND_HOST", "127.0.0.1")
        .env("GATEWAY_PORT", port.to_string())
        // What the addresses of queues and APIs are made of.
        .env("MINISTACK_HOST", "127.0.0.1")
        .env("MINISTACK_REGION", REGION)
        .env("AUTH", "true")
        .env("IOT_MTLS_ENABLED", "0")
        .env("SFTP_ENABLED", "0")
        .env("TMPDIR", folder)
        // What it remembers when it is asked to end, and finds again when it is started.
        .env("PERSIST_STATE", "1")
        .env("STATE_DIR", folder.join("state"))
        .env("S3_DATA_DIR", folder.join("s3"))
        .stdin(Stdio::null())
        .stdout(out)
        .stderr(err)
        .kill_on_drop(true)
        .spawn()
        .map_err(|problem| Error::NotStarted {
            program: "ministack".to_owned(),
            problem,
            remedy: "Remove .venv and run infra/deploy/tools",
        })
}

/// A template whose roles may do with many messages what they may do with one: to AWS that is the same action, to the
/// emulator another.
fn with_batches(template: &str) -> String {
    let actions = ["- sqs:SendMessage", "- sqs:ChangeMessageVisibility"];
    let lines = template.lines().flat_map(|line| {
        let batch = actions
            .contains(&line.trim())
            .then(|| format!("{line}Batch"));
        [Some(line.to_owned()), batch]
    });
    lines.flatten().map(|line| line + "\n").collect()
}

fn free_port() -> std::io::Result<u16> {
    let probe = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(probe.local_addr()?.port())
}

fn outputs(said: &[u8]) -> Result<BTreeMap<String, String>, serde_json::Error> {
    let all: Vec<Value> = serde_json::from_slice(said)?;
    let text = |of: &Value, name: &str| of[name].as_str().map(str::to_owned);
    Ok(all
        .iter()
        .filter_map(|one| Some((text(one, "OutputKey")?, text(one, "OutputValue")?)))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_may_do_it_with_a_message_may_do_it_with_many_and_nothing_else_changes() {
        for action in ["sqs:SendMessage", "sqs:ChangeMessageVisibility"] {
            let template = format!("a:\n  - {action}\n  - sqs:ReceiveMessage\n");
            let expected = format!("a:\n  - {action}\n  - {action}Batch\n  - sqs:ReceiveMessage\n");
            assert_eq!(with_batches(&template), expected);
        }
    }

    #[test]
    fn outputs_are_read_by_name() {
        let said = br#"[{"OutputKey": "Table", "OutputValue": "t", "Description": "The table."}]"#;
        let expected = [("Table".to_owned(), "t".to_owned())];
        assert_eq!(outputs(said).unwrap(), expected.into());
        assert!(outputs(b"no stack").is_err());
    }
}
