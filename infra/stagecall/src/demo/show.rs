//! The demo's output.

use std::collections::BTreeMap;
use std::io::IsTerminal as _;

use comfy_table::presets::UTF8_BORDERS_ONLY;
use comfy_table::{Cell, ContentArrangement, Table};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use stagecall_sandbox::control::Platform;
use stagecall_sandbox::story::{Customer, Line, TENANT, Verdict, WECP, WILLO, Watcher};

use super::arguments::Arguments;
use super::fixture::Scene;
use super::hosting::Hosting;

/// Maximum number of lines of the table; of a larger demo, wrong ones come first.
const MAX_LINES: usize = 40;

/// Progress, on standard error: bars on a terminal, nothing elsewhere.
pub(crate) struct Show {
    bars: MultiProgress,
    moved: ProgressBar,
    invited: ProgressBar,
    ended: ProgressBar,
    shown: ProgressBar,
}

impl Show {
    pub(crate) fn new(arguments: &Arguments) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let target = if terminal {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let bars = MultiProgress::with_draw_target(target);
        let style = ProgressStyle::with_template("{prefix:>22} {bar:40} {pos}/{len}")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = |prefix: &'static str| {
            bars.add(
                ProgressBar::new(u64::from(arguments.candidates))
                    .with_style(style.clone())
                    .with_prefix(prefix),
            )
        };
        if !terminal {
            eprintln!(
                "running the demo with {} candidates …",
                arguments.candidates
            );
        }
        Self {
            moved: bar("moved in Eploy"),
            invited: bar("invited"),
            ended: bar("responded"),
            shown: bar("shown in Eploy"),
            bars,
        }
    }

    pub(crate) fn begins(&self, candidates: usize) {
        for bar in [&self.moved, &self.invited, &self.ended, &self.shown] {
            bar.set_length(candidates as u64);
        }
    }

    /// Removes the bars.
    pub(crate) fn end(&self) {
        // Drawing is optional: if the terminal is gone, the demo continues.
        let _ = self.bars.clear();
    }
}

impl Watcher for Show {
    fn moved(&self, count: usize) {
        self.moved.set_position(count as u64);
    }

    fn invited(&self, count: usize) {
        self.invited.set_position(count as u64);
    }

    fn ended(&self, count: usize) {
        self.ended.set_position(count as u64);
    }

    fn reported(&self, count: usize) {
        self.shown.set_position(count as u64);
    }
}

/// What the demo came to.
pub(crate) struct Outcome {
    pub(crate) verdict: Verdict,
    /// The number of injected faults of each kind.
    pub(crate) faults: BTreeMap<String, u64>,
    /// The number of dead letters, if there are queues.
    pub(crate) dead_letters: Option<usize>,
    pub(crate) seconds: f64,
}

impl Outcome {
    /// Whether everything is as expected.
    pub(crate) fn good(&self) -> bool {
        self.verdict.good() && self.dead_letters.is_none_or(|count| count == 0)
    }
}

pub(crate) fn json(of: &Outcome) -> serde_json::Value {
    let Outcome {
        verdict,
        faults,
        dead_letters,
        seconds,
    } = of;
    let sums = verdict.sums();
    let wrong: Vec<_> = verdict
        .lines
        .iter()
        .filter_map(|line| {
            let wrong = line.wrong.as_ref()?;
            Some(serde_json::json!({"application": line.application, "wrong": wrong}))
        })
        .collect();
    let mut outcome = serde_json::json!({
        "candidates": sums.candidates,
        "invited": sums.invited,
        "reported": sums.reported,
        "duplicates": sums.duplicates,
        "lost": sums.lost,
        "platforms": sums.platforms,
        "interviews_scheduled": sums.interviews_scheduled,
        "pooled": sums.pooled,
        "hires_announced": sums.hires_announced,
        "outcomes": sums.outcomes,
        "invited_after_seconds": spread(verdict.lines.iter().filter_map(invited_after)),
        "reported_after_seconds": spread(verdict.lines.iter().filter_map(|line| line.reported_after)),
        "faults": faults,
        "wrong": wrong,
        "seconds": (seconds * 10.0).round() / 10.0,
    });
    if let Some(count) = dead_letters {
        outcome["dead_letters"] = (*count).into();
    }
    outcome
}

/// Median and maximum.
fn spread(values: impl Iterator<Item = f64>) -> serde_json::Value {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let round = |value: f64| (value * 100.0).round() / 100.0;
    match (values.get(values.len() / 2), values.last()) {
        (Some(median), Some(most)) => {
            serde_json::json!({"median": round(*median), "most": round(*most)})
        }
        _ => serde_json::Value::Null,
    }
}

fn invited_after(line: &Line) -> Option<f64> {
    Some(line.invited?.duration_since(line.entered?).as_secs_f64())
}

/// The table, one application as Eploy shows it, and the sums.
pub(crate) async fn table(customer: &Customer, of: &Outcome) -> anyhow::Result<()> {
    let Outcome {
        verdict,
        faults,
        dead_letters,
        seconds,
    } = of;
    let mut lines: Vec<&Line> = verdict.lines.iter().collect();
    lines.sort_by_key(|line| (line.wrong.is_none(), line.entered, line.application));
    let mut table = Table::new();
    table
        .load_style(UTF8_BORDERS_ONLY)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header([
            "candidate",
            "vacancy",
            "platform",
            "entered",
            "invited after",
            "outcome",
            "reported after",
            "and then",
        ]);
    for line in lines.iter().take(MAX_LINES) {
        table.add_row([
            Cell::new(line.candidate),
            Cell::new(line.vacancy),
            Cell::new(title(line.platform)),
            Cell::new(line.entered.map(clock).unwrap_or_default()),
            Cell::new(invited_after(line).map(span).unwrap_or_default()),
            Cell::new(&line.outcome),
            Cell::new(line.reported_after.map(span).unwrap_or_default()),
            Cell::new(line.wrong.clone().unwrap_or_else(|| next_steps(line))),
        ]);
    }
    println!("{table}");
    if lines.len() > MAX_LINES {
        println!("… and {} more", lines.len() - MAX_LINES);
    }
    let video = |line: &&&Line| line.platform == Platform::Willo && line.outcome == "Completed";
    let to_come = |line: &&&Line| line.meetings > 0 && line.announced == 0;
    let backwards = || lines.iter().rev();
    for line in backwards()
        .find(video)
        .into_iter()
        .chain(backwards().find(to_come))
    {
        application(customer, line.application).await?;
    }
    if !faults.is_empty() {
        let faults_text: Vec<_> = faults
            .iter()
            .map(|(kind, count)| format!("{kind} {count}"))
            .collect();
        println!("\nfaults: {}", faults_text.join(", "));
    }
    let sums = verdict.sums();
    let dead = dead_letters.map(|count| format!(", dead letters {count}"));
    let dead = dead.unwrap_or_default();
    println!();
    for (platform, of) in &sums.platforms {
        println!(
            "{:<5}  invited {}, completed {}, reported {}",
            title(*platform),
            of.invited,
            of.completed,
            of.reported
        );
    }
    println!(
        "live interviews {}, pooled {}, hires announced {}",
        sums.interviews_scheduled, sums.pooled, sums.hires_announced
    );
    println!(
        "invited {}, reported {}, duplicates {}, lost {}{dead}  ({seconds:.1} s)",
        sums.invited, sums.reported, sums.duplicates, sums.lost
    );
    Ok(())
}

/// What followed the video interview or the test.
fn next_steps(line: &Line) -> String {
    let all = [
        (line.pooled, "pooled"),
        (line.meetings, "interview"),
        (line.announced, "hired"),
    ];
    let steps = all.iter().filter(|(count, _)| *count > 0);
    steps.map(|(_, what)| *what).collect::<Vec<_>>().join(", ")
}

fn title(platform: Platform) -> &'static str {
    match platform {
        Platform::Willo => "Willo",
        Platform::Wecp => "WeCP",
    }
}

/// An application as shown to a recruiter.
async fn application(customer: &Customer, id: u64) -> anyhow::Result<()> {
    let view = customer.player.application(TENANT, id).await?;
    println!("\nApplication {id} as Eploy now shows it");
    println!(
        "  stage     {}, {}",
        view.position.stage,
        view.position.status.as_deref().unwrap_or("–")
    );
    for action in &view.actions {
        println!(
            "  action    {}: {}",
            action.type_name,
            action.outcome.as_deref().unwrap_or("–")
        );
        if let Some(link) = &action.link {
            println!("  link      {link}");
        }
        if let Some(html) = &action.comments_html {
            for line in plain(html) {
                println!("            {line}");
            }
        }
    }
    for answer in &view.answers {
        println!(
            "  question  {}: {}",
            answer.title,
            answer.answer.to_string().trim_matches('"')
        );
    }
    Ok(())
}

/// The addresses to look at while it keeps serving.
pub(crate) async fn addresses(scene: &Scene, host: &dyn Hosting) -> anyhow::Result<()> {
    let player = &scene.customer.player;
    let eploy = player.eploy(TENANT).await?;
    let willo = player.willo(WILLO).await?;
    let wecp = player.wecp(WECP).await?;
    println!("\nstill serving; stop with ctrl-c");
    println!("  control    {}/control", scene.sandbox.url());
    println!("  Eploy      {}/api/", eploy.base_url);
    println!("  Willo      {}", willo.api_url());
    println!("  WeCP       {}/ats/wecp/", wecp.base_url);
    for (what, address) in host.addresses() {
        println!("  {what:<9}  {address}");
    }
    Ok(())
}

/// The text of our own comments in HTML, a line per block.
fn plain(html: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut rest = html;
    while let Some(open) = rest.find('<') {
        line.push_str(&rest[..open]);
        let Some(close) = rest[open..].find('>') else {
            break;
        };
        let tag = &rest[open + 1..open + close];
        if tag.starts_with("/p") || tag.starts_with("/li") {
            lines.push(std::mem::take(&mut line));
        }
        rest = &rest[open + close + 1..];
    }
    line.push_str(rest);
    lines.push(line);
    lines
        .into_iter()
        .map(|line| {
            let mut text = line.split_whitespace().collect::<Vec<_>>().join(" ");
            for (entity, character) in [
                ("&lt;", "<"),
                ("&gt;", ">"),
                ("&quot;", "\""),
                ("&#x27;", "'"),
                ("&#x2f;", "/"),
                ("&ldquo;", "“"),
                ("&rdquo;", "”"),
                ("&amp;", "&"),
            ] {
                text = text.replace(entity, character);
            }
            text
        })
        .filter(|line| !line.is_empty())
        .collect()
}

fn clock(at: Timestamp) -> String {
    at.to_zoned(TimeZone::system())
        .strftime("%H:%M:%S")
        .to_string()
}

fn span(seconds: f64) -> String {
    format!("{seconds:.2} s")
}
