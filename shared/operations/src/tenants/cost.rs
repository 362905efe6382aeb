//! The cost of an edit of a tenant's mappings, shown before it is saved.

use stagecall_core::tenant::Tenant;
use stagecall_eploy::StageReading;

use crate::error::Result;
use crate::installation::Installation;

/// The calls that the next poll makes because of the edit; `None` if none.
pub async fn cost(on: &Installation, next: &Tenant) -> Result<Option<String>> {
    let state = on.states.load_state(&next.id).await?;
    let reading = on.engine().reading_of_edit(next, state).await?;
    let Some((triggers, vacancies)) = reading else {
        return Ok(None);
    };
    let inspector = on.eploy().inspector(next)?;
    let reading = inspector.stage_reading(&triggers, &vacancies);
    Ok(Some(in_words(next, reading)))
}

fn in_words(tenant: &Tenant, reading: StageReading) -> String {
    let StageReading {
        searches,
        reads_all,
        page_size,
    } = reading;
    let id = &tenant.id;
    let daily = tenant.eploy.daily_calls;
    if reads_all {
        return format!(
            "{id}: to record the baseline, the next poll reads all applications in Eploy, because no stage filter is known: one call for every {page_size} applications, of {daily} calls a day. To find a filter first: stagecall probe {id}"
        );
    }
    let searches = match searches {
        1 => "1 search".to_owned(),
        several => format!("{several} searches"),
    };
    format!(
        "{id}: to record the baseline, the next poll makes {searches}: one call for every {page_size} applications that it finds, of {daily} calls a day"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cost_of_an_edit_is_shown_in_calls() {
        let tenant: Tenant = serde_json::from_value(serde_json::json!({
            "id": "acme",
            "eploy": {"base_url": "https://acme.eploy.net/", "daily_calls": 5000},
        }))
        .unwrap();
        let cost_text = |searches, reads_all| {
            let page_size = 100;
            in_words(
                &tenant,
                StageReading {
                    searches,
                    reads_all,
                    page_size,
                },
            )
        };
        assert_eq!(
            cost_text(1, true),
            "acme: to record the baseline, the next poll reads all applications in Eploy, because no stage filter is known: one call for every 100 applications, of 5000 calls a day. To find a filter first: stagecall probe acme"
        );
        assert_eq!(
            cost_text(3, false),
            "acme: to record the baseline, the next poll makes 3 searches: one call for every 100 applications that it finds, of 5000 calls a day"
        );
    }
}
