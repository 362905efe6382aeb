//! Receives the platforms' callbacks: authenticates, stores, enqueues, answers. The delivery is processed later, by a
//! function that may call the platform.

mod call;
mod noop;

use std::sync::Arc;
use std::time::Duration;

use aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use call::Call;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use noop::NoopOutbound;
use stagecall_core::ports::IncomingCall;
use stagecall_core::usecases::{ReceiveOutcome, Receiver};
use stagecall_runtime::{Adapters, InvocationDeadline, metrics};
use tokio::time::timeout_at;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let adapters = Adapters::of_process("callback")?;
    let (store, secrets) = (adapters.store(), adapters.secrets());
    let platforms = stagecall_platforms::Connections::new(
        Arc::new(NoopOutbound),
        secrets.clone(),
        adapters.clock.clone(),
        &adapters.timing,
    );
    let receiver = Receiver {
        engine: adapters.engine_publishing_to(&store, Arc::new(NoopOutbound)),
        deliveries: store.clone(),
        secrets,
        platforms: Arc::new(platforms),
    };
    let receiver = &receiver;
    run(service_fn(
        move |event: LambdaEvent<ApiGatewayV2httpRequest>| async move {
            let window = InvocationDeadline::of(&event.context, Duration::ZERO);
            let taken = timeout_at(window.end, take(receiver, event.payload)).await;
            metrics::flush();
            Ok::<_, Error>(answer(taken.unwrap_or_else(|_| {
                tracing::error!("callback not stored in time");
                NOT_STORED
            })))
        },
    ))
    .await
}

/// A status and a text, for readers of the platform's log.
type Reply = (i64, &'static str);

const NOT_STORED: Reply = (503, "not stored, please send it again\n");

/// Receives a call. A malformed call is answered without reading the store.
async fn take(receiver: &Receiver, request: ApiGatewayV2httpRequest) -> Reply {
    let call = match Call::read(request) {
        Ok(call) => call,
        Err(wrong) => return wrong.reply(),
    };
    let incoming = IncomingCall {
        query: &call.query,
        headers: &call.headers,
        body: &call.body,
    };
    match receiver
        .receive(&call.tenant, &call.account, &call.token, &incoming)
        .await
    {
        Ok(ReceiveOutcome::Accepted) => (200, "stored\n"),
        Ok(ReceiveOutcome::NoSuchAddress) => call::Wrong::Address.reply(),
        Ok(ReceiveOutcome::Forged) => (401, "the signature is missing or wrong\n"),
        Ok(ReceiveOutcome::Unreadable) => (400, "not understood\n"),
        Err(error) => {
            tracing::error!(%error, "callback not stored");
            NOT_STORED
        }
    }
}

fn answer((status, text): Reply) -> ApiGatewayV2httpResponse {
    let mut answer = ApiGatewayV2httpResponse::default();
    answer.status_code = status;
    answer.body = Some(text.into());
    answer
}
