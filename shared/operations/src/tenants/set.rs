//! Changing settings of a tenant by their names.

use stagecall_core::tenant::Tenant;
use toml::{Table, Value};

use super::change::TenantChange;
use crate::change::Prepared;
use crate::error::{Error, Result};
use crate::installation::Installation;

/// The settings of a tenant that are to be changed, by their names in the tenant's text (`eploy.poll_seconds`).
#[derive(Clone, Debug)]
pub struct Question {
    /// The tenant.
    pub tenant: String,
    /// Names and new values; a value that is not valid TOML is taken as a string.
    pub set: Vec<(String, String)>,
    /// The names of those that get their default again.
    pub unset: Vec<String>,
}

/// Prepares changing settings.
///
/// # Errors
/// There is no such tenant, it would be invalid or may not be changed so, or Eploy or the store fails.
pub async fn prepare(on: &Installation, question: &Question) -> Result<Prepared<TenantChange>> {
    let before = on.tenant(&question.tenant).await?;
    let invalid =
        |problem: &str| Error::Invalid(format!("tenant {} would be invalid: {problem}", before.id));
    let table = Table::try_from(&before);
    let mut table = table.map_err(|error| invalid(&error.to_string()))?;
    for (name, given) in &question.set {
        *value_at(&mut table, name)? = value(given);
    }
    for name in &question.unset {
        remove(&mut table, name)?;
    }
    let next: std::result::Result<Tenant, toml::de::Error> = Value::Table(table).try_into();
    let next = next.map_err(|error| invalid(error.message()))?;
    if next.id != before.id {
        return Err(Error::Invalid(
            "a tenant cannot be renamed; export it, change the name in the file and import it"
                .to_owned(),
        ));
    }
    let names = question.set.iter().map(|(name, _)| name.as_str());
    let names: Vec<&str> = names
        .chain(question.unset.iter().map(String::as_str))
        .collect();
    let target = names.join(" ");
    let change = TenantChange::prepare(on, Some(&before), next, "tenant set", target).await?;
    Ok(change.map_or_else(
        || Prepared::Nothing("nothing changes".to_owned()),
        Prepared::Change,
    ))
}

/// A value as given: TOML, else a string.
fn value(given: &str) -> Value {
    let read: Option<Table> = format!("value = {given}").parse().ok();
    read.and_then(|mut read| read.remove("value"))
        .unwrap_or_else(|| Value::String(given.to_owned()))
}

/// The value with this name, created if it is missing.
fn value_at<'a>(table: &'a mut Table, name: &str) -> Result<&'a mut Value> {
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

fn remove(table: &mut Table, name: &str) -> Result<()> {
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

fn within<'a>(value: &'a mut Value, name: &str) -> Result<&'a mut Table> {
    value.as_table_mut().ok_or_else(|| {
        Error::Invalid(format!(
            "{name} has no settings inside; change mappings with stagecall tenant apply"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{installation, tenant, with_open_invitation};

    #[tokio::test]
    async fn an_account_with_open_invitations_is_not_unset() {
        let (on, _folder) = installation();
        let mut before = tenant("willo");
        with_open_invitation(&on, &before).await;
        // Its mapping was removed; what was invited is still followed.
        before.mappings.clear();
        on.records.put_tenant(&before).await.unwrap();
        let question = Question {
            tenant: "acme".to_owned(),
            set: vec![("platforms.interviews.kind".to_owned(), "willo".to_owned())],
            unset: vec!["platforms.willo".to_owned()],
        };
        let refused = prepare(&on, &question).await.unwrap_err().to_string();
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
