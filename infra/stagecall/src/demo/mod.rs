//! `stagecall demo`: a script with candidates, run against simulators by the real host, and checked against the simulators.

mod arguments;
#[cfg(feature = "aws")]
mod deployed;
mod embedded;
mod fixture;
mod hosting;
mod show;

use std::time::Instant;

use hosting::Hosting;
use stagecall_sandbox::story::{self, Customer, Verdict};

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
    let began = Instant::now();
    let show = show::Show::new(&arguments);
    let verdict = tokio::select! {
        verdict = play(&scene.customer, host.as_ref(), &arguments, &show) => verdict?,
        () = interrupted() => anyhow::bail!("interrupted"),
    };
    show.end();
    let outcome = show::Outcome {
        faults: scene.customer.player.faults().await?.injected,
        dead_letters: host.dead_letters().await?,
        seconds: began.elapsed().as_secs_f64(),
        verdict,
    };
    if arguments.json {
        println!("{}", show::json(&outcome));
    } else {
        show::table(&scene.customer, &outcome).await?;
    }
    if arguments.keep {
        show::addresses(&scene, host.as_ref()).await?;
        interrupted().await;
    }
    let good = outcome.good();
    host.end().await?;
    scene.sandbox.shutdown().await;
    Ok(if good { exit::OK } else { exit::FAILED })
}

/// Plays the story to its end.
async fn play(
    customer: &Customer,
    host: &dyn Hosting,
    arguments: &Arguments,
    show: &show::Show,
) -> anyhow::Result<Verdict> {
    let mut random = fastrand::Rng::with_seed(arguments.seed);
    let mut cast = story::cast(customer, arguments.candidates as usize, &mut random).await?;
    fixture::turned_on(host).await?;
    show.begins(cast.len());
    let patience = host.patience();
    story::play(customer, &mut cast, &mut random, patience, show).await?;
    Ok(story::settle(customer, &cast, patience, show).await?)
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
