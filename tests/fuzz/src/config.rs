//! The configuration file, and a tenant as commands take it.

use stagecall_core::tenant::Tenant;
use url::Url;

use crate::run::Target;

#[path = "../../../infra/stagecall/src/config/mod.rs"]
#[allow(
    dead_code,
    reason = "the command's own module, of which one function is used here"
)]
mod file;

/// A secret that somebody has put into the file itself.
const WRITTEN: &str = "hunter2hunter2";

/// Files.
pub const FILE: Target = Target {
    name: "config-file",
    samples: &[
        include_str!("../../../infra/stagecall/src/config/example.toml"),
        r#"
        [host]
        store = "stagecall.db"
        listen = "127.0.0.1:8080"
        public_url = "https://hooks.example.com/"
        [timing]
        call_seconds = 3.0
        lease_seconds = 5.0
        [tenants.acme.eploy]
        base_url = "https://acme.eploy.net/"
        client_id = "hunter2hunter2"
        client_secret = { file = "acme" }
        daily_calls = 10000
        dialect = { dates = "utc", page_size = 100 }
        [tenants.acme.platforms.willo]
        kind = "willo"
        base_url = "https://api.stage.willotalent.com/api/integrations/v2/"
        secrets.api_key = "hunter2hunter2"
        [[tenants.acme.mappings]]
        id = "m"
        vacancies = "all"
        triggers = [{ stage_name = "Video Interview", status_names = ["To Be Completed"] }]
        assessment = { platform = "willo", id = "k" }
        report = { questions = { percent = "276" }, texts = { note = "{{ headline }}" } }
        "#,
    ],
    check: file,
};

/// Tenants.
pub const TENANT: Target = Target {
    name: "config-tenant",
    samples: &[
        r#"{"id": "acme", "paused": false, "eploy": {"base_url": "https://acme.eploy.net/", "daily_calls": 10000, "poll_seconds": 60, "dialect": {"dates": "uk", "stage_route": "Application.StageId"}}, "platforms": {"willo": {"kind": "willo", "base_url": "https://api.willotalent.com/api/integrations/v2/", "settings": {"send_invite": true, "country_code": "44"}}, "wecp": {"kind": "wecp"}}, "mappings": [{"id": "video", "vacancies": {"only": ["4101"]}, "triggers": [{"stage": "12", "statuses": ["34"]}], "assessment": {"account": "willo", "assessment": "k"}, "reentry": "again", "expires_after_days": 14, "report": {"action": {"action_type": "42", "outcomes": {"invited": "101"}}, "notes_at": ["completed"], "questions": {"percent": "276"}, "moves": [{"on": "completed", "stage": "13", "min_percent": 60}], "texts": {"note": "{{ headline }}"}}}]}"#,
    ],
    check: |input, _| {
        let Ok(tenant) = serde_json::from_slice::<Tenant>(input) else {
            return Ok(());
        };
        let kept = serde_json::to_string(&tenant).map_err(|error| error.to_string())?;
        let read: Tenant =
            serde_json::from_str(&kept).map_err(|error| format!("{error}: {kept}"))?;
        if read != tenant {
            return Err(format!("it is not read back as it was kept: {kept}"));
        }
        safe(&tenant)
    },
};

fn file(input: &[u8], _: u64) -> Result<(), String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let path = folder.path().join("stagecall.toml");
    std::fs::write(&path, input).map_err(|error| error.to_string())?;
    match file::load(&path) {
        Ok(config) => config.tenants.iter().try_for_each(|one| {
            if config.host.sandbox {
                return Ok(());
            }
            let https = |url: &Url| url.scheme() == "https";
            let platforms = one
                .tenant
                .platforms
                .values()
                .filter_map(|platform| platform.base_url.as_ref());
            if !std::iter::once(&one.tenant.eploy.base_url)
                .chain(platforms)
                .all(https)
            {
                return Err("an address without https was accepted".to_owned());
            }
            safe(&one.tenant)
        }),
        Err(wrong) => {
            let message = wrong.to_string();
            // Where TOML itself is broken, its reader shows the line; what is at a secret's place is never shown.
            let elsewhere = String::from_utf8_lossy(input)
                .parse::<toml::Table>()
                .is_ok_and(|table| strays(&toml::Value::Table(table)));
            if message.contains(WRITTEN) && !message.contains("not valid TOML") && !elsewhere {
                return Err(format!("a secret is repeated: {message}"));
            }
            Ok(())
        }
    }
}

/// Whether the secret stands where none belongs: there it is a text like any other.
fn strays(value: &toml::Value) -> bool {
    const PLACES: [&str; 3] = ["client_id", "client_secret", "api_key"];
    match value {
        toml::Value::String(text) => text.contains(WRITTEN),
        toml::Value::Array(all) => all.iter().any(strays),
        toml::Value::Table(fields) => fields.iter().any(|(name, value)| {
            name.contains(WRITTEN) || !PLACES.contains(&name.as_str()) && strays(value)
        }),
        _ => false,
    }
}

/// Whoever is accepted names no address that is not theirs to name.
pub fn safe(tenant: &Tenant) -> Result<(), String> {
    if stagecall_eploy::validate(&tenant.eploy).is_empty() {
        let url = &tenant.eploy.base_url;
        let loopback = matches!(url.host_str(), Some(host) if host == "localhost" || host.ends_with(".localhost") || host.starts_with("127.") || host == "[::1]");
        if url.scheme() != "https" && !loopback {
            return Err(format!("Eploy at {url} was accepted"));
        }
    }
    for connection in tenant.platforms.values() {
        let (Some(kind), Some(base)) = (
            stagecall_platforms::kind(&connection.kind),
            &connection.base_url,
        ) else {
            continue;
        };
        if !stagecall_platforms::validate(connection).is_empty() {
            continue;
        }
        let host = base.host_str().unwrap_or_default();
        let own = kind
            .hosts
            .iter()
            .any(|own| host == *own || host.ends_with(&format!(".{own}")));
        let loopback = host == "localhost" || host.starts_with("127.") || host == "[::1]";
        if !(own && base.scheme() == "https" || loopback) {
            return Err(format!("{} at {base} was accepted", kind.name));
        }
    }
    Ok(())
}
