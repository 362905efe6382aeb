//! The fixture for setting up customers with the command: a folder and a sandbox.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use stagecall_sandbox::control::{Created, NewApplications, NewVacancy, SandboxClient};
use stagecall_sandbox::{Options, Running, Sandbox};
use stagecall_tests::harness::{free_port, stagecall, until};
use tempfile::TempDir;

/// A sandbox with the customer acme, and a folder with nothing but its keys.
pub struct CliFixture {
    pub sandbox: Running,
    pub player: SandboxClient,
    /// The vacancy "Support Worker".
    pub vacancy: u64,
    folder: TempDir,
}

/// The outcome of a command.
#[derive(Debug)]
pub struct Done {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Done {
    /// What it printed, if it ended well.
    #[track_caller]
    pub fn well(self) -> String {
        assert_eq!(self.code, Some(0), "{self:?}");
        self.out
    }

    /// What it printed as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// A host that serves the fixture's store. Dropping it kills it.
pub struct Serving(Child, PathBuf);

impl Serving {
    /// Waits until a line with these words is logged.
    pub async fn logged(&self, words: &str) {
        until(words, async || {
            let log = std::fs::read_to_string(&self.1).unwrap_or_default();
            log.contains(words).then_some(())
        })
        .await;
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl CliFixture {
    pub async fn new(seed: u64) -> Self {
        let sandbox = Sandbox::start(Options { port: 0, seed }).await.unwrap();
        let player = sandbox.player();
        let folder = tempfile::tempdir().unwrap();
        let eploy = player.eploy("acme").await.unwrap();
        let willo = player.willo("acme").await.unwrap();
        player.interview("acme", "First interview").await.unwrap();
        let vacancy = NewVacancy::called("Support Worker");
        let vacancy = player.vacancy("acme", &vacancy).await.unwrap();
        let fixture = Self {
            sandbox,
            player,
            vacancy,
            folder,
        };
        let key = &eploy.keys[0];
        fixture.keys(&key.client_id, &key.client_secret, &willo.api_key);
        fixture
    }

    /// A file in the folder.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes the file with the keys.
    pub fn keys(&self, id: &str, secret: &str, api_key: &str) {
        let text = format!(
            "[eploy]\nclient_id = \"{id}\"\nclient_secret = \"{secret}\"\n[willo]\napi_key = \"{api_key}\"\n"
        );
        std::fs::write(self.file("keys.toml"), text).unwrap();
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = stagecall();
        command
            .current_dir(self.folder.path())
            .env("STAGECALL_SANDBOX", "true")
            .env("STAGECALL_STORE", "sqlite:stagecall.db")
            .args(arguments);
        command
    }

    /// Runs the command without a terminal.
    pub fn run(&self, arguments: &[&str]) -> Done {
        self.run_with(arguments, "")
    }

    /// The same, with this on standard input.
    pub fn run_with(&self, arguments: &[&str], input: &str) -> Done {
        let mut child = self
            .command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(input.as_bytes()).unwrap();
        drop(stdin);
        let done = child.wait_with_output().unwrap();
        Done {
            code: done.status.code(),
            out: String::from_utf8(done.stdout).unwrap(),
            err: String::from_utf8(done.stderr).unwrap(),
        }
    }

    /// `tenant add acme` with the keys of the file.
    pub fn add(&self, more: &[&str]) -> Done {
        let eploy = format!("{}/eploy/acme/", self.sandbox.url());
        let willo = format!("{}/willo/acme/api/integrations/v2/", self.sandbox.url());
        let usual = [
            "tenant",
            "add",
            "acme",
            "--eploy",
            &eploy,
            "--platform",
            "willo",
            "--platform-url",
            &willo,
            "--secrets",
            "keys.toml",
            "--poll-seconds",
            "1",
        ];
        self.run(&[&usual[..], more].concat())
    }

    /// `map add` of the vacancy, the trigger and the interview.
    pub fn map(&self, more: &[&str]) -> Done {
        let usual = [
            "map",
            "add",
            "acme",
            "--vacancy",
            "Support Worker",
            "--stage",
            "Video Interview",
            "--assessment",
            "First interview",
            "--action-type",
            "Video Interview",
        ];
        self.run(&[&usual[..], more].concat())
    }

    /// Adds `count` applications at this stage.
    pub async fn apply(&self, stage: &str, count: u32) -> Vec<Created> {
        let new = NewApplications {
            stage: Some(stage.to_owned()),
            ..NewApplications::new(self.vacancy, count)
        };
        self.player.apply("acme", &new).await.unwrap()
    }

    /// Starts a host on the store.
    pub fn serve(&self) -> Serving {
        let listen = free_port().to_string();
        let log = self.file("serve.log");
        let out = |path: &Path| std::fs::File::create(path).unwrap();
        let child = self
            .command(&["serve", "--listen", &listen])
            .stdin(Stdio::null())
            .stdout(out(&self.file("serve.out")))
            .stderr(out(&log))
            .spawn()
            .unwrap();
        Serving(child, log)
    }

    /// Everything in the folder except the keys that a test put there.
    pub fn kept(&self) -> String {
        let mut all = String::new();
        for entry in std::fs::read_dir(self.folder.path()).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() && path.file_name().unwrap() != "keys.toml" {
                all += &String::from_utf8_lossy(&std::fs::read(path).unwrap());
            }
        }
        all
    }
}
