//! Searches the queues and the table for personal data and secrets, in their stored form.

use aws_sdk_dynamodb::types::AttributeValue;
use secrecy::ExposeSecret as _;
use stagecall_core::ids::AccountId;
use stagecall_core::ports::Secrets as _;
use stagecall_emulator::{Stack, Taken};
use stagecall_sandbox::control::SandboxClient;
use stagecall_tests::privacy::{forms, found};

use crate::member::Member;

/// The size limit of an unpacked document.
const MAX_DOCUMENT_BYTES: usize = 1 << 24;

/// Everybody's data in every form, and every secret of these members, with the callback tokens that are valid.
pub async fn needles(stack: &Stack, player: &SandboxClient, members: &[&Member]) -> Vec<String> {
    let people = player.people().await.unwrap();
    assert!(people.len() > 20);
    let mut needles: Vec<String> = people.iter().flat_map(forms).collect();
    let secrets = stack.secrets();
    for member in members {
        needles.push(member.credentials.eploy.1.clone());
        needles.extend(member.credentials.hrms.clone());
        for (account, keys) in &member.credentials.platforms {
            needles.extend(keys.values().cloned());
            let account = AccountId::new(account);
            let tokens = secrets.callback_tokens(&member.tenant.id, &account).await;
            let tokens = tokens.unwrap().unwrap();
            let valid = [Some(tokens.current), tokens.previous]
                .into_iter()
                .flatten();
            needles.extend(valid.map(|token| token.0.expose_secret().to_owned()));
        }
    }
    needles
}

/// None of it waits in a queue.
pub fn nobody_in_messages(messages: &[Taken], needles: &[String]) {
    for message in messages {
        let text = message.text();
        let there = found(text.as_bytes(), needles);
        assert!(there.is_empty(), "{there:?} waits in a queue: {text}");
    }
}

/// None of it is in the table.
pub async fn nobody_in_the_table(stack: &Stack, needles: &[String], members: &[&Member]) {
    let items = table(stack).await;
    for item in &items {
        let there = found(item.as_bytes(), needles);
        assert!(there.is_empty(), "{there:?} is in the table: {item}");
    }
    // The table was read, with what its documents say: who applies is in no key alone.
    for member in members {
        for application in &member.invitees {
            let known = format!("\"application\":\"{application}\"");
            assert!(
                items.iter().any(|item| item.contains(&known)),
                "{known} is not in the table"
            );
        }
    }
}

/// Every item of the table, as the owner of the account reads it: the names and values of all its attributes, compressed
/// ones unpacked.
pub async fn table(stack: &Stack) -> Vec<String> {
    let items: Vec<_> = aws_sdk_dynamodb::Client::new(stack.aws())
        .scan()
        .table_name(stack.table().unwrap())
        .consistent_read(true)
        .into_paginator()
        .items()
        .send()
        .collect::<Result<_, _>>()
        .await
        .unwrap();
    let shown = |(name, value): (String, AttributeValue)| format!("{name}={}", text(&name, value));
    items
        .into_iter()
        .map(|item| item.into_iter().map(shown).collect::<Vec<_>>().join("\n"))
        .collect()
}

fn text(name: &str, value: AttributeValue) -> String {
    match value {
        AttributeValue::S(text) | AttributeValue::N(text) => text,
        AttributeValue::B(bytes) if name == "doc" => {
            let unpacked = miniz_oxide::inflate::decompress_to_vec_with_limit(
                bytes.as_ref(),
                MAX_DOCUMENT_BYTES,
            );
            String::from_utf8(unpacked.expect("a document is compressed")).unwrap()
        }
        // Random bits, and the encrypted token for Eploy.
        other => format!("{other:?}"),
    }
}
