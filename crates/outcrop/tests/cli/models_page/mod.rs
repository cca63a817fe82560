//! `docs/models.md`: each model of the catalogue, and what can be asked of it by which of Bedrock's APIs. The gateway
//! on its simulator is asked for each feature as a client would, and what comes back is the table.

mod answer;
mod ask;
mod features;
mod gateway;
mod page;

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::{env, fs};

use outcrop_translate::Catalogue;
use outcrop_translate::catalogue::{Api, Modality, Model, Word};

use crate::run::Place;
use ask::Ask;
use features::{Cell, Feature};
use gateway::Gateway;

/// So many models are asked at a time.
const AT_A_TIME: usize = 8;

/// What a model answered by one API.
#[derive(Debug)]
enum Row {
    Cells([Cell; Feature::ALL.len()]),
    /// Bedrock doesn't know it any more.
    Gone,
}

/// The rows of all models, by id.
type Rows = HashMap<String, Vec<(Api, Row)>>;

/// `BLESS=1 cargo test -p outcrop models_page` writes the page anew.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_says_what_each_model_can_do() {
    let (rows, faults) = ask_all(Gateway::start(&Place::new("models-page"))).await;
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));

    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/models.md");
    let written = fs::read_to_string(&path).unwrap();
    let current = page::renewed(&written, &page::generated(Catalogue::built_in(), &rows));
    if env::var_os("BLESS").is_some() {
        fs::write(&path, &current).unwrap();
    } else {
        assert!(
            written == current,
            "docs/models.md is out of date: run this test with BLESS=1"
        );
    }
}

/// Asks all models that chat, and tells what went wrong.
async fn ask_all(gateway: Gateway) -> (Rows, Vec<String>) {
    let gateway = Arc::new(gateway);
    let models: Vec<&'static Model> = Catalogue::built_in().models().filter(|model| chats(model)).collect();
    let waiting = Arc::new(Mutex::new(models.into_iter()));
    let workers: Vec<_> = (0..AT_A_TIME)
        .map(|_| {
            let (gateway, waiting) = (Arc::clone(&gateway), Arc::clone(&waiting));
            tokio::spawn(async move {
                let mut asked = Vec::new();
                while let Some(model) = { waiting.lock().unwrap().next() } {
                    asked.push((model, ask_one(&gateway, model).await));
                }
                asked
            })
        })
        .collect();
    let (mut rows, mut faults) = (Rows::new(), Vec::new());
    for worker in workers {
        for (model, (of_model, wrong)) in worker.await.unwrap() {
            rows.insert(model.id.clone(), of_model);
            faults.extend(wrong);
        }
    }
    faults.sort();
    (rows, faults)
}

/// One feature after the other, so that what one request teaches the gateway shows in the same others each time.
async fn ask_one(gateway: &Gateway, model: &Model) -> (Vec<(Api, Row)>, Vec<String>) {
    let (mut rows, mut faults) = (Vec::new(), Vec::new());
    for api in model.apis.iter().copied() {
        let id = &model.id;
        let ask = Ask {
            gateway,
            model: id,
            api,
        };
        if ask.is_gone().await {
            rows.push((api, Row::Gone));
            continue;
        }
        let mut cells = [Cell::Yes; Feature::ALL.len()];
        for (cell, feature) in cells.iter_mut().zip(Feature::ALL) {
            match feature.judge(&ask, model).await {
                Ok(judged) => *cell = judged,
                Err(fault) => faults.push(format!("{}, {id}, {}: {fault}", feature.name(), api.name())),
            }
        }
        rows.push((api, Row::Cells(cells)));
    }
    (rows, faults)
}

/// Whether it answers in text, by an API that the gateway can ask.
fn chats(model: &Model) -> bool {
    let can_be_asked = |api: &Api| *api != Api::Invoke || model.invoke.is_some();
    model.output.contains(Modality::Text) && model.apis.iter().any(can_be_asked)
}
