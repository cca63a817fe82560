use bytes::Bytes;
use outcrop_bedrock::call::TokenCounts;
use serde_json::{Value, json};

use super::*;
use crate::catalogue::Catalogue;
use crate::task::{File, Shelf};

struct NoShelf;

impl Shelf for NoShelf {
    fn keep(&self, _: File) -> Result<String, Problem> {
        Err(Problem::invalid("there is none"))
    }
}

fn context() -> Context<'static> {
    Context {
        unique: 7,
        created: 0,
        path_model: None,
        max_choices: 1,
        region: "us-west-2",
        catalogue: Catalogue::built_in(),
        advisor: None,
        remote: None,
        repair: None,
    }
}

fn plan_of(change: Value) -> Result<TaskPlan<Memo>, Problem> {
    let mut request = json!({"model": "cohere.rerank-v3-5:0", "query": "q", "documents": ["a", "b"]});
    for (name, value) in change.as_object().unwrap() {
        request[name] = value.clone();
    }
    let input = Input::Json(request.to_string().into());
    Rerank::<2>::plan(&input, &context()).map_err(|halt| match halt {
        Halt::Problem(problem) => problem,
        halt => panic!("{halt:?}"),
    })
}

fn call_of(change: Value) -> Value {
    let plan = plan_of(change).unwrap();
    serde_json::from_slice(&plan.calls[0].body.to_vec()).unwrap()
}

fn refused(change: Value) -> (Option<String>, String) {
    let problem = plan_of(change).unwrap_err();
    assert_eq!(problem.status, 400);
    (problem.param, problem.message)
}

fn sources_of(documents: Value, more: Value) -> Value {
    let mut change = more;
    change["documents"] = documents;
    let call = call_of(change);
    let sources = call["sources"].as_array().unwrap().iter();
    sources.map(|source| source["inlineDocumentSource"].clone()).collect()
}

#[test]
fn the_call_names_the_model_by_its_arn_and_how_many_results() {
    let call = call_of(json!({"top_n": 9}));
    let own = &call["rerankingConfiguration"]["bedrockRerankingConfiguration"];
    assert_eq!(
        own["modelConfiguration"],
        json!({"modelArn": "arn:aws:bedrock:us-west-2::foundation-model/cohere.rerank-v3-5:0"})
    );
    assert_eq!(own["numberOfResults"], 2, "never more than there are");
    assert_eq!(
        call_of(json!({"top_n": 1}))["rerankingConfiguration"]["bedrockRerankingConfiguration"]["numberOfResults"],
        1
    );
}

#[test]
fn names_of_coheres_and_arns_are_models_too() {
    let model = |name: &str| plan_of(json!({"model": name})).unwrap().model_id;
    for name in ["rerank-v3.5", "Rerank-v3-5", "bedrock/cohere.rerank-v3-5:0"] {
        assert_eq!(model(name), "cohere.rerank-v3-5:0", "{name}");
    }
    let arn = "arn:aws:bedrock:eu-central-1::foundation-model/amazon.rerank-v1:0";
    let plan = plan_of(json!({"model": arn})).unwrap();
    assert_eq!(
        (plan.model_id.as_str(), plan.region.as_deref()),
        (arn, Some("eu-central-1"))
    );
}

#[test]
fn documents_are_texts_or_json() {
    let text = |text: &str| json!({"type": "TEXT", "textDocument": {"text": text}});
    let document = json!({"title": "T", "text": "é\n", "year": 1.50});
    let given = json!(["a", document, {"title": "T"}]);
    assert_eq!(
        sources_of(given.clone(), json!({})),
        json!([text("a"), text("é\n"), {"type": "JSON", "jsonDocument": {"title": "T"}}])
    );
    let fields = json!({"rank_fields": ["title", "year"]});
    let ranked = sources_of(given, fields);
    assert_eq!(
        ranked[1],
        json!({"type": "JSON", "jsonDocument": {"title": "T", "year": 1.5}})
    );
}

#[test]
fn what_bedrock_does_not_take_is_refused_where_it_stands() {
    let names = |change: Value| refused(change).0.unwrap();
    assert_eq!(names(json!({"documents": []})), "documents");
    let (param, message) = refused(json!({"documents": vec!["x"; 1001]}));
    assert_eq!(param.as_deref(), Some("documents"));
    assert!(message.contains("1000") && message.contains("1001"), "{message}");
    assert_eq!(names(json!({"documents": ["a", ""]})), "documents[1]");
    assert_eq!(names(json!({"documents": ["a", 5]})), "documents[1]");
    assert_eq!(
        names(json!({"documents": [{"text": "x".repeat(32_001)}]})),
        "documents[0].text"
    );
    assert_eq!(
        names(json!({"documents": [{"text": "é".repeat(32_000)}], "query": ""})),
        "query"
    );
    assert_eq!(
        names(json!({"documents": [{"a": 1}], "rank_fields": ["b"]})),
        "documents[0]"
    );
    assert_eq!(names(json!({"top_n": 0})), "top_n");
    assert_eq!(names(json!({"query": null})), "query");
    assert_eq!(names(json!({"model": "amazon.nova-lite-v1:0"})), "model");
    assert!(
        refused(json!({"model": "amazon.nova-lite-v1:0"}))
            .1
            .contains("amazon.rerank-v1:0")
    );
}

#[test]
fn fields_of_the_models_own_pass_and_others_are_dropped_with_a_note() {
    let change = json!({"max_tokens_per_doc": 512, "priority": 3, "max_chunks_per_doc": 10});
    let call = call_of(change.clone());
    assert_eq!(
        call["rerankingConfiguration"]["bedrockRerankingConfiguration"]["modelConfiguration"]["additionalModelRequestFields"],
        json!({"max_tokens_per_doc": 512})
    );
    let notes = plan_of(change).unwrap().notes.to_string();
    assert!(
        notes.contains("priority=dropped") && notes.contains("max_chunks_per_doc=dropped"),
        "{notes}"
    );
    let (param, _) = refused(json!({"priority": 3, "on_unsupported": "reject"}));
    assert_eq!(param.as_deref(), Some("priority"));
}

#[test]
fn further_pages_are_asked_for_with_the_token() {
    let plan = plan_of(json!({})).unwrap();
    let body = Bytes::from(r#"{"results": [], "nextToken": "t\"1"}"#);
    let tokens = TokenCounts::default();
    let next = Rerank::<2>::next(&plan.calls[0], &TaskReply { body: &body, tokens }).unwrap();
    let mut sent: Value = serde_json::from_slice(&next.body.to_vec()).unwrap();
    assert_eq!(sent["nextToken"].take(), "t\"1");
    sent.as_object_mut().unwrap().remove("nextToken");
    assert_eq!(sent, call_of(json!({})), "else it is the same call");
    let body = Bytes::from(r#"{"results": []}"#);
    assert!(Rerank::<2>::next(&plan.calls[0], &TaskReply { body: &body, tokens }).is_none());
}

#[test]
fn the_answer_is_all_pages_in_coheres_words() {
    let memo = plan_of(json!({"return_documents": true, "documents": ["a", {"text": "b", "n": 1}]}))
        .unwrap()
        .memo;
    let pages = [
        Bytes::from(r#"{"results": [{"index": 1, "relevanceScore": 0.9}], "nextToken": "t"}"#),
        Bytes::from(r#"{"results": [{"index": 0, "relevanceScore": 0.25}]}"#),
    ];
    let answer = |pages: &[Bytes]| {
        let tokens = TokenCounts::default();
        let replies: Vec<TaskReply<'_>> = pages.iter().map(|body| TaskReply { body, tokens }).collect();
        let context = AnswerContext {
            unique: 7,
            created: 0,
            shelf: &NoShelf,
        };
        Rerank::<1>::answer(&memo, &replies, &context)
    };
    let written: Value = serde_json::from_slice(&answer(&pages).unwrap().body).unwrap();
    assert_eq!(
        written["results"],
        json!([
            {"index": 1, "relevance_score": 0.9, "document": {"text": "b", "n": 1}},
            {"index": 0, "relevance_score": 0.25, "document": {"text": "a"}},
        ])
    );
    assert_eq!(
        written["meta"],
        json!({"api_version": {"version": "1"}, "billed_units": {"search_units": 1}})
    );
    assert_eq!(written["id"], "00000000-0000-4000-8000-000000000007");
    let odd = [Bytes::from(r#"{"results": [{"index": 2, "relevanceScore": 1}]}"#)];
    assert_eq!(answer(&odd).unwrap_err().status, 502, "there are but two documents");
}

#[test]
fn credentials_and_routing_are_not_the_clients() {
    for name in ["aws_secret_access_key", "aws_region_name", "api_base", "extra_headers"] {
        for change in [json!({name: "x"}), json!({"extra_body": {name: "x"}})] {
            let problem = plan_of(change).unwrap_err();
            assert_eq!(
                (problem.status, problem.code, problem.param.as_deref()),
                (400, Some("unsupported_parameter"), Some(name))
            );
        }
    }
}

#[test]
fn an_extra_body_is_part_of_the_body() {
    let change = json!({"extra_body": {"top_n": 1, "max_tokens_per_doc": 512}, "max_tokens_per_doc": 8, "store": true});
    let own = call_of(change)["rerankingConfiguration"]["bedrockRerankingConfiguration"].take();
    assert_eq!(own["numberOfResults"], 1);
    assert_eq!(
        own["modelConfiguration"]["additionalModelRequestFields"],
        json!({"max_tokens_per_doc": 512})
    );
}

#[test]
fn a_guardrail_is_said_not_to_be_applied() {
    let config = json!({"guardrailIdentifier": "g", "guardrailVersion": "1"});
    for name in ["guardrailConfig", "guardrail_config"] {
        let plan = plan_of(json!({name: config})).unwrap();
        let notes = plan.notes.to_string();
        assert_eq!(notes, "guardrailConfig=not-applied(no-guardrails-before-rankings)");
        assert!(!String::from_utf8_lossy(&plan.calls[0].body.to_vec()).contains("guardrail"));
    }
}
