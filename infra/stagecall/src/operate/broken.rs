//! What a mapping that is broken means for those who enter its stage meanwhile, in the same words everywhere.

use stagecall_core::Timestamp;

use super::output::local;

/// A broken mapping in words: why, and who is held. `at` is since when, where that is on record.
pub(crate) fn in_words(reason: &str, at: Option<Timestamp>) -> String {
    let Some(at) = at else {
        return format!("broken: {reason}. Nobody is invited until it is fixed");
    };
    let at = local(at);
    format!(
        "broken since {at}: {reason}. Nobody is lost: whoever enters its stage, or one that is put in its place, from {at} on is held until it is fixed, and then invited"
    )
}

/// How it is fixed so that those who are held are invited.
pub(crate) fn remedy(tenant: &str) -> String {
    format!(
        "Bring the stage or status back in Eploy, or give the mapping another one in its place: stagecall tenant export {tenant}, then stagecall tenant apply. If it is removed and added anew instead, those who are held count as there before"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_held_by_a_broken_mapping_is_said_where_it_is_known_since_when() {
        let at = Timestamp::from_second(1_800_000_000).unwrap();
        let since = in_words("its trigger stage 12 is archived in Eploy", Some(at));
        let time = local(at);
        assert_eq!(
            since,
            format!(
                "broken since {time}: its trigger stage 12 is archived in Eploy. Nobody is lost: whoever enters its stage, or one that is put in its place, from {time} on is held until it is fixed, and then invited"
            )
        );
        let before = in_words("its trigger stage 12 is archived in Eploy", None);
        assert!(!before.contains("held"), "{before}");
    }
}
