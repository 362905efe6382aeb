//! A harness for scenarios: a sandbox in this process, and the real `stagecall serve` with its own store file. Tests
//! check the sandbox. Of Stagecall they check only its exit code, its log and its file.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "here, a panic is an answer"
)]

mod command;
mod customer;
mod disk;
mod host;
mod http;
mod tcp_proxy;
mod wait;

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

use serde_json::{Value, json};
use stagecall_sandbox::control::{Fault, Profile, Rule, SandboxClient};
use stagecall_sandbox::{Options, Running, Sandbox};
use tempfile::TempDir;

pub use command::stagecall;
pub use customer::{Customer, MAPPING, PLATFORM, QUESTION, TRIGGER, completed};
pub use disk::SmallDisk;
pub use host::Host;
pub use http::{Reply, raw, request};
pub use stagecall_sandbox::story::percent_shown as percent;
pub use tcp_proxy::{State, TcpProxy};
pub use wait::{soon, until, within};

/// A sandbox, and what a host is started with.
pub struct Harness {
    /// The stand-ins.
    pub sandbox: Running,
    /// Acts as recruiters, candidates and reviewers.
    pub player: SandboxClient,
    /// The configuration. The next start writes it to a file.
    pub config: Value,
    /// The `STAGECALL_LOG` of the next start.
    pub logs: &'static str,
    /// Whether the next start logs JSON.
    pub log_json: bool,
    listen: SocketAddr,
    // Must end before its working folder is removed.
    host: Option<Host>,
    disk: Option<SmallDisk>,
    folder: TempDir,
}

impl Harness {
    /// A sandbox without customers and without a host.
    pub async fn new(seed: u64) -> Self {
        let sandbox = Sandbox::start(Options { port: 0, seed }).await.unwrap();
        let player = sandbox.player();
        let listen = free_port();
        let config = json!({
            "host": {
                "store": "stagecall.db",
                "callback_key": "stagecall.key",
                "listen": listen,
                "sandbox": true,
                "workers": 16,
                "workers_per_tenant": 8,
            },
            "timing": {
                "call_seconds": 3.0,
                "lease_seconds": 5.0,
                "settle_seconds": 0.5,
                "retry_seconds": 0.2,
                "retry_max_seconds": 1.0,
                "late_seconds": 60.0,
                "give_up_seconds": 600.0,
                "sweep_seconds": 0.5,
                "sweep_max_seconds": 1.0,
                "suspend_seconds": 0.5,
            },
            "tenants": {},
        });
        Self {
            sandbox,
            player,
            config,
            logs: "info",
            log_json: false,
            listen,
            host: None,
            disk: None,
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// A sandbox with one customer.
    pub async fn with_one(seed: u64) -> (Self, Customer) {
        let mut harness = Self::new(seed).await;
        let acme = harness.customer("acme").await;
        (harness, acme)
    }

    /// Adds a customer: an Eploy system and a Willo account of this name, and a tenant that connects them.
    pub async fn customer(&mut self, name: &str) -> Customer {
        let customer = Customer::new(self.player.clone(), name).await;
        let system = self.player.eploy(name).await.unwrap();
        let account = self.player.willo(name).await.unwrap();
        let key = &system.keys[0];
        self.config["tenants"][name] = json!({
            "eploy": {
                "base_url": format!("{}/", system.base_url),
                "client_id": self.secret(&format!("{name}-client-id"), &key.client_id),
                "client_secret": self.secret(&format!("{name}-client-secret"), &key.client_secret),
                // High enough never to slow down polls.
                "daily_calls": 10_000_000,
                "poll_seconds": 1,
                "dialect": {"dates": "utc"},
            },
            "platforms": {PLATFORM: {
                "kind": "willo",
                "base_url": account.api_url(),
                "secrets": {"api_key": self.secret(&format!("{name}-api-key"), &account.api_key)},
                "settings": {"calls_per_second": 1000, "calls_in_flight": 8},
            }},
            "mappings": [customer.mapping()],
        });
        customer
    }

    /// Writes a secret to a file. Returns its reference for the configuration.
    pub fn secret(&self, name: &str, secret: &str) -> Value {
        std::fs::write(self.file(name), secret).unwrap();
        json!({"file": name})
    }

    /// A tenant's configuration.
    pub fn tenant(&mut self, name: &str) -> &mut Value {
        &mut self.config["tenants"][name]
    }

    /// The configuration of a tenant's first mapping.
    pub fn mapping(&mut self, name: &str) -> &mut Value {
        &mut self.tenant(name)["mappings"][0]
    }

    /// From the next start on, platforms can call back.
    pub fn open_to_callbacks(&mut self) {
        self.config["host"]["public_url"] = format!("http://{}/", self.listen).into();
    }

    /// From the next start on, sweeps are too rare to find anything during a test.
    pub fn without_sweeps(&mut self) {
        self.config["timing"]["sweep_seconds"] = json!(3600.0);
        self.config["timing"]["sweep_max_seconds"] = json!(3600.0);
    }

    /// From the next start on, the host's file is on a disk of `bytes` bytes. `Err` has the reason why this machine does
    /// not allow it.
    pub fn on_a_small_disk(&mut self, bytes: usize) -> Result<(), String> {
        self.disk = Some(SmallDisk::new(&self.file("disk"), bytes)?);
        self.config["host"]["store"] = "disk/stagecall.db".into();
        Ok(())
    }

    /// The small disk.
    pub fn disk(&self) -> &SmallDisk {
        self.disk.as_ref().expect("there is no small disk")
    }

    /// From the next start on, a tenant's connection goes through a proxy. `address` is a pointer to the connection's
    /// address in the tenant's configuration.
    pub fn proxy_connection(&mut self, tenant: &str, address: &str) -> TcpProxy {
        let there = self.sandbox.addr();
        let line = TcpProxy::to(there);
        let url = self.tenant(tenant).pointer_mut(address).unwrap();
        let text = url.as_str().unwrap();
        assert!(text.contains(&there.to_string()), "{text}");
        *url = text
            .replace(&there.to_string(), &line.addr().to_string())
            .into();
        line
    }

    /// The host's address.
    pub fn listen(&self) -> SocketAddr {
        self.listen
    }

    /// A file beside the configuration.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The folder with the host's files.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Every folder with the host's files: its own, and the small disk.
    pub fn folders(&self) -> Vec<PathBuf> {
        let disk = self.disk.as_ref().map(SmallDisk::outside);
        [self.folder().to_owned()].into_iter().chain(disk).collect()
    }

    /// Writes the configuration. Returns its path.
    pub fn write_config(&self) -> PathBuf {
        let file = self.file("stagecall.toml");
        std::fs::write(&file, toml::to_string(&self.config).unwrap()).unwrap();
        file
    }

    /// Starts the host and waits until it serves.
    pub async fn start(&mut self) {
        let listen = self.listen;
        self.launch().serves(listen).await;
    }

    /// Starts the host without waiting for it.
    pub fn launch(&mut self) -> &mut Host {
        assert!(self.host.is_none(), "a host is running already");
        let config = self.write_config();
        let mut host = Host::command(&config, self.disk.as_ref());
        if self.log_json {
            host.arg("--log-json");
        }
        let host = Host::start(host, self.folder.path(), self.logs);
        self.host.insert(host)
    }

    /// Starts the host and waits until all these customers' mappings are on. From then on, entries count.
    pub async fn start_for(&mut self, customers: &[&Customer]) {
        self.start().await;
        self.mappings_on(customers).await;
    }

    /// Waits until all these customers' mappings have been turned on.
    pub async fn mappings_on(&self, customers: &[&Customer]) {
        for customer in customers {
            let tenant = format!("tenant={} ", customer.name);
            self.logged(&["mapping turned on", &tenant]).await;
        }
    }

    /// The host's peak memory so far, in KiB.
    pub fn memory_peak(&self) -> u64 {
        self.host
            .as_ref()
            .expect("no host is running")
            .memory_peak()
    }

    /// Kills the host, as a power cut would.
    pub fn kill(&mut self) {
        self.host.take().expect("no host is running").kill();
    }

    /// Terminates the host. Returns its exit status.
    pub async fn stop(&mut self) -> ExitStatus {
        let host = self.host.take().expect("no host is running");
        host.terminate().await
    }

    /// Suspends the host, as a sleeping machine would.
    pub fn pause(&self) {
        self.running().signal("STOP");
    }

    /// Resumes the suspended host.
    pub fn resume(&self) {
        self.running().signal("CONT");
    }

    fn running(&self) -> &Host {
        self.host.as_ref().expect("no host is running")
    }

    /// The log of all hosts so far.
    pub fn log(&self) -> String {
        host::log(self.folder.path())
    }

    /// Waits until a line with all these words is logged, and returns it.
    pub async fn logged(&self, words: &[&str]) -> String {
        until(&format!("a line of the log has {words:?}"), async || {
            self.log()
                .lines()
                .find(|line| words.iter().all(|word| line.contains(word)))
                .map(str::to_owned)
        })
        .await
    }

    /// Injects these faults from now on.
    pub async fn faults(&self, rules: Vec<Rule>) {
        let profile = Profile { seed: 1, rules };
        self.player.set_faults(&profile).await.unwrap();
    }

    /// Injects a fault into every call of an operation from now on.
    pub async fn always(&self, target: &str, fault: Fault) {
        self.faults(vec![Rule::now_and_then(target, 1.0, fault)])
            .await;
    }

    /// Stops all faults.
    pub async fn no_faults(&self) {
        self.faults(Vec::new()).await;
    }
}

/// A loopback port without a listener.
pub fn free_port() -> SocketAddr {
    let probe = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    probe.local_addr().unwrap()
}
