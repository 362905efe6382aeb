//! What AWS's services answer, of every kind and status.

use serde_json::Value;
use stagecall_aws::{
    DeadLetters, HeldMessage, HeldMessages, ManagedSecrets, QueueUrls, SqsQueue, Store,
};
use stagecall_core::clock::SystemClock;
use stagecall_core::error::StoreError;
use stagecall_core::ids::InvitationKey;
use stagecall_core::ports::{Allowance as _, Ledger as _, Queue as _, Secrets as _, Tenants as _};
use stagecall_core::work::Work;
use std::sync::Arc;

use super::Aws;
use crate::outside::silent;
use crate::run::{Target, block};

/// Answers.
pub const TARGET: Target = Target {
    name: "aws-answers",
    samples: &[
        "{}",
        r#"{"__type": "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException", "message": "Requested resource not found"}"#,
        r#"{"__type": "ConditionalCheckFailedException", "message": "The conditional request failed", "Item": {"pk": {"S": "acme"}, "sk": {"S": "config"}}}"#,
        r#"{"__type": "InvalidRequestException", "Message": "You can't perform this operation on the secret because it was marked for deletion."}"#,
        r#"{"Failed": [{"Id": "0", "SenderFault": false, "Code": "InternalError", "Message": "x"}], "Successful": []}"#,
        r#"{"Failed": [], "Successful": [{"Id": "0", "MessageId": "m1", "MD5OfMessageBody": "900150983cd24fb0d6963f7d28e17f72"}]}"#,
        r#"{"Attributes": {"ApproximateNumberOfMessages": "3", "ApproximateNumberOfMessagesNotVisible": "18446744073709551615"}}"#,
        r#"{"Messages": [{"MessageId": "m1", "ReceiptHandle": "r1", "Body": "{\"work\":\"poll\",\"tenant\":\"acme\"}", "Attributes": {"SentTimestamp": "1795341600000", "MessageGroupId": "acme"}}]}"#,
        r#"{"Item": {"pk": {"S": "acme"}, "sk": {"S": "calls#2026-11-22"}, "calls": {"N": "7"}, "expires": {"N": "1796000000"}}}"#,
        "<html>503 Service Unavailable</html>",
    ],
    check: answers,
};

/// A refusal is never taken for an answer, a message that was not taken never for one that was.
fn answers(input: &[u8], choice: u64) -> Result<(), String> {
    const STATUSES: [u16; 8] = [200, 200, 200, 400, 400, 403, 500, 503];
    let status = STATUSES[usize::try_from(choice).unwrap_or(0) % STATUSES.len()];
    let body = input.to_vec();
    let aws = Aws::new(move |_, _| (status, body.clone()));
    let config = aws.config();
    let answered: Value = serde_json::from_slice(input).unwrap_or_default();
    // What AWS says in an error is AWS's own, and told.
    let failed = |error: &StoreError| match status {
        200 => silent(&format!("{error} {error:?}")),
        _ => Ok(()),
    };
    // An answer that says no.
    let refused = |what: &str, taken: Result<(), StoreError>| match taken {
        Ok(()) if status != 200 => Err(format!("{status} is taken for an answer: {what}")),
        Ok(()) => Ok(()),
        Err(error) => failed(&error),
    };
    let store = Store::new(aws_sdk_dynamodb::Client::new(&config), "stagecall");
    let secrets = ManagedSecrets::new(
        aws_sdk_secretsmanager::Client::new(&config),
        "stagecall",
        Arc::new(SystemClock),
    );
    let sqs = aws_sdk_sqs::Client::new(&config);
    let tenant = "acme".into();
    block(async {
        match (choice >> 8) % 3 {
            0 => {
                refused("a tenant", store.tenant(&tenant).await.map(drop))?;
                let key = InvitationKey {
                    tenant: "acme".into(),
                    application: "70215".into(),
                    mapping: "video".into(),
                    round: 1,
                };
                refused("an invitation", store.load(&key).await.map(drop))?;
                let counted = store.taken(&tenant, "2026-11-22").await;
                if let Ok(count) = counted
                    && let Some(calls) = answered["Item"]["calls"].as_object()
                    && calls.len() == 1
                    && calls.get("N").and_then(Value::as_str) != Some(count.to_string().as_str())
                {
                    return Err(format!("{calls:?} calls are taken for {count}"));
                }
                refused("a count", counted.map(drop))
            }
            1 => {
                let secret = secrets.secret(&tenant, true).await;
                refused("a secret", secret.map(drop))?;
                // That there are no tokens is said only of a secret that is not there.
                match secrets.callback_tokens(&tenant, &"willo".into()).await {
                    Ok(None) if status != 200 => {
                        let text = String::from_utf8_lossy(input);
                        if !text.contains("ResourceNotFound") && !text.contains("InvalidRequest") {
                            return Err(format!("{status} is taken for no secret"));
                        }
                        Ok(())
                    }
                    Ok(_) => Ok(()),
                    Err(error) => failed(&error),
                }
            }
            _ => {
                let url = "https://sqs.example/poll";
                let urls = QueueUrls {
                    poll: url.to_owned(),
                    invite: "https://sqs.example/invite".to_owned(),
                    write_back: "https://sqs.example/result".to_owned(),
                };
                let work = Work::Poll {
                    tenant: "acme".into(),
                };
                let pushed = SqsQueue::new(sqs.clone(), urls).push(vec![work]).await;
                let held = HeldMessage {
                    receipt: "r1".to_owned(),
                    again_in: std::time::Duration::MAX,
                };
                let held = HeldMessages::new(sqs.clone(), url)
                    .set_visibility(vec![held])
                    .await;
                for taken in [pushed, held] {
                    if taken.is_ok()
                        && answered["Failed"]
                            .as_array()
                            .is_some_and(|all| !all.is_empty())
                    {
                        return Err("a message that was not taken counts as taken".to_owned());
                    }
                    refused("a message", taken)?;
                }
                let letters = DeadLetters::new(sqs.clone(), "https://sqs.example/dead", url);
                refused("a count", letters.count().await.map(drop))?;
                refused("a sample", letters.sample().await.map(drop))?;
                let redriven = letters.redrive(3).await;
                if let Ok(count) = redriven
                    && count > 3
                {
                    return Err(format!("{count} were sent back"));
                }
                refused("a redrive", redriven.map(drop))
            }
        }
    })?
}
