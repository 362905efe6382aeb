//! `stagecall demo`: a story of candidates, played against stand-ins by the real host, and judged by the stand-ins.

mod fate;
mod scene;
mod show;
mod story;
mod verdict;

use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::cli::DemoArguments;
use crate::host::interrupted;
use crate::{exit, logging};

/// How long nothing may change before the story is judged as it stands.
const PATIENCE: Duration = Duration::from_mins(1);

/// Plays the story and judges it.
pub(crate) async fn run(arguments: DemoArguments) -> anyhow::Result<u8> {
    logging::start(tracing::Level::ERROR, false);
    let scene = scene::Scene::set(&arguments).await?;
    let (stop, stopped) = watch::channel(false);
    let (host, stage) = scene.open(stopped).await?;
    let began = Instant::now();
    let show = show::Show::new(&arguments);
    let cast = tokio::select! {
        cast = story::play(&stage, &arguments, &show) => cast?,
        () = interrupted() => anyhow::bail!("interrupted"),
    };
    let verdict = verdict::settle(&stage, &cast, &show, PATIENCE).await?;
    show.end();
    let seconds = began.elapsed().as_secs_f64();
    let faults = stage.player.faults().await?.injected;
    if arguments.json {
        println!("{}", show::json(&verdict, &faults, seconds));
    } else {
        show::table(&stage, &verdict, &faults, seconds).await?;
    }
    if arguments.keep {
        show::addresses(&stage).await?;
        interrupted().await;
    }
    stop.send_replace(true);
    host.await?;
    stage.sandbox.shutdown().await;
    Ok(if verdict.good() {
        exit::OK
    } else {
        exit::FAILED
    })
}
