//! Willo and `WeCP`: one set of records, two dialects. It knows who was invited how often.

use serde_json::{Value, json};
use stagecall_core::report::Moment;
use stagecall_http::{Method, Request, Response};

use super::{Vault, header, json as answer, owner, status, written};
use crate::plan::{Readings, Second, interviews, tests};

/// The kind of platform.
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
    /// All participants who were ever invited there, by us or by hand, in order.
    pub participants: Vec<Participant>,
}

/// A participant's progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Invited.
    Invited,
    /// Opened the message.
    Opened,
    /// Began.
    Started,
    /// Completed, with this score.
    Completed(u32),
    /// Expired.
    Expired,
    /// Declined.
    Declined,
    /// Bounced.
    Bounced,
}

impl Progress {
    /// The moment that Eploy must show.
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

/// A participant.
pub struct Participant {
    /// The platform's reference.
    pub key: String,
    /// The tenant of the account.
    pub tenant: usize,
    /// The assessment.
    pub assessment: String,
    /// The address.
    pub email: String,
    /// Our reference, as given; empty for an invitation by hand.
    pub client_ref: String,
    /// Whether an e-mail was requested or forbidden.
    pub send_email: Option<bool>,
    /// When the customer invited them by hand, if it was not us.
    pub by_hand: Option<i64>,
    /// Their progress.
    pub progress: Progress,
    /// When that was last changed.
    pub changed: i64,
}

impl Participant {
    /// Their name in the history.
    pub fn name(&self) -> &str {
        match self.by_hand {
            None => &self.client_ref,
            Some(_) => &self.key,
        }
    }
}

impl Platform {
    /// A platform without participants.
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

    /// All participants whom we invited, in order.
    pub fn ours(&self) -> impl Iterator<Item = &Participant> {
        let all = self.participants.iter();
        all.filter(|one| one.by_hand.is_none())
    }

    /// Whether it names the existing participant of an address.
    pub fn names_whom_it_has(&self) -> bool {
        self.readings.second != Second::Conflict
    }

    /// Whether its list cannot be read.
    pub fn lacks_a_list(&self) -> bool {
        self.readings.no_list.is_some()
    }

    /// Whether it returns our reference.
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

    /// A tenant's assessments.
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

    /// The customer invites a person by hand, who may be there already.
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
            progress: Progress::Invited,
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
            "status": one.progress.word(),
        });
        if self.readings.echoes && one.by_hand.is_none() {
            shown["external_id"] = one.client_ref.as_str().into();
        }
        if let Progress::Completed(score) = one.progress {
            shown["score"] = json!({"value": score, "max": 100});
            shown["completed_at"] = written(one.changed).into();
        }
        shown
    }

    fn candidate(&self, one: &Participant) -> Value {
        let mut shown = json!({
            "candidateId": one.key,
            "candidateDetails": [{"label": "E-mail", "value": one.email}],
            "status": one.progress.word(),
            "testFinished": matches!(one.progress, Progress::Completed(_)),
        });
        if self.readings.echoes && one.by_hand.is_none() {
            shown["metadata"] = json!({"invitationId": one.client_ref});
        }
        if let Progress::Completed(score) = one.progress {
            shown["score"] = score.into();
            shown["maxScore"] = 100.into();
            shown["finishTime"] = written(one.changed).into();
        }
        shown
    }

    /// Lets a participant make progress, if possible. Returns whether anything changed.
    pub fn progress(&mut self, at: usize, now: i64, rng: &mut fastrand::Rng) -> bool {
        let one = &mut self.participants[at];
        // WeCP's screens have a word for all of these except "declined".
        let next = match (one.progress, rng.u32(0..8)) {
            (Progress::Invited, 0) => Progress::Expired,
            (Progress::Invited, 1) => Progress::Bounced,
            (Progress::Invited, 2) if self.kind == Kind::Willo => Progress::Declined,
            (Progress::Invited, 3) => Progress::Opened,
            (Progress::Invited | Progress::Opened, _) => Progress::Started,
            (Progress::Started, 0) => Progress::Expired,
            (Progress::Started | Progress::Expired, _) => Progress::Completed(rng.u32(0..=100)),
            (Progress::Completed(_), _) => Progress::Completed(rng.u32(0..=100)),
            (Progress::Declined | Progress::Bounced, _) => return false,
        };
        let changed = next != one.progress;
        one.progress = next;
        one.changed = now;
        changed
    }
}
