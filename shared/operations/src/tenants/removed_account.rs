//! Platform accounts that a change of a tenant takes away from open invitations.

use stagecall_core::ids::AccountId;
use stagecall_core::invitation::Invitation;
use stagecall_core::ports::OperatorStore;
use stagecall_core::tenant::Tenant;

use crate::error::Result;
use crate::invitations::count_open;

/// The reason why a tenant's configuration may not be replaced: a platform account with open invitations would be removed,
/// and nothing would find their results. An account under another name counts as another account.
pub(super) async fn removed_account_problem(
    records: &dyn OperatorStore,
    before: &Tenant,
    next: &Tenant,
) -> Result<Option<String>> {
    for account in before.platforms.keys() {
        if next.platforms.contains_key(account) {
            continue;
        }
        let at = |one: &Invitation| one.assessment.account == *account;
        let open = count_open(records, &before.id, at).await?;
        if open > 0 {
            let goes = match renamed(before, next, account) {
                Some(name) => format!("is now called {name}, as it looks; give it its name again"),
                None => "is to go; leave it until they have ended, or take them back with stagecall cancel".to_owned(),
            };
            return Ok(Some(format!(
                "platform account {account} of tenant {} has open invitations ({open}), whose results are found by its name. It {goes}",
                before.id
            )));
        }
    }
    Ok(None)
}

/// The account that looks like this one under another name: new, and with the same settings. It may all the same be another
/// one of the same platform, because secrets tell accounts apart.
fn renamed<'a>(before: &Tenant, next: &'a Tenant, account: &AccountId) -> Option<&'a AccountId> {
    let was = before.platforms.get(account)?;
    let mut new = next.platforms.iter();
    new.find(|(name, is)| !before.platforms.contains_key(*name) && *is == was)
        .map(|(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{installation, tenant, with_open_invitation};

    #[tokio::test]
    async fn an_account_is_not_taken_away_from_invitations_that_are_open_there() {
        let (on, _folder) = installation();
        let before = tenant("willo");
        with_open_invitation(&on, &before).await;
        let problem = async |next: &Tenant| {
            let found = removed_account_problem(&*on.records, &before, next).await;
            found.unwrap()
        };
        assert_eq!(problem(&before).await, None);
        let said = problem(&tenant("interviews")).await.unwrap();
        assert_eq!(
            said,
            "platform account willo of tenant acme has open invitations (1), whose results are found by its name. It is now called interviews, as it looks; give it its name again"
        );
        let mut another = tenant("interviews");
        let account = another.platforms.values_mut().next().unwrap();
        account.kind = "wecp".to_owned();
        let said = problem(&another).await.unwrap();
        assert!(
            said.ends_with("or take them back with stagecall cancel"),
            "{said}"
        );
        // With an account beside it nothing is lost.
        let mut more = tenant("interviews");
        more.platforms.extend(before.platforms.clone());
        assert_eq!(problem(&more).await, None);
    }

    #[tokio::test]
    async fn an_account_without_open_invitations_may_get_another_name() {
        let (on, _folder) = installation();
        let before = tenant("willo");
        on.records.put_tenant(&before).await.unwrap();
        let found = removed_account_problem(&*on.records, &before, &tenant("interviews")).await;
        assert_eq!(found.unwrap(), None);
    }
}
