//! A tenant's secret, as `shared/aws` reads it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// What a tenant's secret is made of, beside its callback tokens, which are made up.
#[derive(Clone)]
pub struct Credentials {
    /// Eploy's client id and client secret.
    pub eploy: (String, String),
    /// The secrets of the platforms' accounts, by account and name.
    pub platforms: BTreeMap<String, BTreeMap<String, String>>,
    /// What webhooks to the tenant's HRMS are signed with, if it has one.
    pub hrms: Option<String>,
}

impl Credentials {
    /// The secret's text, with a new callback token for each account.
    pub(crate) fn text(&self) -> Result<String, getrandom::Error> {
        let mut tokens = serde_json::Map::new();
        for account in self.platforms.keys() {
            let mut token = [0; 32];
            getrandom::fill(&mut token)?;
            tokens.insert(account.clone(), json!({"current": hex::encode(token)}));
        }
        let (id, secret) = &self.eploy;
        let mut whole = json!({
            "eploy": {"client_id": id, "client_secret": secret},
            "platforms": self.platforms,
            "callback_tokens": Value::Object(tokens),
        });
        if let Some(hrms) = &self.hrms {
            whole["hrms"] = json!({"current": hrms});
        }
        Ok(whole.to_string())
    }
}
