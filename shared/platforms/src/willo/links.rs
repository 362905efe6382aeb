//! Links in Willo's responses: which one a recruiter may get, which one is the candidate's.

use serde_json::Value;
use url::Url;

use super::KIND;
use crate::json::Record;
use crate::spec::is_same_page;

/// Endings of recordings and documents. Whether their addresses expire is not established, so they are taken to
/// (REFERENCE.md §5).
const MEDIA: [&str; 16] = [
    "mp4", "webm", "mov", "m4v", "m4a", "mp3", "wav", "ogg", "m3u8", "jpg", "jpeg", "png", "gif",
    "pdf", "vtt", "srt",
];

/// The maximum depth to which a response is searched.
const MAX_DEPTH: usize = 12;

/// The link for the candidate in an answer to an invitation, wherever it is (REFERENCE.md §4: not established
/// where, or whether at all).
pub(super) fn candidate(answer: &Value, base: &Url) -> Option<String> {
    any_text(answer, MAX_DEPTH, &mut |text| {
        let url = KIND.address(text, base)?;
        let path = url.path();
        (path.contains("/invite/") || path.contains("/interview/")).then(|| text.to_owned())
    })
}

/// The possible names of the candidate's own link.
const OWN: [&str; 9] = [
    "invite_link",
    "invite_url",
    "invitation_link",
    "invitation_url",
    "interview_link",
    "interview_url",
    "participant_link",
    "participant_url",
    "candidate_link",
];

/// The link for the recruiter: under a known name, preferably one that anybody can open; else the first share page
/// found. Never the candidate's own: a recruiter who opens it would take part as the candidate.
pub(super) fn report(record: &Record<'_>, whole: &Value, base: &Url) -> Option<String> {
    const NAMES: [&str; 14] = [
        "share_link",
        "share_url",
        "public_link",
        "public_url",
        "show_url",
        "share",
        "review_link",
        "review_url",
        "report_link",
        "report_url",
        "result_url",
        "results_url",
        "profile_url",
        "dashboard_url",
    ];
    let text_of = |name: &str| match record.get(&[name])? {
        Value::Object(link) => link.get("url").or_else(|| link.get("link"))?.as_str(),
        value => value.as_str(),
    };
    let own: Vec<Url> = OWN
        .iter()
        .filter_map(|name| Url::parse(text_of(name)?.trim()).ok())
        .collect();
    let for_recruiters =
        |text: &str| page(text, base).filter(|page| !own.iter().any(|own| is_same_page(own, page)));
    NAMES
        .iter()
        .find_map(|name| for_recruiters(text_of(name)?))
        .or_else(|| {
            any_text(whole, MAX_DEPTH, &mut |text| {
                for_recruiters(text).filter(|url| url.path().contains("/show/"))
            })
        })
        .map(|url| url.to_string())
}

/// The address of a lasting page for people: on Willo's hosts, and neither the API nor a recording nor the candidate's
/// own.
pub(super) fn page(text: &str, base: &Url) -> Option<Url> {
    let url = KIND.address(text, base)?;
    let path = url.path().to_lowercase();
    let is_media = path
        .rsplit_once('.')
        .is_some_and(|(_, ending)| MEDIA.contains(&ending))
        || path.contains("/media/");
    let is_api = path.contains("/api/");
    let is_candidates = path.contains("/invite/") || path.contains("/interview/");
    (!is_media && !is_api && !is_candidates).then_some(url)
}

/// The first text anywhere in `value` that `pick` accepts.
fn any_text<T>(value: &Value, depth: usize, pick: &mut impl FnMut(&str) -> Option<T>) -> Option<T> {
    let depth = depth.checked_sub(1)?;
    match value {
        Value::String(text) => pick(text),
        Value::Array(items) => items.iter().find_map(|item| any_text(item, depth, pick)),
        Value::Object(object) => object.values().find_map(|item| any_text(item, depth, pick)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn base() -> Url {
        Url::parse(KIND.base_url).unwrap()
    }

    fn found(value: &Value, base: &Url) -> Option<String> {
        report(&Record::of(value, &[]).unwrap(), value, base)
    }

    #[test]
    fn a_share_page_is_preferred_to_one_behind_a_login() {
        let value = json!({
            "review_url": "https://app.willotalent.com/review/1",
            "share": {"url": "https://app.willotalent.com/show/AbCd12/"}
        });
        let link = found(&value, &base()).unwrap();
        assert_eq!(link, "https://app.willotalent.com/show/AbCd12/");
    }

    #[test]
    fn the_candidates_own_link_is_never_reported() {
        let own = "https://app.willotalent.com/show/own-1/";
        for name in ["share_link", "report_url", "anything"] {
            let value = json!({"invite_link": own, name: format!("{own}?from=list")});
            assert_eq!(found(&value, &base()), None, "{name}");
        }
        let value =
            json!({"invite_link": own, "share_link": "https://app.willotalent.com/show/2/"});
        let shared = Some("https://app.willotalent.com/show/2/".to_owned());
        assert_eq!(found(&value, &base()), shared);
    }

    #[test]
    fn foreign_media_api_and_candidate_addresses_are_not_reported() {
        for url in [
            "https://evil.example/show/AbCd12/",
            "http://app.willotalent.com/show/AbCd12/",
            "https://app.willotalent.com@evil.example/show/AbCd12/",
            "https://user:pass@app.willotalent.com/show/AbCd12/",
            "https://media.willotalent.com/x/answer.mp4?sig=1",
            "https://app.willotalent.com/media/answer",
            "https://api.willotalent.com/api/integrations/v2/participants/1/",
            "https://app.willotalent.com/invite/AbCd12/",
            "javascript:alert(1)",
            "javascript://app.willotalent.com/show/x/%0aalert(1)",
            "data:text/html,app.willotalent.com/show/x/",
            "https://app.willotalent.com.evil.example/show/AbCd12/",
            "https://evilwillotalent.com/show/AbCd12/",
            "https://app.willotalent.com./show/AbCd12/",
            "https://app.willot\u{430}lent.com/show/AbCd12/",
            "//evil.example/show/AbCd12/",
            "/show/AbCd12/",
            "http://127.0.0.1:4010/show/AbCd12/",
        ] {
            assert_eq!(found(&json!({"share_url": url}), &base()), None, "{url}");
        }
    }

    #[test]
    fn a_sandbox_may_use_its_own_host() {
        let sandbox = Url::parse("http://127.0.0.1:4010/api/integrations/v2/").unwrap();
        let value = json!({"share_url": "http://127.0.0.1:4011/willo/show/AbCd12/"});
        assert!(found(&value, &sandbox).is_some());
        let value = json!({"share_url": "http://127.0.0.2:4010/show/AbCd12/"});
        assert!(found(&value, &sandbox).is_none());
    }

    #[test]
    fn the_candidates_link_is_found_wherever_it_is() {
        let value = json!({"a": [{"b": "see https://x"}, {"c": "https://app.willotalent.com/invite/AbCd12/"}]});
        assert_eq!(
            candidate(&value, &base()).as_deref(),
            Some("https://app.willotalent.com/invite/AbCd12/")
        );
        let foreign = json!({"link": "https://evil.example/invite/AbCd12/"});
        assert_eq!(candidate(&foreign, &base()), None);
    }
}
