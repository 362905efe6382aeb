//! Live interviews: their times and interviewers. Pure.

use jiff::Timestamp;
use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::ids::QuestionId;

/// How the candidates of a mapping are interviewed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MeetingPlan {
    /// How often an interview is created on the platform; the mapping's assessment then says what to create, in the
    /// platform's term. `None`: the assessment names an existing interview.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub creates: Option<OncePer>,
    pub day: MeetingDay,
    pub time: Time,
    /// The time zone, by its name: one of [`MeetingPlan::zones`].
    #[serde(default = "MeetingPlan::default_zone")]
    pub zone: String,
    pub minutes: u32,
    /// The e-mail addresses of the customer's interviewers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub interviewers: Vec<String>,
    /// A custom question of the vacancy whose answer holds further addresses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interviewers_question: Option<QuestionId>,
}

/// How often an interview is created.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OncePer {
    /// Once for the mapping.
    Mapping,
    /// Once for each of its vacancies.
    Vacancy,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MeetingDay {
    /// N working days from today; 1 is the next one. Weekends are skipped; public holidays are not known here.
    WorkingDays(u32),
    /// The answer to a custom question of the application. A time in the answer takes precedence.
    Question(QuestionId),
}

/// The time of an interview.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Appointment {
    pub at: Timestamp,
    pub minutes: u32,
}

macro_rules! zones {
    ($($name:literal),+ $(,)?) => { [$(($name, jiff::tz::get!($name))),+] };
}

/// The built-in zones: where a customer of a UK product may have an office. A whole database would add a megabyte to
/// every function.
static ZONES: [(&str, TimeZone); 14] = zones![
    "Europe/London",
    "Europe/Dublin",
    "Europe/Lisbon",
    "Europe/Paris",
    "Europe/Berlin",
    "Europe/Warsaw",
    "Europe/Athens",
    "Africa/Johannesburg",
    "Asia/Dubai",
    "Asia/Kolkata",
    "Asia/Singapore",
    "Australia/Sydney",
    "America/New_York",
    "America/Los_Angeles",
];

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoDay {
    /// The zone is not built in.
    #[error("the time zone is none of those that are built in")]
    Zone,
    /// The day is beyond the calendar.
    #[error("the day is too far away")]
    TooFar,
}

impl MeetingPlan {
    /// The maximum number of working days ahead.
    pub const MAX_WORKING_DAYS: u32 = 60;

    /// The default zone: Eploy is a UK product.
    pub fn default_zone() -> String {
        "Europe/London".to_owned()
    }

    /// All problems of the plan, each naming its key.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if let MeetingDay::WorkingDays(days) = self.day
            && !(1..=Self::MAX_WORKING_DAYS).contains(&days)
        {
            problems.push(format!(
                "day.working_days is {days}; it must be from 1 (the next working day) to {}",
                Self::MAX_WORKING_DAYS
            ));
        }
        if self.rules().is_err() {
            problems.push(format!(
                "zone is \"{}\"; it must be one of: {}",
                self.zone,
                Self::zones().collect::<Vec<_>>().join(", ")
            ));
        }
        if !(5..=480).contains(&self.minutes) {
            problems.push(format!(
                "minutes is {}; it must be from 5 to 480",
                self.minutes
            ));
        }
        // Not repeated: it may be anything.
        if !self.interviewers.iter().all(|email| is_email(email)) {
            problems.push("interviewers has a text that is no e-mail address".to_owned());
        }
        if self.interviewers.is_empty() && self.interviewers_question.is_none() {
            problems.push(
                "interviewers is missing; give their e-mail addresses, or interviewers_question"
                    .to_owned(),
            );
        }
        problems
    }

    /// The plan's time on the working day that is `days` after the day of `now`. A time that the clocks skip on that
    /// day is an hour later; of one that occurs twice it is the first.
    pub fn working_day(&self, days: u32, now: Timestamp) -> Result<Timestamp, NoDay> {
        let mut day = now.to_zoned(self.rules()?).date();
        for _ in 0..days {
            day = next_working_day(day)?;
        }
        self.on(day)
    }

    /// The plan's time on this day.
    pub fn on(&self, day: Date) -> Result<Timestamp, NoDay> {
        let zoned = self
            .rules()?
            .to_ambiguous_zoned(day.to_datetime(self.time))
            .compatible()
            .map_err(|_| NoDay::TooFar)?;
        Ok(zoned.timestamp())
    }

    fn rules(&self) -> Result<TimeZone, NoDay> {
        ZONES
            .iter()
            .find(|(name, _)| *name == self.zone)
            .map(|(_, rules)| rules.clone())
            .ok_or(NoDay::Zone)
    }

    /// The zones that a plan can name.
    pub fn zones() -> impl Iterator<Item = &'static str> {
        ZONES.iter().map(|(name, _)| *name)
    }
}

fn next_working_day(day: Date) -> Result<Date, NoDay> {
    let mut next = day.tomorrow().map_err(|_| NoDay::TooFar)?;
    while matches!(next.weekday(), Weekday::Saturday | Weekday::Sunday) {
        next = next.tomorrow().map_err(|_| NoDay::TooFar)?;
    }
    Ok(next)
}

/// Whether a text can be an e-mail address.
pub fn is_email(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_graphic())
        && text.split_once('@').is_some_and(|(before, after)| {
            !before.is_empty() && !after.is_empty() && !after.contains('@')
        })
}

/// The addresses in an answer that a person wrote: between commas, semicolons or white space.
pub fn addresses(text: &str) -> Vec<String> {
    text.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';'))
        .filter(|part| is_email(part))
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use jiff::civil::time;
    use proptest::prelude::*;

    use super::*;

    fn plan(zone: &str) -> MeetingPlan {
        MeetingPlan {
            creates: None,
            day: MeetingDay::WorkingDays(1),
            time: time(10, 0, 0, 0),
            zone: zone.to_owned(),
            minutes: 45,
            interviewers: vec!["robin.example@example.com".to_owned()],
            interviewers_question: None,
        }
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn the_next_working_day_leaves_out_the_weekend_and_keeps_the_time_of_day() {
        for (days, zone, now, expected) in [
            // A Friday.
            (
                1,
                "Europe/London",
                "2026-11-20T16:00:00Z",
                "2026-11-23T10:00:00Z",
            ),
            (
                1,
                "Europe/London",
                "2026-11-21T09:00:00Z",
                "2026-11-23T10:00:00Z",
            ),
            (
                1,
                "Europe/London",
                "2026-11-22T23:30:00Z",
                "2026-11-23T10:00:00Z",
            ),
            (
                1,
                "Europe/London",
                "2026-11-23T00:30:00Z",
                "2026-11-24T10:00:00Z",
            ),
            (
                5,
                "Europe/London",
                "2026-11-20T16:00:00Z",
                "2026-11-27T10:00:00Z",
            ),
            // From summer time to winter time over a weekend, and back.
            (
                1,
                "Europe/London",
                "2026-10-23T12:00:00Z",
                "2026-10-26T10:00:00Z",
            ),
            (
                1,
                "Europe/London",
                "2026-03-27T12:00:00Z",
                "2026-03-30T09:00:00Z",
            ),
            // Where it is another day already.
            (
                1,
                "Asia/Kolkata",
                "2026-11-19T20:00:00Z",
                "2026-11-23T04:30:00Z",
            ),
            (
                1,
                "America/New_York",
                "2026-11-21T02:00:00Z",
                "2026-11-23T15:00:00Z",
            ),
        ] {
            let found = plan(zone).working_day(days, at(now));
            assert_eq!(found, Ok(at(expected)), "{days} from {now} in {zone}");
        }
    }

    #[test]
    fn a_time_that_the_clocks_leave_out_is_an_hour_later() {
        let early = MeetingPlan {
            time: time(1, 30, 0, 0),
            ..plan("Europe/London")
        };
        let day = "2026-03-29".parse().unwrap();
        assert_eq!(early.on(day), Ok(at("2026-03-29T01:30:00Z")));
        // 01:30 occurs twice: the first is still summer time.
        let day = "2026-10-25".parse().unwrap();
        assert_eq!(early.on(day), Ok(at("2026-10-25T00:30:00Z")));
    }

    #[test]
    fn all_problems_are_reported_at_once_and_no_address_is_repeated() {
        let wrong = MeetingPlan {
            day: MeetingDay::WorkingDays(0),
            zone: "Mars/Olympus".to_owned(),
            minutes: 0,
            interviewers: vec!["not an address".to_owned()],
            ..plan("Europe/London")
        };
        let problems = wrong.problems();
        assert_eq!(problems.len(), 4, "{problems:#?}");
        assert!(!problems.concat().contains("not an address"));
        assert_eq!(plan("Europe/London").problems(), Vec::<String>::new());
        assert_eq!(
            wrong.working_day(1, at("2026-11-20T16:00:00Z")),
            Err(NoDay::Zone)
        );
        let nobody = MeetingPlan {
            interviewers: Vec::new(),
            ..plan("Europe/London")
        };
        assert_eq!(nobody.problems().len(), 1);
    }

    #[test]
    fn addresses_are_found_however_they_are_separated() {
        let found = addresses("robin@example.com; sam@example.com,\n pat@example.com and others");
        assert_eq!(
            found,
            ["robin@example.com", "sam@example.com", "pat@example.com"]
        );
        assert_eq!(addresses("Robin Example"), Vec::<String>::new());
    }

    proptest! {
        #[test]
        fn a_working_day_is_ahead_and_never_at_the_weekend(
            second in 1_700_000_000_i64..2_200_000_000,
            days in 1..=MeetingPlan::MAX_WORKING_DAYS,
            zone in prop::sample::select(MeetingPlan::zones().collect::<Vec<_>>()),
        ) {
            let now = Timestamp::from_second(second).unwrap();
            let plan = plan(zone);
            let met = plan.working_day(days, now).unwrap();
            let rules = plan.rules().unwrap();
            let (today, local) = (now.to_zoned(rules.clone()).date(), met.to_zoned(rules));
            prop_assert!(met > now);
            prop_assert_eq!(local.time(), plan.time);
            prop_assert!(!matches!(local.weekday(), Weekday::Saturday | Weekday::Sunday));
            // This many of the days from tomorrow up to then are working days.
            let mut working = 0;
            let mut day = today;
            while day < local.date() {
                day = day.tomorrow().unwrap();
                working += u32::from(!matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday));
            }
            prop_assert_eq!(working, days);
        }
    }

    #[test]
    fn a_plan_may_go_to_its_limits_and_not_beyond() {
        let days = |days| MeetingPlan {
            day: MeetingDay::WorkingDays(days),
            ..plan("Europe/London")
        };
        let minutes = |minutes| MeetingPlan {
            minutes,
            ..plan("Europe/London")
        };
        for fine in [days(1), days(60), minutes(5), minutes(480)] {
            assert_eq!(fine.problems(), Vec::<String>::new());
        }
        for (wrong, key) in [
            (days(0), "day.working_days is 0"),
            (days(61), "day.working_days is 61"),
            (minutes(4), "minutes is 4"),
            (minutes(481), "minutes is 481"),
        ] {
            let problems = wrong.problems();
            assert_eq!(problems.len(), 1, "{problems:#?}");
            assert!(problems[0].starts_with(key), "{problems:#?}");
        }
    }

    #[test]
    fn the_vacancy_may_name_the_interviewers_instead_of_the_plan() {
        let asked = MeetingPlan {
            interviewers: Vec::new(),
            interviewers_question: Some("9".into()),
            ..plan("Europe/London")
        };
        assert_eq!(asked.problems(), Vec::<String>::new());
    }

    #[test]
    fn a_plan_that_names_no_zone_means_london() {
        let plan: MeetingPlan = serde_json::from_value(serde_json::json!({
            "day": {"working_days": 1},
            "time": "10:00:00",
            "minutes": 45,
            "interviewers": ["robin.example@example.com"],
        }))
        .unwrap();
        assert_eq!(plan.zone, "Europe/London");
        assert_eq!(plan.problems(), Vec::<String>::new());
    }

    #[test]
    fn an_address_has_one_sign_with_something_on_either_side() {
        assert!(is_email("robin@example.com"));
        for text in [
            "",
            "@",
            "robin",
            "robin@",
            "@example.com",
            "robin@example@com",
            "robin example@example.com",
            "r\u{f6}bin@example.com",
        ] {
            assert!(!is_email(text), "{text}");
        }
    }
}
