//! Sets Willo accounts up, and acts as their candidates and reviewers.

use jiff::Timestamp;
use serde_json::Value;

use super::{
    AccountInfo, AccountSettings, ByHand, CandidateAct, Handled, ParticipantView, ReviewerAct,
    switched,
};
use crate::state::SandboxState;
use crate::willo::Account;

fn info(account: &Account) -> AccountInfo {
    AccountInfo {
        name: account.name.clone(),
        base_url: account.base_url.clone(),
        api_key: account.api_key.clone(),
        links: account.links.clone(),
        interviews: account.interview_titles(),
        stages: account.stage_names(),
        quirks: account.quirks.clone(),
    }
}

impl SandboxState {
    pub(super) fn willo(&mut self, account: &str) -> Handled<AccountInfo> {
        Ok(info(self.willo_account(account).0))
    }

    pub(super) fn set_willo(
        &mut self,
        account: &str,
        settings: &AccountSettings,
    ) -> Handled<AccountInfo> {
        let (account, _) = self.willo_account(account);
        account.quirks = switched(&account.quirks, &settings.quirks)?;
        if let Some(key) = &settings.api_key {
            account.api_key.clone_from(key);
        }
        if let Some(links) = &settings.links {
            account.links.clone_from(links);
        }
        Ok(info(account))
    }

    pub(super) fn switch_willo(&mut self, account: &str, switches: Value) -> Handled<AccountInfo> {
        let settings = AccountSettings {
            quirks: serde_json::from_value(switches)?,
            ..AccountSettings::default()
        };
        self.set_willo(account, &settings)
    }

    pub(super) fn interview(&mut self, account: &str, title: &str) -> Handled<String> {
        let (account, around) = self.willo_account(account);
        Ok(account.add_interview(title, Timestamp::now(), &mut around.random))
    }

    pub(super) fn invite_by_hand(&mut self, account: &str, guest: &ByHand) -> Handled<String> {
        let (account, around) = self.willo_account(account);
        Ok(account.invite_by_hand(guest, Timestamp::now(), around)?)
    }

    pub(super) fn participants(
        &mut self,
        account: &str,
        email: Option<&str>,
    ) -> Handled<Vec<ParticipantView>> {
        Ok(self.willo_account(account).0.participant_views(email))
    }

    pub(super) fn candidate(
        &mut self,
        account: &str,
        participants: &[String],
        act: CandidateAct,
    ) -> Handled<()> {
        let (account, around) = self.willo_account(account);
        for key in participants {
            account.candidate_acts(key, act, Timestamp::now(), around)?;
        }
        Ok(())
    }

    pub(super) fn reviewer(
        &mut self,
        account: &str,
        participants: &[String],
        act: &ReviewerAct,
    ) -> Handled<()> {
        let (account, around) = self.willo_account(account);
        for key in participants {
            account.reviewer_acts(key, act, Timestamp::now(), around)?;
        }
        Ok(())
    }
}
