//! `stagecall demo`: a script with candidates, run against simulators by the real host, and checked against the simulators.

mod arguments;
mod assertions;
#[cfg(feature = "aws")]
mod deployed;
mod embedded;
mod fixture;
mod hosting;
mod hrms_log;
mod script;
mod show;
mod steps;
mod story;
mod tenant;

use std::time::Instant;

use hosting::Hosting;

pub(crate) use arguments::Arguments;

use crate::host::interrupted;
use crate::{exit, logging};

/// Runs the script and checks the outcome.
pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<u8> {
    logging::start(tracing::Level::ERROR, false);
    let scene = fixture::Scene::set(&arguments).await?;
    let host = tokio::select! {
        host = open(&scene, &arguments) => host?,
        () = interrupted() => anyhow::bail!("interrupted"),
    };
    let stage = scene.stage(host);
    let began = Instant::now();
    let show = show::Show::new(&arguments);
    let cast = tokio::select! {
        cast = story::play(&stage, &arguments, &show) => cast?,
        () = interrupted() => anyhow::bail!("interrupted"),
    };
    let verdict = assertions::settle(&stage, &cast, &show).await?;
    show.end();
    let seconds = began.elapsed().as_secs_f64();
    let faults = stage.player.faults().await?.injected;
    let dead_letters = stage.host.dead_letters().await?;
    if arguments.json {
        println!("{}", show::json(&verdict, &faults, dead_letters, seconds));
    } else {
        show::table(&stage, &verdict, &faults, dead_letters, seconds).await?;
    }
    if arguments.keep {
        show::addresses(&stage).await?;
        interrupted().await;
    }
    stage.host.end().await?;
    stage.sandbox.shutdown().await;
    let good = verdict.good() && dead_letters.is_none_or(|count| count == 0);
    Ok(if good { exit::OK } else { exit::FAILED })
}

/// Starts Stagecall.
async fn open(scene: &fixture::Scene, arguments: &Arguments) -> anyhow::Result<Box<dyn Hosting>> {
    #[cfg(feature = "aws")]
    if arguments.aws {
        return Ok(Box::new(deployed::Deployed::open(scene).await?));
    }
    #[cfg(not(feature = "aws"))]
    let _ = arguments;
    Ok(Box::new(embedded::Embedded::open(scene).await?))
}
