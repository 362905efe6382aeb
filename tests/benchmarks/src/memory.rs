//! How much memory functions take at most, in a batch of ten, and of ten thousand changed applications.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::ensure;
use serde_json::{Value, json};
use stagecall_core::work::Work;

use crate::figure::{Aim, Figure};
use crate::process::Process;
use crate::story::{ACCOUNT, Story, TOKEN, hand};

/// The memory limit of a batch of ten, in megabytes.
const IN_A_BATCH: f64 = 20.0;

/// The memory limit of a long poll, in megabytes.
const IN_A_LONG_POLL: f64 = 40.0;

/// How many records are in a batch.
const BATCH: usize = 10;

/// Plays a story of ten tenants through the functions, then one of a tenant with many applications.
pub async fn measure(
    binary: impl Fn(&str) -> PathBuf,
    table: &Path,
    applications: u32,
) -> anyhow::Result<Vec<Figure>> {
    let mut figures = Vec::new();
    let mut measured = |function: &str, process: &Process| -> anyhow::Result<()> {
        let name = format!("{function}: peak memory, batch of {BATCH}");
        let peak = process.peak_memory()?;
        figures.push(Figure::new(name, peak, "MB", Aim::AtMost(IN_A_BATCH)));
        Ok(())
    };
    let story = Story::begin(table).await?;
    let start = async |function: &str| Process::start(&binary(function), &story.aws.endpoint).await;

    let mut customers = Vec::new();
    for tenant in 0..BATCH {
        customers.push(story.customer(&format!("tenant-{tenant}")).await?);
    }
    let mut clock = start("clock").await?;
    clock.invoke(&json!({}), Duration::from_secs(50)).await?;
    measured("clock", &clock)?;
    let due = story.aws.take_queued().len();
    ensure!(due == BATCH, "{due} polls are due instead of {BATCH}");

    let mut poll = start("poll").await?;
    story.poll(&mut poll, &customers).await?;
    for customer in &customers {
        story.apply(customer, 1, "Video Interview").await?;
    }
    let invitations = story.poll(&mut poll, &customers).await?;
    measured("poll", &poll)?;

    let mut invite = start("invite").await?;
    ensure!(
        invitations.len() == BATCH,
        "{} invitations to send",
        invitations.len()
    );
    hand(&mut invite, &invitations).await?;
    measured("invite", &invite)?;
    ensure!(
        story.invited().await? == BATCH,
        "somebody was not invited once"
    );

    let mut callback = start("callback").await?;
    for customer in &customers {
        let answer = callback
            .invoke(&call(&customer.name), Duration::from_secs(10))
            .await?;
        ensure!(
            answer["statusCode"] == 200,
            "a callback was refused: {answer}"
        );
    }
    measured("callback", &callback)?;

    let mut write_back = start("writeback").await?;
    let reports: Vec<Work> = invitations
        .into_iter()
        .filter_map(|work| match work {
            Work::Invite { key } => Some(Work::WriteBack {
                key,
                news: true,
                change_token: None,
            }),
            _ => None,
        })
        .collect();
    hand(&mut write_back, &reports).await?;
    measured("writeback", &write_back)?;
    for customer in &customers {
        ensure!(
            story.reported(customer).await? == 1,
            "{} shows nothing",
            customer.name
        );
    }

    figures.push(long_poll(&story, &binary("poll"), applications).await?);
    Ok(figures)
}

/// A poll in which so many applications have changed, a twentieth of them into the trigger stage.
async fn long_poll(story: &Story, poll: &Path, applications: u32) -> anyhow::Result<Figure> {
    let customer = story.customer("large").await?;
    let mut process = Process::start(poll, &story.aws.endpoint).await?;
    let customers = [customer];
    story.poll(&mut process, &customers).await?;
    let entered = applications / 20;
    story
        .apply(&customers[0], applications - entered, "Shortlist")
        .await?;
    story
        .apply(&customers[0], entered, "Video Interview")
        .await?;
    let queued = story.poll(&mut process, &customers).await?;
    ensure!(
        queued.len() == entered as usize,
        "{} of {entered} who entered were found",
        queued.len()
    );
    Ok(Figure::new(
        format!("poll: peak memory, {applications} changed applications"),
        process.peak_memory()?,
        "MB",
        Aim::AtMost(IN_A_LONG_POLL),
    ))
}

/// A call of Willo's as the HTTP API hands it over.
fn call(tenant: &str) -> Value {
    json!({
        "version": "2.0",
        "routeKey": "POST /callbacks/{tenant}/{account}/{token}",
        "rawPath": format!("/callbacks/{tenant}/{ACCOUNT}/{TOKEN}"),
        "rawQueryString": "",
        "headers": {"content-type": "application/json"},
        "requestContext": {
            "http": {"method": "POST", "path": "/", "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "bench"},
            "stage": "$default",
            "timeEpoch": 0,
        },
        "pathParameters": {"tenant": tenant, "account": ACCOUNT, "token": TOKEN},
        "body": r#"{"participant": {"key": "p1"}}"#,
        "isBase64Encoded": false,
    })
}
