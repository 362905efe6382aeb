//! What was measured, and what it should be.

use comfy_table::presets::UTF8_BORDERS_ONLY;
use comfy_table::{CellAlignment, Table};
use serde_json::{Value, json};

/// What a figure should be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Aim {
    /// No more than this.
    AtMost(f64),
    /// Only told, to compare with.
    None,
}

/// Something measured.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    name: String,
    /// `None`: could not be measured here, for this reason.
    value: Result<f64, String>,
    unit: &'static str,
    aim: Aim,
}

impl Figure {
    pub fn new(name: impl Into<String>, value: f64, unit: &'static str, aim: Aim) -> Self {
        Self {
            name: name.into(),
            value: Ok(value),
            unit,
            aim,
        }
    }

    /// What could not be measured, and why.
    pub fn missing(name: impl Into<String>, why: String, unit: &'static str, aim: Aim) -> Self {
        Self {
            name: name.into(),
            value: Err(why),
            unit,
            aim,
        }
    }

    /// Whether the aim is reached, if there is one. What could not be measured reaches none.
    pub fn is_reached(&self) -> bool {
        match (&self.value, self.aim) {
            (_, Aim::None) => true,
            (Ok(value), Aim::AtMost(most)) => *value <= most,
            (Err(_), Aim::AtMost(_)) => false,
        }
    }

    fn verdict(&self) -> &'static str {
        match (&self.value, self.aim) {
            (Err(_), _) => "not measured",
            (_, Aim::None) => "",
            _ if self.is_reached() => "reached",
            _ => "MISSED",
        }
    }
}

/// For people.
pub fn table(figures: &[Figure]) -> String {
    let mut table = Table::new();
    table.load_style(UTF8_BORDERS_ONLY);
    table.set_header(["figure", "measured", "aim", ""]);
    for figure in figures {
        let measured = match &figure.value {
            Ok(value) => format!("{value:.2} {}", figure.unit),
            Err(why) => why.clone(),
        };
        let aim = match figure.aim {
            Aim::AtMost(most) => format!("≤ {most} {}", figure.unit),
            Aim::None => String::new(),
        };
        table.add_row([figure.name.as_str(), &measured, &aim, figure.verdict()]);
    }
    for column in [1, 2] {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.to_string()
}

/// For programs.
pub fn json(figures: &[Figure]) -> Value {
    let figures = figures.iter().map(|figure| {
        json!({
            "figure": figure.name,
            "measured": figure.value.as_ref().ok(),
            "not_measured": figure.value.as_ref().err(),
            "unit": figure.unit,
            "at_most": match figure.aim { Aim::AtMost(most) => Some(most), Aim::None => None },
            "reached": figure.is_reached(),
        })
    });
    json!({"figures": figures.collect::<Vec<_>>()})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_aim_is_missed_by_more_and_by_nothing_else() {
        let of = |value, aim| Figure::new("size", value, "MB", aim);
        assert!(of(8.0, Aim::AtMost(8.0)).is_reached());
        assert!(!of(8.01, Aim::AtMost(8.0)).is_reached());
        assert!(of(9.0, Aim::None).is_reached());
        let missing = Figure::missing("size", "no disk".to_owned(), "MB", Aim::AtMost(8.0));
        assert!(!missing.is_reached());
        let table = table(&[of(9.0, Aim::AtMost(8.0)), missing]);
        assert!(
            table.contains("MISSED") && table.contains("no disk"),
            "{table}"
        );
        assert!(!table.contains("reached"), "{table}");
    }
}
