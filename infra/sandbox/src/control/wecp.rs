//! Sets WeCP accounts up, and acts as their candidates, reviewers and interviewers.

use jiff::Timestamp;
use serde_json::Value;

use super::{
    ByHand, CandidateAct, Handled, NewTest, NewWecpInterview, ParticipantView, WecpInfo,
    WecpInterviewView, WecpReviewerAct, WecpSettings, switched,
};
use crate::state::SandboxState;
use crate::wecp::Account;

fn info(account: &Account) -> WecpInfo {
    WecpInfo {
        name: account.name.clone(),
        base_url: account.base_url.clone(),
        api_key: account.api_key.clone(),
        partner_key: account.partner_key.clone(),
        partner_secret: account.partner_secret.clone(),
        users: account.user_tokens(),
        org: account.org.clone(),
        groups: account.group_names(),
        links: account.links.clone(),
        tests: account.test_names(),
        callback_url: account.callback_url.clone(),
        quirks: account.quirks.clone(),
    }
}

impl SandboxState {
    pub(super) fn wecp(&mut self, account: &str) -> Handled<WecpInfo> {
        Ok(info(self.wecp_account(account).0))
    }

    pub(super) fn set_wecp(&mut self, account: &str, settings: &WecpSettings) -> Handled<WecpInfo> {
        let (account, around) = self.wecp_account(account);
        account.quirks = switched(&account.quirks, &settings.quirks)?;
        for (new, field) in [
            (&settings.api_key, &mut account.api_key),
            (&settings.partner_key, &mut account.partner_key),
            (&settings.partner_secret, &mut account.partner_secret),
            (&settings.links, &mut account.links),
        ] {
            if let Some(new) = new {
                field.clone_from(new);
            }
        }
        if let Some(users) = &settings.users {
            account.set_users(users, &mut around.random);
        }
        if let Some(url) = &settings.callback_url {
            account.callback_url = Some(url.clone()).filter(|url| !url.is_empty());
        }
        Ok(info(account))
    }

    pub(super) fn switch_wecp(&mut self, account: &str, switches: Value) -> Handled<WecpInfo> {
        let settings = WecpSettings {
            quirks: serde_json::from_value(switches)?,
            ..WecpSettings::default()
        };
        self.set_wecp(account, &settings)
    }

    pub(super) fn wecp_test(&mut self, account: &str, new: &NewTest) -> Handled<String> {
        let (account, around) = self.wecp_account(account);
        Ok(account.add_test(new, Timestamp::now(), &mut around.random))
    }

    pub(super) fn wecp_interview(
        &mut self,
        account: &str,
        new: &NewWecpInterview,
    ) -> Handled<String> {
        let (account, around) = self.wecp_account(account);
        Ok(account.add_interview(new, Timestamp::now(), &mut around.random))
    }

    pub(super) fn wecp_interviews(&mut self, account: &str) -> Handled<Vec<WecpInterviewView>> {
        Ok(self.wecp_account(account).0.interview_views())
    }

    pub(super) fn wecp_invite_by_hand(&mut self, account: &str, guest: &ByHand) -> Handled<String> {
        let (account, around) = self.wecp_account(account);
        Ok(account.invite_by_hand(guest, Timestamp::now(), around)?)
    }

    pub(super) fn wecp_participants(
        &mut self,
        account: &str,
        email: Option<&str>,
    ) -> Handled<Vec<ParticipantView>> {
        Ok(self.wecp_account(account).0.participant_views(email))
    }

    pub(super) fn wecp_candidate(
        &mut self,
        account: &str,
        participants: &[String],
        act: CandidateAct,
    ) -> Handled<()> {
        let (account, around) = self.wecp_account(account);
        for id in participants {
            account.candidate_acts(id, act, Timestamp::now(), around)?;
        }
        Ok(())
    }

    pub(super) fn wecp_reviewer(
        &mut self,
        account: &str,
        participants: &[String],
        act: &WecpReviewerAct,
    ) -> Handled<()> {
        let (account, around) = self.wecp_account(account);
        for id in participants {
            account.reviewer_acts(id, act, Timestamp::now(), around)?;
        }
        Ok(())
    }
}
