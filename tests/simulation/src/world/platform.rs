//! Willo and `WeCP`: one set of records, two dialects. Here it is seen who was invited how often.

use serde_json::{Value, json};
use stagecall_core::report::Moment;
use stagecall_http::{Method, Request, Response};

use super::{Vault, header, json as answer, owner, status, written};
use crate::plan::{Readings, Second, interviews, tests};

/// Which platform it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Willo.
    Willo,
    /// `WeCP`.
    Wecp,
}

/// A platform with all tenants' accounts.
pub struct Platform {
    kind: Kind,
    readings: Readings,
    /// Everybody who was ever invited there, by us or by hand, in order.
    pub participants: Vec<Participant>,
}

/// Where somebody stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Invited.
    Invited,
    /// Opened the message.
    Opened,
    /// Began.
    Started,
    /// Finished, with this score.
    Completed(u32),
    /// Was too late.
    Expired,
    /// Said no.
    Declined,
    /// Could not be reached.
    Bounced,
}

impl Standing {
    /// The moment that Eploy has to show.
    pub fn moment(self) -> Moment {
        match self {
            Self::Invited => Moment::Invited,
            Self::Opened => Moment::Opened,
            Self::Started => Moment::Started,
            Self::Completed(_) => Moment::Completed,
            Self::Expired => Moment::Expired,
            Self::Declined => Moment::Declined,
            Self::Bounced => Moment::Bounced,
        }
    }

    /// The level that the ledger's state must have at least, see `State::level`.
    pub fn level(self) -> u8 {
        match self {
            Self::Invited | Self::Opened => 2,
            Self::Started => 3,
            Self::Expired | Self::Declined | Self::Bounced => 4,
            Self::Completed(_) => 5,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Invited => "invited",
            Self::Opened => "opened",
            Self::Started => "started",
            Self::Completed(_) => "completed",
            Self::Expired => "expired",
            Self::Declined => "declined",
            Self::Bounced => "bounced",
        }
    }
}

/// Somebody who was invited there.
pub struct Participant {
    /// The platform's reference.
    pub key: String,
    /// Whose account.
    pub tenant: usize,
    /// To what.
    pub assessment: String,
    /// The address.
    pub email: String,
    /// Our reference, as it was given; empty if somebody invited them by hand.
    pub client_ref: String,
    /// Whether an e-mail was asked for or forbidden.
    pub send_email: Option<bool>,
    /// When somebody of the customer's invited them there by hand, if it was not us.
    pub by_hand: Option<i64>,
    /// Where they stand.
    pub standing: Standing,
    /// When that was last changed.
    pub changed: i64,
}

impl Participant {
    /// What they are called where a history is told.
    pub fn name(&self) -> &str {
        match self.by_hand {
            None => &self.client_ref,
            Some(_) => &self.key,
        }
    }
}

impl Platform {
    /// A platform that nobody was invited on yet.
    pub fn new(kind: Kind, readings: Readings) -> Self {
        Self {
            kind,
            readings,
            participants: Vec::new(),
        }
    }

    /// The name of its accounts.
    pub fn account(&self) -> &'static str {
        match self.kind {
            Kind::Willo => "willo",
            Kind::Wecp => "wecp",
        }
    }

    /// Everybody whom we had invited, in order.
    pub fn ours(&self) -> impl Iterator<Item = &Participant> {
        let all = self.participants.iter();
        all.filter(|one| one.by_hand.is_none())
    }

    /// Whether it says whom it has of an address that it has already.
    pub fn names_whom_it_has(&self) -> bool {
        self.readings.second != Second::Conflict
    }

    /// Whether its list cannot be read.
    pub fn lacks_a_list(&self) -> bool {
        self.readings.no_list.is_some()
    }

    /// Whether it gives our reference back.
    pub fn echoes(&self) -> bool {
        self.readings.echoes
    }

    /// Whether it calls back.
    pub fn calls_back(&self) -> bool {
        self.kind == Kind::Willo
    }

    /// Answers a request.
    pub fn answer(
        &mut self,
        request: &Request,
        now: i64,
        vault: &Vault,
        violations: &mut Vec<String>,
    ) -> Response {
        let name = match self.kind {
            Kind::Willo => "authorization",
            Kind::Wecp => "x-api-key",
        };
        let Some((tenant, true)) = vault.check(header(request, name)) else {
            return answer(401, &json!({"detail": "Invalid token."}));
        };
        let own = self.assessments(tenant);
        let path = match self.kind {
            Kind::Willo => request
                .url
                .path()
                .strip_prefix("/api/integrations/v2/")
                .unwrap_or("")
                .trim_end_matches('/'),
            Kind::Wecp => request.url.path().trim_start_matches('/'),
        };
        let parts: Vec<&str> = path.split('/').collect();
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let asked: String = match parts.as_slice() {
            ["ats", "wecp", "tests", test, "candidates"] => (*test).to_owned(),
            ["participants"] if request.method == Method::Get => request
                .url
                .query_pairs()
                .find(|(key, _)| key == "interview")
                .map_or_else(|| own[0].clone(), |(_, value)| value.into_owned()),
            ["participants"] => body["interview"].as_str().unwrap_or_default().to_owned(),
            _ => own[0].clone(),
        };
        if !own.contains(&asked) {
            violations.push(format!(
                "the key of tenant t{tenant} was used for {asked}, which is another tenant's"
            ));
        }
        if let (Method::Get, Some(refusal), ["participants"] | [_, _, _, _, "candidates"]) =
            (request.method, self.readings.no_list, parts.as_slice())
        {
            return answer(refusal, &json!({"detail": "The list is not there."}));
        }
        match (request.method, parts.as_slice()) {
            (Method::Post, ["participants"] | ["ats", "wecp", "tests", _, "candidates"]) => {
                self.invite(tenant, asked, &body, now, violations)
            }
            (Method::Get, ["participants"]) => self.list(tenant, &asked, request),
            (Method::Get, ["ats", "wecp", "tests", _, "candidates"]) => {
                let rows = self.of(tenant, &asked);
                let rows: Vec<Value> = rows.map(|one| self.shown(one)).collect();
                if rows.is_empty() {
                    return Response {
                        body: b"No candidate found".to_vec(),
                        ..status(404)
                    };
                }
                answer(200, &rows.into())
            }
            (Method::Get, ["participants", key] | ["ats", "wecp", "candidates", key]) => {
                match self.participants.iter().find(|one| one.key == *key) {
                    Some(one) if one.tenant == tenant => answer(200, &self.shown(one)),
                    Some(one) => {
                        violations.push(format!(
                            "the key of tenant t{tenant} was used for a participant of t{}",
                            one.tenant
                        ));
                        answer(404, &json!({"detail": "Not found."}))
                    }
                    None => answer(404, &json!({"detail": "Not found."})),
                }
            }
            _ => status(404),
        }
    }

    /// The assessments that a tenant has.
    fn assessments(&self, tenant: usize) -> [String; 2] {
        match self.kind {
            Kind::Willo => interviews(tenant),
            Kind::Wecp => tests(tenant),
        }
    }

    fn of(&self, tenant: usize, assessment: &str) -> impl Iterator<Item = &Participant> {
        self.participants
            .iter()
            .filter(move |one| one.tenant == tenant && one.assessment == assessment)
    }

    fn invite(
        &mut self,
        tenant: usize,
        assessment: String,
        body: &Value,
        now: i64,
        violations: &mut Vec<String>,
    ) -> Response {
        let reference = match self.kind {
            Kind::Willo => &body["external_id"],
            Kind::Wecp => &body["metadata"]["invitationId"],
        };
        let client_ref = reference.as_str().unwrap_or_default().to_owned();
        let email = body["email"].as_str().unwrap_or_default().to_owned();
        let application = client_ref.split('.').next().and_then(|id| id.parse().ok());
        let person = email
            .split(['.', '@'])
            .nth(1)
            .and_then(|id| id.parse().ok());
        for id in [application, person] {
            if id.and_then(owner) != Some(tenant) {
                violations.push(format!(
                    "the key of tenant t{tenant} was used to invite for {client_ref}, which is not theirs"
                ));
            }
        }
        let before = self.of(tenant, &assessment).find(|one| one.email == email);
        match (self.readings.second, before) {
            (Second::Conflict, Some(_)) => {
                return answer(
                    409,
                    &json!({"detail": "This candidate is already invited."}),
                );
            }
            (Second::Old, Some(one)) => return answer(200, &self.shown(one)),
            _ => {}
        }
        let send_email = body["sendEmail"].as_bool();
        self.admit(tenant, assessment, email, client_ref, None, now);
        let at = self.participants.len() - 1;
        self.participants[at].send_email = send_email;
        answer(201, &self.shown(&self.participants[at]))
    }

    /// Somebody of the customer's invites a person by hand, who may be there already.
    pub fn invite_by_hand(&mut self, tenant: usize, email: String, now: i64) {
        let [assessment, _] = self.assessments(tenant);
        self.admit(tenant, assessment, email, String::new(), Some(now), now);
    }

    fn admit(
        &mut self,
        tenant: usize,
        assessment: String,
        email: String,
        client_ref: String,
        by_hand: Option<i64>,
        now: i64,
    ) {
        let count = self.participants.len() + 1;
        self.participants.push(Participant {
            key: match self.kind {
                Kind::Willo => format!("{:032x}", count * 0x9e37_79b9),
                Kind::Wecp => format!("c{count}"),
            },
            tenant,
            assessment,
            email,
            client_ref,
            send_email: None,
            by_hand,
            standing: Standing::Invited,
            changed: now,
        });
    }

    fn list(&self, tenant: usize, assessment: &str, request: &Request) -> Response {
        let from = request
            .url
            .query_pairs()
            .find(|(key, _)| key == "from")
            .and_then(|(_, value)| value.parse::<usize>().ok())
            .unwrap_or(0);
        let all: Vec<&Participant> = self.of(tenant, assessment).collect();
        let rows: Vec<Value> = all
            .iter()
            .skip(from)
            .take(self.readings.page)
            .map(|one| self.shown(one))
            .collect();
        let next = from + rows.len();
        let next = (next < all.len()).then(|| {
            format!(
                "https://api.willotalent.com/api/integrations/v2/participants/?interview={assessment}&from={next}"
            )
        });
        answer(
            200,
            &json!({"count": all.len(), "next": next, "previous": null, "results": rows}),
        )
    }

    fn shown(&self, one: &Participant) -> Value {
        match self.kind {
            Kind::Willo => self.participant(one),
            Kind::Wecp => self.candidate(one),
        }
    }

    fn participant(&self, one: &Participant) -> Value {
        let mut shown = json!({
            "key": one.key,
            "interview": {"key": one.assessment},
            "email": one.email,
            "name": "Ada Example",
            "status": one.standing.word(),
        });
        if self.readings.echoes && one.by_hand.is_none() {
            shown["external_id"] = one.client_ref.as_str().into();
        }
        if let Standing::Completed(score) = one.standing {
            shown["score"] = json!({"value": score, "max": 100});
            shown["completed_at"] = written(one.changed).into();
        }
        shown
    }

    fn candidate(&self, one: &Participant) -> Value {
        let mut shown = json!({
            "candidateId": one.key,
            "candidateDetails": [{"label": "E-mail", "value": one.email}],
            "status": one.standing.word(),
            "testFinished": matches!(one.standing, Standing::Completed(_)),
        });
        if self.readings.echoes && one.by_hand.is_none() {
            shown["metadata"] = json!({"invitationId": one.client_ref});
        }
        if let Standing::Completed(score) = one.standing {
            shown["score"] = score.into();
            shown["maxScore"] = 100.into();
            shown["finishTime"] = written(one.changed).into();
        }
        shown
    }

    /// Moves somebody on, if they can. Returns whether anything changed.
    pub fn progress(&mut self, at: usize, now: i64, rng: &mut fastrand::Rng) -> bool {
        let one = &mut self.participants[at];
        // WeCP's screens have a word for all of these but the one that says no.
        let next = match (one.standing, rng.u32(0..8)) {
            (Standing::Invited, 0) => Standing::Expired,
            (Standing::Invited, 1) => Standing::Bounced,
            (Standing::Invited, 2) if self.kind == Kind::Willo => Standing::Declined,
            (Standing::Invited, 3) => Standing::Opened,
            (Standing::Invited | Standing::Opened, _) => Standing::Started,
            (Standing::Started, 0) => Standing::Expired,
            (Standing::Started | Standing::Expired, _) => Standing::Completed(rng.u32(0..=100)),
            (Standing::Completed(_), _) => Standing::Completed(rng.u32(0..=100)),
            (Standing::Declined | Standing::Bounced, _) => return false,
        };
        let changed = next != one.standing;
        one.standing = next;
        one.changed = now;
        changed
    }
}
