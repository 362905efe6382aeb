//! `stagecall tenant apply`, `import` and `export`.

use std::io::Read as _;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use stagecall_core::tenant::Tenant;

use super::validate::{difference, text};
use crate::config::{Wrong, parse_tenants};
use crate::confirm::Audit;
use crate::exit;
use stagecall_operations::Installation;
use stagecall_operations::edit::cost;
use stagecall_operations::read::{refuse_overlaps, removed_account_problem};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The file, as `tenant export` prints it; - for standard input, which needs --yes.
    file: PathBuf,
    /// Show what would change, and change nothing.
    #[arg(long)]
    check: bool,
    #[command(flatten)]
    audit: Audit,
}

/// Makes the tenants match a file.
pub(crate) async fn run(arguments: &Arguments, on: &Installation) -> anyhow::Result<u8> {
    let wanted = read(arguments, on)?;
    let mut changes = Vec::new();
    for tenant in wanted {
        let before = on.tenants.tenant(&tenant.id).await?;
        if let Some(shown) = difference(before.as_ref(), &tenant)? {
            changes.push((tenant, shown));
        }
    }
    change(arguments, "tenant apply", changes, on).await
}

/// Adds the tenants of a file.
pub(super) async fn import(arguments: &Arguments, on: &Installation) -> anyhow::Result<u8> {
    let wanted = read(arguments, on)?;
    let mut changes = Vec::new();
    for tenant in wanted {
        match on.tenants.tenant(&tenant.id).await? {
            Some(before) => {
                if difference(Some(&before), &tenant)?.is_some() {
                    println!(
                        "{} exists already and differs; it is left unchanged. To change it: stagecall tenant apply",
                        tenant.id
                    );
                }
            }
            None => changes.extend(difference(None, &tenant)?.map(|shown| (tenant, shown))),
        }
    }
    change(arguments, "tenant import", changes, on).await
}

fn read(arguments: &Arguments, on: &Installation) -> anyhow::Result<Vec<Tenant>> {
    let mut text = String::new();
    if arguments.file.as_os_str() == "-" {
        std::io::stdin().read_to_string(&mut text)?;
    } else {
        text = std::fs::read_to_string(&arguments.file)
            .with_context(|| format!("cannot read {}", arguments.file.display()))?;
    }
    parse_tenants(&text, on.sandbox).map_err(|problems| {
        let file = arguments.file.clone();
        exit::usage(Wrong { file, problems }.to_string())
    })
}

async fn change(
    arguments: &Arguments,
    what: &str,
    changes: Vec<(Tenant, String)>,
    on: &Installation,
) -> anyhow::Result<u8> {
    if changes.is_empty() {
        println!("nothing changes");
        return Ok(exit::OK);
    }
    for (tenant, _) in &changes {
        refuse_overlaps(tenant, on).await?;
        if let Some(before) = on.tenants.tenant(&tenant.id).await?
            && let Some(problem) = removed_account_problem(&*on.records, &before, tenant).await?
        {
            return Err(exit::usage(problem));
        }
    }
    let mut costs = Vec::new();
    for (tenant, _) in &changes {
        costs.extend(cost(on, tenant).await?);
    }
    let shown = changes.iter().map(|(_, shown)| shown.as_str());
    let mut shown: Vec<&str> = shown.chain(costs.iter().map(String::as_str)).collect();
    if arguments.check {
        println!("{}", shown.join("\n"));
        return Ok(exit::OK);
    }
    shown.push("Applications that are at a trigger stage now are the baseline of what is new (a mapping, or vacancies, stages and statuses added to one) and are not invited.");
    if !arguments.audit.confirm(&shown.join("\n"))? {
        return Ok(exit::OK);
    }
    for (tenant, _) in &changes {
        on.records.put_tenant(tenant).await?;
        let audit = &arguments.audit;
        audit
            .actor()
            .record(on, what, Some(&tenant.id), tenant.id.as_str())
            .await?;
        println!("{} is saved", tenant.id);
        let has_endpoint = tenant
            .hires
            .as_ref()
            .is_some_and(|plan| plan.endpoint.is_some());
        match on.secrets.secret(&tenant.id, true).await {
            Err(_) => println!(
                "{}: its credentials are missing; add them with: stagecall tenant rotate {0} --eploy",
                tenant.id
            ),
            Ok(secret) if has_endpoint && secret.hrms.is_none() => println!(
                "{}: its webhooks to the HRMS cannot be signed yet; add hrms.current with: stagecall tenant rotate {0} --secrets FILE",
                tenant.id
            ),
            Ok(_) => {}
        }
    }
    Ok(exit::OK)
}

pub(super) async fn export(names: &[String], on: &Installation) -> anyhow::Result<u8> {
    let tenants = if names.is_empty() {
        on.records.list_tenants().await?
    } else {
        let mut tenants = Vec::new();
        for name in names {
            tenants.push(on.tenant(name).await?);
        }
        tenants
    };
    let printed: Vec<String> = tenants.iter().map(text).collect::<Result<_, _>>()?;
    print!("{}", printed.join("\n"));
    Ok(exit::OK)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::testing::{audit, installation, tenant, with_open_invitation};

    #[tokio::test]
    async fn a_file_that_renames_an_account_with_open_invitations_is_refused() {
        let (on, folder) = installation().await;
        with_open_invitation(&on, &tenant("willo")).await;
        let path = folder.path().join("tenants.toml");
        std::fs::write(&path, text(&tenant("interviews")).unwrap()).unwrap();
        let arguments = Arguments {
            file: path,
            check: false,
            audit: audit(),
        };
        let refused = run(&arguments, &on).await.unwrap_err().to_string();
        assert!(refused.contains("has open invitations (1)"), "{refused}");
        assert!(refused.contains("is now called interviews"), "{refused}");
        assert_eq!(on.tenant("acme").await.unwrap(), tenant("willo"));
    }
}
