//! Takes the platforms' callbacks in: authenticates, stores, queues, answers. Nothing else; the delivery is looked into
//! later, by whoever can ask the platform.

mod call;
mod silent;

use std::sync::Arc;
use std::time::Duration;

use aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use call::Call;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use silent::Silent;
use stagecall_core::ports::IncomingCall;
use stagecall_core::usecases::{Answer, Receiver};
use stagecall_runtime::{Parts, Window, measure};
use tokio::time::timeout_at;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let parts = Parts::of_process("callback")?;
    let (store, secrets) = (parts.store(), parts.secrets());
    let platforms = stagecall_platforms::Connections::new(
        Arc::new(Silent),
        secrets.clone(),
        parts.clock.clone(),
        &parts.timing,
    );
    let receiver = Receiver {
        desk: parts.desk_telling(&store, Arc::new(Silent)),
        deliveries: Arc::new(store.inner().clone()),
        secrets,
        platforms: Arc::new(platforms),
    };
    let receiver = &receiver;
    run(service_fn(
        move |event: LambdaEvent<ApiGatewayV2httpRequest>| async move {
            let window = Window::of(&event.context, Duration::ZERO);
            let taken = timeout_at(window.end, take(receiver, event.payload)).await;
            measure::flush();
            Ok::<_, Error>(answer(taken.unwrap_or_else(|_| {
                tracing::error!("a callback could not be stored in time");
                NOT_STORED
            })))
        },
    ))
    .await
}

/// A status and a text for whoever looks at the platform's log.
type Reply = (i64, &'static str);

const NOT_STORED: Reply = (503, "not stored, please send it again\n");

/// Takes a call in. Whatever cannot be a platform's call is answered without asking any store.
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
        Ok(Answer::Accepted) => (200, "stored\n"),
        Ok(Answer::NoSuchAddress) => call::Wrong::Address.reply(),
        Ok(Answer::Forged) => (401, "the signature is missing or wrong\n"),
        Ok(Answer::Unreadable) => (400, "not understood\n"),
        Err(error) => {
            tracing::error!(%error, "a callback could not be stored");
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
