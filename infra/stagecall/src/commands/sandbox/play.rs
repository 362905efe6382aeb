//! Acting as the people around a running sandbox: a customer, its recruiters, its candidates.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Subcommand, ValueEnum};
use stagecall_sandbox::control::{CandidateAct, NewApplications, NewVacancy, SandboxClient};

use crate::exit;

/// The vacancies of a new customer.
const VACANCIES: [&str; 3] = ["Support Worker", "Care Assistant", "Team Leader"];
/// The interviews of a new customer.
const INTERVIEWS: [&str; 2] = ["First interview", "Team Leader interview"];
/// The stages of a new customer's applications, with the number of applications for each vacancy.
const STAGES: [(&str, u32); 2] = [("Shortlist", 3), ("Video Interview", 1)];

#[derive(Debug, Subcommand)]
pub(crate) enum Play {
    /// Create a customer: an Eploy with vacancies and applications, and a Willo account with interviews.
    #[command(after_help = "Example:\n  stagecall sandbox customer acme --keys acme-keys.toml")]
    Customer {
        /// Its name.
        name: String,
        /// The file to write its keys to, in the format of `stagecall tenant add --secrets`.
        #[arg(long, value_name = "FILE")]
        keys: PathBuf,
    },
    /// Move applications, as a recruiter.
    #[command(after_help = "Example:\n  stagecall sandbox move acme 'Video Interview' 70001")]
    Move {
        /// The customer.
        name: String,
        /// The target stage, by name or id.
        stage: String,
        /// The applications.
        #[arg(required = true)]
        applications: Vec<u64>,
    },
    /// Respond to the invitation, as the candidate of an application.
    #[command(after_help = "Example:\n  stagecall sandbox candidate acme 70001 answer")]
    Candidate {
        /// The customer.
        name: String,
        /// The application.
        application: u64,
        /// What to do.
        act: Act,
    },
    /// Show an application, as a recruiter sees it in Eploy.
    #[command(after_help = "Example:\n  stagecall sandbox show acme 70001")]
    Show {
        /// The customer.
        name: String,
        /// The application.
        application: u64,
    },
}

/// An act of a candidate.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Act {
    /// Open the invitation.
    Open,
    /// Begin.
    Start,
    /// Answer everything.
    Answer,
    /// Decline.
    Decline,
    /// Let the invitation bounce.
    Bounce,
    /// Let the invitation expire.
    Expire,
}

impl From<Act> for CandidateAct {
    fn from(act: Act) -> Self {
        match act {
            Act::Open => Self::Open,
            Act::Start => Self::Start,
            Act::Answer => Self::Answer,
            Act::Decline => Self::Decline,
            Act::Bounce => Self::Bounce,
            Act::Expire => Self::Expire,
        }
    }
}

/// Acts in the sandbox that listens on this port.
pub(crate) async fn run(play: Play, port: u16) -> anyhow::Result<u8> {
    let player = SandboxClient::new(&format!("http://127.0.0.1:{port}"));
    match play {
        Play::Customer { name, keys } => customer(&player, &name, &keys).await?,
        Play::Move {
            name,
            stage,
            applications,
        } => {
            player.move_to(&name, &applications, &stage, None).await?;
            let moved: Vec<_> = applications.iter().map(ToString::to_string).collect();
            println!("moved {} to {stage}", moved.join(", "));
        }
        Play::Candidate {
            name,
            application,
            act,
        } => {
            let all = player.judgement(&name).await?;
            let judged = all
                .into_iter()
                .find(|one| one.application.id == application);
            let participants = judged.map(|one| one.participants).unwrap_or_default();
            let keys: Vec<_> = participants.into_iter().map(|one| one.key).collect();
            if keys.is_empty() {
                return Err(exit::not_found(format!(
                    "the candidate of application {application} is not invited"
                )));
            }
            player.candidate(&name, &keys, act.into()).await?;
            println!("done");
        }
        Play::Show { name, application } => show(&player, &name, application).await?,
    }
    Ok(exit::OK)
}

async fn customer(player: &SandboxClient, name: &str, keys: &Path) -> anyhow::Result<()> {
    let eploy = player.eploy(name).await?;
    let willo = player.willo(name).await?;
    let key = eploy
        .keys
        .first()
        .context("the sandbox's Eploy has no key")?;
    println!("Eploy  {}/", eploy.base_url);
    println!("Willo  {}", willo.api_url());
    for title in INTERVIEWS {
        player.interview(name, title).await?;
    }
    for title in VACANCIES {
        let vacancy = player.vacancy(name, &NewVacancy::called(title)).await?;
        for (stage, count) in STAGES {
            let new = NewApplications {
                stage: Some(stage.to_owned()),
                ..NewApplications::new(vacancy, count)
            };
            let created = player.apply(name, &new).await?;
            let ids: Vec<_> = created
                .iter()
                .map(|one| one.application.to_string())
                .collect();
            println!("{title} ({vacancy}), {stage}: {}", ids.join(", "));
        }
    }
    let text = format!(
        "[eploy]\nclient_id = \"{}\"\nclient_secret = \"{}\"\n\n[willo]\napi_key = \"{}\"\n",
        key.client_id, key.client_secret, willo.api_key
    );
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
        .open(keys)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .with_context(|| format!("cannot write {}", keys.display()))?;
    println!("keys in {}", keys.display());
    Ok(())
}

async fn show(player: &SandboxClient, name: &str, id: u64) -> anyhow::Result<()> {
    let shown = player.application(name, id).await?;
    let status = shown.position.status.unwrap_or_default();
    println!("application {id}");
    println!("  stage     {}, {status}", shown.position.stage);
    for action in &shown.actions {
        println!(
            "  action    {}: {}",
            action.type_name,
            action.outcome.as_deref().unwrap_or("no outcome")
        );
    }
    for answer in &shown.answers {
        let value = answer
            .answer
            .as_str()
            .map_or_else(|| answer.answer.to_string(), str::to_owned);
        println!("  question  {}: {value}", answer.title);
    }
    for note in &shown.notes {
        println!("  note      {}", note.text);
    }
    Ok(())
}
