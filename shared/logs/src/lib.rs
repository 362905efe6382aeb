//! Log lines as JSON, one per event, for the functions and the host.
//!
//! The fields of the spans around an event are fields of its line: `tenant` and `invitation` are at the top level whether
//! the event names them or only the work that it is part of. Of fields with the same name the innermost counts.

use std::fmt;
use std::io::Write;

use jiff::Timestamp;
use serde::ser::{SerializeMap as _, Serializer as _};
use serde_json::Value;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

/// Writes each event as a line.
pub struct JsonLines<M> {
    writer: M,
}

impl<M, W> JsonLines<M>
where
    M: Fn() -> W,
    W: Write,
{
    /// Writes to what `writer` gives, such as [`std::io::stdout`].
    pub fn to(writer: M) -> Self {
        Self { writer }
    }
}

#[derive(Default)]
struct Fields(Vec<(&'static str, Value)>);

impl Fields {
    fn set(&mut self, name: &'static str, value: Value) {
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => *known = value,
            None => self.0.push((name, value)),
        }
    }
}

impl Visit for Fields {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.set(field.name(), value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.set(field.name(), value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.set(field.name(), value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.set(field.name(), value.into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.set(field.name(), value.into());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.set(field.name(), format!("{value:?}").into());
    }
}

impl<S, M, W> Layer<S> for JsonLines<M>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    M: Fn() -> W + 'static,
    W: Write,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if let Some(span) = context.span(id) {
            let mut fields = Fields::default();
            attributes.record(&mut fields);
            span.extensions_mut().insert(fields);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(fields) = span.extensions_mut().get_mut::<Fields>()
        {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields::default();
        // First, for the eye; the event sets it.
        fields.set("message", Value::Null);
        for span in context
            .event_scope(event)
            .into_iter()
            .flat_map(tracing_subscriber::registry::Scope::from_root)
        {
            if let Some(of_span) = span.extensions().get::<Fields>() {
                for (name, value) in &of_span.0 {
                    fields.set(name, value.clone());
                }
            }
        }
        event.record(&mut fields);
        if let Ok(mut line) = line(event, &fields) {
            line.push(b'\n');
            // There is no other place to say that it failed.
            let _ = (self.writer)().write_all(&line);
        }
    }
}

fn line(event: &Event<'_>, fields: &Fields) -> serde_json::Result<Vec<u8>> {
    let metadata = event.metadata();
    let mut line = Vec::new();
    let mut writer = serde_json::Serializer::new(&mut line);
    let mut map = writer.serialize_map(None)?;
    map.serialize_entry("timestamp", &format!("{:.6}", Timestamp::now()))?;
    map.serialize_entry("level", metadata.level().as_str())?;
    for (name, value) in &fields.0 {
        map.serialize_entry(name, value)?;
    }
    map.serialize_entry("target", metadata.target())?;
    map.end()?;
    Ok(line)
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use serde_json::json;
    use tracing::field::Empty;
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    /// The lines that are logged meanwhile.
    fn logged(log: impl FnOnce()) -> Vec<Value> {
        let lines = Lines::default();
        let writer = lines.clone();
        let layer = JsonLines::to(move || writer.clone());
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), log);
        let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    #[test]
    fn a_line_has_the_fields_of_its_event_at_the_top_level() {
        let error = "two\nlines";
        let lines = logged(|| {
            tracing::warn!(tenant = %"acme", tries = 3, wait_seconds = 1.5, last = false, %error, "poll failed");
        });
        let [line] = &lines[..] else {
            panic!("{lines:?}");
        };
        for (name, value) in [
            ("level", json!("WARN")),
            ("message", json!("poll failed")),
            ("tenant", json!("acme")),
            ("tries", json!(3)),
            ("wait_seconds", json!(1.5)),
            ("last", json!(false)),
            ("error", json!("two\nlines")),
            ("target", json!("stagecall_logs::tests")),
        ] {
            assert_eq!(line[name], value, "{line}");
        }
        let time: Timestamp = line["timestamp"].as_str().unwrap().parse().unwrap();
        assert!(time.duration_since(Timestamp::now()).abs().as_secs() < 60);
    }

    #[test]
    fn fields_of_the_spans_around_are_fields_of_the_line() {
        let lines = logged(|| {
            let invocation = tracing::info_span!("invocation", request = "r1", tenant = Empty);
            let _invocation = invocation.enter();
            tracing::info!("before");
            invocation.record("tenant", "acme");
            {
                let work = tracing::info_span!("work", invitation = "7.video.1", work = "invite");
                let _work = work.enter();
                tracing::info!("inside");
                tracing::info!(tenant = "other", work = "its own", "named");
            }
            tracing::info!("after");
        });
        let seen = |line: &Value| {
            ["message", "request", "tenant", "invitation", "work"].map(|name| line[name].clone())
        };
        let lines: Vec<_> = lines.iter().map(seen).collect();
        let null = Value::Null;
        assert_eq!(
            lines,
            [
                [
                    json!("before"),
                    json!("r1"),
                    null.clone(),
                    null.clone(),
                    null.clone()
                ],
                [
                    json!("inside"),
                    json!("r1"),
                    json!("acme"),
                    json!("7.video.1"),
                    json!("invite")
                ],
                [
                    json!("named"),
                    json!("r1"),
                    json!("other"),
                    json!("7.video.1"),
                    json!("its own")
                ],
                [
                    json!("after"),
                    json!("r1"),
                    json!("acme"),
                    null.clone(),
                    null
                ],
            ]
        );
    }
}
