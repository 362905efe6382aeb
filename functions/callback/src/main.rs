//! Receives the platforms' callbacks: authenticates, stores, enqueues, answers. The delivery is processed later, by a
//! function that may call the platform.

mod event;
mod noop;

use std::sync::Arc;
use std::time::Duration;

use aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use noop::NoopOutbound;
use stagecall_core::usecases::Receiver;
use stagecall_runtime::{Adapters, InvocationDeadline, metrics};
use stagecall_web::{Answer, Site};
use tokio::time::timeout_at;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let adapters = Adapters::of_process("callback")?;
    let store = adapters.store();
    let site = &Site {
        receiver: Receiver {
            engine: adapters.engine_publishing_to(&store, Arc::new(NoopOutbound)),
            deliveries: store,
            secrets: adapters.secrets(),
            platforms: adapters.platforms(Arc::new(NoopOutbound)),
        },
        health: None,
    };
    run(service_fn(
        move |event: LambdaEvent<ApiGatewayV2httpRequest>| async move {
            let window = InvocationDeadline::of(&event.context, Duration::ZERO);
            let answering = async {
                match event::request(event.payload) {
                    Ok(request) => site.respond(request).await,
                    Err(answer) => answer.into(),
                }
            };
            let answer = timeout_at(window.end, answering).await;
            metrics::flush();
            Ok::<_, Error>(event::response(answer.unwrap_or_else(|_| {
                tracing::error!("callback not stored in time");
                Answer::NotStored.into()
            })))
        },
    ))
    .await
}
