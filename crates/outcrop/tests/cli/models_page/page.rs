//! The page, as Markdown.

use outcrop_translate::Catalogue;
use outcrop_translate::catalogue::{Lifecycle, Modality, Model, Price, Status, Word};

use super::features::{Cell, Feature};
use super::{Row, Rows, chats};

const BEGIN: &str = "<!-- Made by a test from here on. -->\n";
const END: &str = "<!-- To here. -->\n";

/// The page with another text between the markers.
pub(super) fn renewed(page: &str, generated: &str) -> String {
    let (before, rest) = page.split_once(BEGIN).expect("where the generated part begins");
    let (_, after) = rest.split_once(END).expect("where it ends");
    format!("{before}{BEGIN}\n{generated}\n{END}{after}")
}

/// What is between them.
pub(super) fn generated(catalogue: &Catalogue, rows: &Rows) -> String {
    let mut sections: Vec<String> = Vec::new();
    for provider in catalogue.providers() {
        let models: Vec<&Model> = catalogue
            .models()
            .filter(|model| model.provider == provider.id && chats(model))
            .collect();
        if !models.is_empty() {
            sections.push(format!(
                "## {}\n\n{}\n{}",
                provider.name,
                facts(&models),
                features(&models, rows)
            ));
        }
    }
    let others = catalogue.models().filter(|model| !chats(model));
    sections.push(format!("## Models that don't chat\n\n{}", names(others)));
    sections.join("\n")
}

fn facts(models: &[&Model]) -> String {
    let head = [
        "model",
        "id",
        "short names",
        "called by",
        "stage",
        "context",
        "answer",
        "$ in",
        "$ out",
    ];
    let lines = models.iter().map(|model| {
        let prices = model.prices.as_ref();
        vec![
            model.name.clone(),
            code(&model.id),
            listed(&model.short_names),
            called_by(model),
            stage(&model.lifecycle),
            tokens(model.context),
            tokens(model.max_output),
            price(prices.and_then(|prices| prices.base.input)),
            price(prices.and_then(|prices| prices.base.output)),
        ]
    });
    table(&head, lines)
}

fn features(models: &[&Model], rows: &Rows) -> String {
    let mut head = vec!["model", "API"];
    head.extend(Feature::ALL.map(Feature::name));
    let lines = models.iter().flat_map(|model| {
        rows[&model.id].iter().map(|(api, row)| {
            let mut line = vec![model.name.clone(), api.name().to_owned()];
            line.extend(match row {
                Row::Cells(cells) => cells.map(|cell| word(cell).to_owned()),
                Row::Gone => [(); Feature::ALL.len()].map(|()| "retired".to_owned()),
            });
            line
        })
    });
    table(&head, lines)
}

fn names<'a>(models: impl Iterator<Item = &'a Model>) -> String {
    let lines = models.map(|model| {
        let output: Vec<&str> = model.output.iter().map(Modality::name).collect();
        vec![
            model.name.clone(),
            code(&model.id),
            listed(&model.short_names),
            output.join(", "),
            stage(&model.lifecycle),
        ]
    });
    table(&["model", "id", "short names", "output", "stage"], lines)
}

fn word(cell: Cell) -> &'static str {
    match cell {
        Cell::Yes => "yes",
        Cell::Otherwise => "~",
        Cell::No => "no",
    }
}

fn called_by(model: &Model) -> String {
    let bare = model.on_demand.then(|| "id".to_owned());
    let profiles = model.profiles.iter().map(|profile| code(&format!("{profile}.")));
    bare.into_iter().chain(profiles).collect::<Vec<_>>().join(", ")
}

fn stage(life: &Lifecycle) -> String {
    let mut stage = life.status.name().to_owned();
    if let (Status::Legacy, Some(day)) = (life.status, &life.legacy) {
        stage.push_str(&format!(" since {day}"));
    }
    if let Some(day) = &life.end_of_life {
        stage.push_str(&format!(", ends {day}"));
    }
    if let Some(successor) = &life.successor {
        stage.push_str(&format!("; then {}", code(successor)));
    }
    stage
}

/// With commas between thousands.
fn tokens(number: Option<u64>) -> String {
    let Some(number) = number else {
        return String::new();
    };
    let digits = number.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

fn price(price: Option<Price>) -> String {
    price.map_or_else(String::new, |price| price.to_string())
}

fn listed(names: &[String]) -> String {
    names.iter().map(|name| code(name)).collect::<Vec<_>>().join(", ")
}

fn code(text: &str) -> String {
    format!("`{text}`")
}

fn table(head: &[&str], lines: impl Iterator<Item = Vec<String>>) -> String {
    let mut table = format!("| {} |\n|{}\n", head.join(" | "), "---|".repeat(head.len()));
    for line in lines {
        // An empty cell is one space wide.
        let cells: String = line
            .iter()
            .map(|cell| format!(" {cell} |").replace("  |", " |"))
            .collect();
        table.push_str(&format!("|{cells}\n"));
    }
    table
}
