//! A deployed stack, found by the names that the template gives its resources.

use std::sync::Arc;

use aws_sdk_dynamodb::Client as DynamoDb;
use aws_sdk_secretsmanager::Client as SecretsManager;
use aws_sdk_sqs::Client as Sqs;
use stagecall_core::clock::Clock;
use stagecall_core::error::StoreError;

use crate::fault::problem;
use crate::{DeadLetters, ManagedSecrets, QueueUrls, SqsQueue, Store, connect};

/// The variable that names the table if the stack's name does not identify it: on an emulator, or beside the table of a
/// deleted stack.
const TABLE: &str = "STAGECALL_TABLE";

/// The parts of a stack that operators' commands use.
pub struct Stack {
    pub store: Store,
    pub secrets: ManagedSecrets,
    pub queue: SqsQueue,
    /// Its queues' dead letters, with the queues' names.
    pub dead_letters: Vec<(&'static str, DeadLetters)>,
}

impl Stack {
    /// Finds the stack of this name in the account and region of the environment: the queues and the secrets have its name,
    /// the table the name that `CloudFormation` derives from it, `STACK-Table-…`.
    ///
    /// # Errors
    /// AWS cannot be reached or refuses access; there is no such stack.
    pub async fn find(name: &str, clock: Arc<dyn Clock>) -> Result<Self, StoreError> {
        let aws = connect().await.map_err(|error| failed(name, error))?;
        let tables = DynamoDb::new(&aws);
        let table = match std::env::var(TABLE) {
            Ok(table) if !table.is_empty() => table,
            _ => table_of(&tables, name).await?,
        };
        let sqs = Sqs::new(&aws);
        let (poll, invite, write_back) = futures::try_join!(
            queue_of(&sqs, name, "poll"),
            queue_of(&sqs, name, "invite"),
            queue_of(&sqs, name, "result"),
        )?;
        let homes = [
            ("poll", &poll),
            ("invite", &invite),
            ("result", &write_back),
        ];
        let dead_letters = futures::future::try_join_all(homes.map(async |(queue, home)| {
            let url = queue_of(&sqs, name, &format!("{queue}-dead")).await?;
            Ok::<_, StoreError>((queue, DeadLetters::new(sqs.clone(), url, home)))
        }))
        .await?;
        let urls = QueueUrls {
            poll,
            invite,
            write_back,
        };
        Ok(Self {
            store: Store::new(tables, table),
            secrets: ManagedSecrets::new(SecretsManager::new(&aws), name, clock),
            queue: SqsQueue::new(sqs, urls),
            dead_letters,
        })
    }
}

fn failed(stack: &str, problem: impl std::fmt::Display) -> StoreError {
    StoreError::new("stack", "find the stack", format!("{stack}: {problem}"))
}

async fn table_of(client: &DynamoDb, stack: &str) -> Result<String, StoreError> {
    let begins = format!("{stack}-Table-");
    let names: Vec<String> = client
        .list_tables()
        .into_paginator()
        .items()
        .send()
        .collect::<Result<_, _>>()
        .await
        .map_err(|error| failed(stack, problem(&error)))?;
    let mut ours = names.into_iter().filter(|name| name.starts_with(&begins));
    match (ours.next(), ours.next()) {
        (Some(table), None) => Ok(table),
        (None, _) => Err(failed(
            stack,
            "there is no table of this stack. Check the name, the region and the account",
        )),
        (Some(one), Some(other)) => Err(failed(
            stack,
            format!(
                "there are several tables, such as {one} and {other}; one may be left from a deleted stack. Select one with {TABLE}"
            ),
        )),
    }
}

async fn queue_of(client: &Sqs, stack: &str, queue: &str) -> Result<String, StoreError> {
    let name = format!("{stack}-{queue}");
    let answer = client
        .get_queue_url()
        .queue_name(&name)
        .send()
        .await
        .map_err(|error| failed(stack, format!("queue {name}: {}", problem(&error))))?;
    answer
        .queue_url
        .ok_or_else(|| failed(stack, format!("queue {name} has no address")))
}
