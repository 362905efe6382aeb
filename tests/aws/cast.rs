//! The cast: everybody in the story, by what happens to them.

use stagecall_sandbox::control::SandboxClient;
use stagecall_tests::harness::{State, TcpProxy};

use crate::member::Member;

/// The customer whose HRMS wants no webhooks.
pub const REFUSES_WEBHOOKS: &str = "acme";

/// Everybody.
pub struct Cast {
    /// Its candidates enter when AWS is about to go away. Its HRMS wants no webhooks.
    pub acme: Member,
    /// The same, with an HRMS that takes them.
    pub bravo: Member,
    /// Its platform is `WeCP`.
    pub wecp: Member,
    /// Its invitations are under way when the function is killed.
    pub killed: Member,
    /// Its configuration cannot be read for a while.
    pub poisoned: Member,
    /// Its Eploy refuses the credentials.
    pub locked: Member,
    /// Its invitations are at the platform when the function is suspended; so are its reports at Eploy later.
    pub sending: Member,
    /// Its candidates are being read, and nothing is claimed, when the function falls asleep.
    pub reading: Member,
    /// Its platform cannot be reached for a while.
    pub unsent: Member,
    /// Its Eploy cannot be reached for a while.
    pub unread: Member,
    /// Strangers call about it. Nothing is where its Eploy should be.
    pub attacked: Member,
    /// So do they with its tokens. Its trigger stage is not one of the vacancy's.
    pub attacked_with: Member,
    /// The line to the platform of [`Cast::unsent`].
    pub to_platform: TcpProxy,
    /// The line to the Eploy of [`Cast::unread`].
    pub to_eploy: TcpProxy,
}

impl Cast {
    /// Everybody, with those who are at the trigger stage from the beginning.
    pub async fn new(player: &SandboxClient) -> Self {
        let with_hrms = async |name: &str| Member::new(player, name).await.with_hrms(player).await;
        let with_invitees = async |name: &str, count: u32| {
            let member = Member::new(player, name).await;
            member.with_invitees(player, count).await
        };
        let acme = with_hrms(REFUSES_WEBHOOKS).await;
        acme.already_there(player, 2).await;
        let bravo = with_hrms("bravo").await;
        bravo.already_there(player, 1).await;
        let wecp = Member::with_wecp(player, "charlie").await;
        let mut locked = with_invitees("foxtrot", 1).await;
        locked.invitees.clear();
        "not the secret".clone_into(&mut locked.credentials.eploy.1);
        let mut unsent = with_invitees("india", 2).await;
        let mut unread = with_invitees("juliett", 2).await;
        let mut attacked = Member::new(player, "kilo").await;
        attacked.line_to_eploy().set(State::Down);
        let mut attacked_with = Member::new(player, "lima").await;
        let lists = "options/dropdown".into();
        let dialect = &mut attacked_with.tenant.eploy.dialect;
        dialect.insert("options_index_path".to_owned(), lists);
        attacked_with.tenant.mappings[0].triggers[0].stage = "99".into();
        Self {
            acme,
            bravo,
            wecp: wecp.with_invitees(player, 3).await,
            killed: with_invitees("delta", 6).await,
            poisoned: with_invitees("echo", 2).await,
            locked,
            sending: with_invitees("golf", 3).await,
            reading: with_invitees("hotel", 3).await,
            to_platform: unsent.line_to_platform(),
            to_eploy: unread.line_to_eploy(),
            unsent,
            unread,
            attacked,
            attacked_with,
        }
    }

    /// All of them.
    pub fn members(&self) -> [&Member; 12] {
        [
            &self.acme,
            &self.bravo,
            &self.wecp,
            &self.killed,
            &self.poisoned,
            &self.locked,
            &self.sending,
            &self.reading,
            &self.unsent,
            &self.unread,
            &self.attacked,
            &self.attacked_with,
        ]
    }

    /// Those of whom the first round of the schedule finds somebody to invite.
    pub fn invited_first(&self) -> [&Member; 6] {
        [
            &self.wecp,
            &self.killed,
            &self.sending,
            &self.reading,
            &self.unsent,
            &self.unread,
        ]
    }
}
