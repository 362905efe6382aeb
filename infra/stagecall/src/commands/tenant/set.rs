//! `stagecall tenant set`.

use clap::Args;
use stagecall_core::tenant::Tenant;
use toml::{Table, Value};

use super::validate::{check, difference};
use crate::confirm::Audit;
use crate::exit;
use stagecall_operations::Installation;
use stagecall_operations::edit::cost;
use stagecall_operations::read::{refuse_overlaps, removed_account_problem};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The tenant.
    tenant: String,
    /// NAME=VALUE; a value that is not valid TOML is taken as a string.
    #[arg(value_name = "NAME=VALUE", required_unless_present = "unset")]
    settings: Vec<String>,
    /// Reset a setting to its default.
    #[arg(long, value_name = "NAME")]
    unset: Vec<String>,
    #[command(flatten)]
    audit: Audit,
}

pub(crate) async fn run(arguments: &Arguments, on: &Installation) -> anyhow::Result<u8> {
    let before = on.tenant(&arguments.tenant).await?;
    let mut table = Table::try_from(&before)?;
    for setting in &arguments.settings {
        let Some((name, given)) = setting.split_once('=') else {
            return Err(exit::usage(format!("{setting}: give NAME=VALUE")));
        };
        *value_at(&mut table, name)? = value(given);
    }
    for name in &arguments.unset {
        remove(&mut table, name)?;
    }
    let next: Tenant = Value::Table(table)
        .try_into()
        .map_err(|error: toml::de::Error| {
            exit::usage(format!(
                "tenant {} would be invalid: {}",
                before.id,
                error.message()
            ))
        })?;
    if next.id != before.id {
        return Err(exit::usage(
            "a tenant cannot be renamed; export it, change the name in the file and import it",
        ));
    }
    check(&next, on.sandbox)?;
    refuse_overlaps(&next, on).await?;
    if let Some(problem) = removed_account_problem(&*on.records, &before, &next).await? {
        return Err(exit::usage(problem));
    }
    let Some(shown) = difference(Some(&before), &next)? else {
        println!("nothing changes");
        return Ok(exit::OK);
    };
    let shown = [Some(shown), cost(on, &next).await?];
    let shown: Vec<String> = shown.into_iter().flatten().collect();
    if !arguments.audit.confirm(&shown.join("\n"))? {
        return Ok(exit::OK);
    }
    on.records.put_tenant(&next).await?;
    let names = arguments
        .settings
        .iter()
        .map(|setting| setting.split('=').next().unwrap_or(""));
    let names: Vec<&str> = names
        .chain(arguments.unset.iter().map(String::as_str))
        .collect();
    let audit = &arguments.audit;
    audit
        .actor()
        .record(on, "tenant set", Some(&next.id), names.join(" "))
        .await?;
    println!(
        "{} is updated; the change takes effect at the next poll",
        next.id
    );
    Ok(exit::OK)
}

/// A value as given: TOML, else a string.
fn value(given: &str) -> Value {
    let read: Option<Table> = format!("value = {given}").parse().ok();
    read.and_then(|mut read| read.remove("value"))
        .unwrap_or_else(|| Value::String(given.to_owned()))
}

/// The value with this name, created if it is missing.
fn value_at<'a>(table: &'a mut Table, name: &str) -> anyhow::Result<&'a mut Value> {
    match name.split_once('.') {
        None => Ok(table
            .entry(name)
            .or_insert_with(|| Value::Table(Table::new()))),
        Some((first, rest)) => {
            let inner = table
                .entry(first)
                .or_insert_with(|| Value::Table(Table::new()));
            value_at(within(inner, first)?, rest)
        }
    }
}

fn remove(table: &mut Table, name: &str) -> anyhow::Result<()> {
    match name.split_once('.') {
        None => {
            table.remove(name);
            Ok(())
        }
        Some((first, rest)) => match table.get_mut(first) {
            Some(inner) => remove(within(inner, first)?, rest),
            None => Ok(()),
        },
    }
}

fn within<'a>(value: &'a mut Value, name: &str) -> anyhow::Result<&'a mut Table> {
    value.as_table_mut().ok_or_else(|| {
        exit::usage(format!(
            "{name} has no settings inside; change mappings with stagecall tenant apply"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::testing::{audit, installation, tenant, with_open_invitation};

    #[tokio::test]
    async fn an_account_with_open_invitations_is_not_unset() {
        let (on, _folder) = installation().await;
        let mut before = tenant("willo");
        with_open_invitation(&on, &before).await;
        // Its mapping was removed; what was invited is still followed.
        before.mappings.clear();
        on.records.put_tenant(&before).await.unwrap();
        let arguments = Arguments {
            tenant: "acme".to_owned(),
            settings: vec!["platforms.interviews.kind=willo".to_owned()],
            unset: vec!["platforms.willo".to_owned()],
            audit: audit(),
        };
        let refused = run(&arguments, &on).await.unwrap_err().to_string();
        assert!(refused.contains("has open invitations (1)"), "{refused}");
        assert_eq!(on.tenant("acme").await.unwrap(), before);
    }

    #[test]
    fn a_setting_is_found_by_its_name_and_created_if_missing() {
        let mut table: Table = "[eploy]\npoll_seconds = 60".parse().unwrap();
        *value_at(&mut table, "eploy.poll_seconds").unwrap() = value("120");
        *value_at(&mut table, "eploy.dialect.dates").unwrap() = value("uk");
        *value_at(&mut table, "paused").unwrap() = value("true");
        remove(&mut table, "eploy.nothing.there").unwrap();
        assert_eq!(table["eploy"]["poll_seconds"].as_integer(), Some(120));
        assert_eq!(table["eploy"]["dialect"]["dates"].as_str(), Some("uk"));
        assert_eq!(table["paused"].as_bool(), Some(true));
        remove(&mut table, "eploy.dialect.dates").unwrap();
        assert!(table["eploy"]["dialect"].get("dates").is_none());
        assert!(value_at(&mut table, "paused.deeper").is_err());
    }
}
