//! What operators give to commands: files of secrets and of tenants, and points in time.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use stagecall_core::tenant::Tenant;
use stagecall_operations::credentials;

use crate::config::safe;
use crate::outside::SECRET;
use crate::run::Target;

#[path = "../../../infra/stagecall/src/point_in_time.rs"]
#[allow(
    dead_code,
    reason = "the command's own module, of which one function is used here"
)]
mod since;

/// Files of secrets.
pub const SECRETS: Target = Target {
    name: "secrets-given",
    samples: &[
        "[eploy]\nclient_id = \"client-word\"\nclient_secret = \"client-word-2\"\n\n[willo]\napi_key = 'api-word'\n\n[hrms]\ncurrent = \"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\"\nprevious = \"whsec_AAAA\"\n",
        "eploy = { client_id = \"client-word\", client_secret = 'opaque-token' }\nwecp.api_key = \"\"\"\napi-word\"\"\"\n",
        "{\"eploy\": {\"client_id\": \"client-word\"}}",
        "client_secret = client-word",
    ],
    check: secrets,
};

/// Files of tenants, as they are exported.
pub const TENANTS: Target = Target {
    name: "tenants-file",
    samples: &[
        r#"
        [[tenant]]
        id = "acme"
        paused = true
        [tenant.eploy]
        base_url = "https://acme.eploy.net/"
        daily_calls = 10000
        dialect = { dates = "uk", page_size = 100, allowance_words = ["quota"] }
        [tenant.platforms.willo]
        kind = "willo"
        settings = { send_invite = true, country_code = "44" }
        [[tenant.mappings]]
        id = "video"
        vacancies = { only = [4101] }
        triggers = [{ stage = 12, statuses = [34] }]
        assessment = { account = "willo", assessment = "k" }
        [tenant.mappings.report]
        action = { action_type = "42", outcomes = { invited = "12" } }
        moves = [{ on = "completed", stage = "13", min_percent = 60 }]
        texts = { note = "{{ headline }}" }
        "#,
        include_str!("../../../shared/operations/src/tenants/everything.toml"),
        r#"tenant = [{ id = "acme", eploy = { base_url = "https://acme.eploy.net/", dialect = { page_size = 9223372036854775807, dates = 2026-11-22 } }, platforms = { willo = { kind = "willo", settings = { calls_per_second = inf, calls_in_flight = nan } }, wecp = { kind = "wecp", settings = { calls_per_second = 2.5 } } } }]"#,
    ],
    check: tenants,
};

/// Points in time.
pub const SINCE: Target = Target {
    name: "since",
    samples: &[
        "2026-11-22T10:00:00Z",
        "2026-11-22T10:00:00+01:00",
        "2026-11-22",
        "2h",
        "3d",
        "P1Y2M3DT4H",
        "1 week ago",
    ],
    check: since,
};

/// A file that makes no sense is told by its line, and nothing of it is.
fn secrets(input: &[u8], _: u64) -> Result<(), String> {
    let text = String::from_utf8_lossy(input);
    let message = match credentials::parse(&text) {
        Ok(given) => {
            // The names are not secret, wherever somebody puts a secret in the place of one.
            let all: Vec<_> = given.values().flat_map(|table| table.values()).collect();
            format!("{all:?}")
        }
        Err(problem) => {
            let lines = 1 + text.matches('\n').count();
            let line = problem.split("at line ").nth(1);
            let line = line.and_then(|rest| rest.split(';').next()?.parse::<usize>().ok());
            if !line.is_some_and(|line| (1..=lines).contains(&line)) {
                return Err(format!("of {lines} lines it is said: {problem}"));
            }
            problem
        }
    };
    match SECRET.iter().find(|word| message.contains(**word)) {
        Some(word) => Err(format!("\"{word}\" is repeated in: {message}")),
        None => Ok(()),
    }
}

/// As `tenant export` prints them and `tenant import` and `tenant apply` read them.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct File {
    tenant: Vec<Tenant>,
}

/// What was read can be exported, and read again as the same; it can be kept as JSON, too.
fn tenants(input: &[u8], _: u64) -> Result<(), String> {
    let Ok(file) = toml::from_str::<File>(&String::from_utf8_lossy(input)) else {
        return Ok(());
    };
    // What commands refuse is neither kept nor exported.
    if !file.tenant.iter().all(accepted) {
        return Ok(());
    }
    let printed = toml::to_string_pretty(&file)
        .map_err(|error| format!("what was read cannot be exported: {error}"))?;
    let read: File = toml::from_str(&printed).map_err(|error| format!("{error}: {printed}"))?;
    if read.tenant != file.tenant {
        return Err(format!("it is not read back as it was exported: {printed}"));
    }
    file.tenant.iter().try_for_each(|tenant| {
        let kept = serde_json::to_string(tenant).map_err(|error| error.to_string())?;
        if serde_json::from_str::<Tenant>(&kept).ok().as_ref() != Some(tenant) {
            return Err(format!("it is not read back as it was kept: {kept}"));
        }
        safe(tenant)
    })
}

fn accepted(tenant: &Tenant) -> bool {
    let platforms = tenant.platforms.values();
    let mappings = tenant.mappings.iter();
    stagecall_eploy::validate(&tenant.eploy).is_empty()
        && platforms
            .map(stagecall_platforms::validate)
            .all(|problems| problems.is_empty())
        && mappings
            .filter_map(|mapping| {
                let platform = tenant.platforms.get(&mapping.assessment.account)?;
                Some(stagecall_platforms::validate_mapping(platform, mapping))
            })
            .all(|problems| problems.is_empty())
}

/// A time that was read is the time that is meant when it is given once more.
fn since(input: &[u8], _: u64) -> Result<(), String> {
    let text = String::from_utf8_lossy(input);
    let now: Timestamp = "2026-11-22T10:00:00Z".parse().map_err(|_| "no time")?;
    let now = now.to_zoned(TimeZone::UTC);
    match since::point(&text, &now) {
        Ok(at) if since::point(&at.to_string(), &now) != Ok(at) => {
            Err(format!("{at} is another time when it is given"))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_samples_of_tenants_are_such_as_commands_accept() {
        for sample in &TENANTS.samples[..2] {
            let file: File = toml::from_str(sample).unwrap();
            assert!(file.tenant.iter().all(accepted), "{sample}");
        }
    }
}
