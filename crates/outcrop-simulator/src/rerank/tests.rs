use super::*;

const COHERE: &str = "arn:aws:bedrock:us-east-1::foundation-model/cohere.rerank-v3-5:0";

fn body(model: &str, texts: &[String]) -> Value {
    let source = |text: &String| json!({"type": "INLINE", "inlineDocumentSource": {"type": "TEXT", "textDocument": {"text": text}}});
    json!({
        "queries": [{"type": "TEXT", "textQuery": {"text": "capital of France"}}],
        "sources": texts.iter().map(source).collect::<Vec<_>>(),
        "rerankingConfiguration": {
            "type": "BEDROCK_RERANKING_MODEL",
            "bedrockRerankingConfiguration": {"modelConfiguration": {"modelArn": model}},
        },
    })
}

fn run(body: &Value) -> Result<Value, String> {
    answer(&Catalogue::new("us-east-1"), body.to_string().as_bytes()).map_err(|refusal| refusal.message)
}

fn texts(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("text {number} about France")).collect()
}

#[test]
fn the_best_comes_first() {
    let given = ["Bananas", "Paris is the capital of France", "France is large"].map(str::to_owned);
    let answer = run(&body(COHERE, &given)).unwrap();
    validate::named("RerankResponse", &answer).unwrap();
    let order: Vec<u64> = answer["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["index"].as_u64().unwrap())
        .collect();
    assert_eq!(order, [1, 2, 0]);
}

#[test]
fn all_pages_together_are_all_results() {
    let mut body = body(COHERE, &texts(250));
    let mut seen = Vec::new();
    loop {
        let answer = run(&body).unwrap();
        let results = answer["results"].as_array().unwrap();
        seen.extend(results.iter().map(|one| one["index"].as_u64().unwrap()));
        match answer.get("nextToken") {
            Some(token) => body["nextToken"] = token.clone(),
            None => break,
        }
    }
    seen.sort_unstable();
    assert_eq!(seen, (0..250).collect::<Vec<_>>());
}

#[test]
fn a_token_is_good_for_its_own_request_only() {
    let mut first = body(COHERE, &texts(150));
    let token = run(&first).unwrap()["nextToken"].clone();
    first["queries"][0]["textQuery"]["text"] = "something else".into();
    first["nextToken"] = token;
    assert_eq!(run(&first), Err("The provided nextToken is invalid.".to_owned()));
}

#[test]
fn only_models_that_rank_will_do_and_only_by_their_arns() {
    let refused = |model: &str| run(&body(model, &texts(1))).unwrap_err();
    assert!(refused("cohere.rerank-v3-5:0").contains("ARN is invalid"));
    assert!(refused("arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-lite-v1:0").contains("isn't a reranker"));
    assert!(refused("arn:aws:bedrock:us-west-2::foundation-model/cohere.rerank-v3-5:0").contains("Region"));
    // Amazon's own isn't in this region.
    assert!(refused("arn:aws:bedrock:us-east-1::foundation-model/amazon.rerank-v1:0").contains("Region"));
}

#[test]
fn a_document_has_the_content_of_its_type() {
    let mut both = body(COHERE, &texts(2));
    both["sources"][1]["inlineDocumentSource"]["jsonDocument"] = json!({"a": "b"});
    assert!(run(&both).unwrap_err().contains("sources.1"));
    both["sources"][1]["inlineDocumentSource"] =
        json!({"type": "JSON", "jsonDocument": {"title": "capital of France"}});
    assert_eq!(run(&both).unwrap()["results"][0]["index"], 1);
}

#[test]
fn what_the_service_model_forbids_is_refused() {
    let mut none = body(COHERE, &[]);
    assert!(
        run(&none)
            .unwrap_err()
            .contains("'sources' failed to satisfy constraint")
    );
    none["sources"] = body(COHERE, &texts(1001))["sources"].clone();
    assert!(run(&none).unwrap_err().contains("less than or equal to 1000"));
    let mut many = body(COHERE, &texts(1));
    many["rerankingConfiguration"]["bedrockRerankingConfiguration"]["numberOfResults"] = 0.into();
    assert!(run(&many).unwrap_err().contains("numberOfResults"));
}

#[test]
fn fields_of_the_models_own_are_those_of_its_body() {
    let refused = |fields: Value| {
        let mut body = body(COHERE, &texts(2));
        let configuration = &mut body["rerankingConfiguration"]["bedrockRerankingConfiguration"]["modelConfiguration"];
        configuration["additionalModelRequestFields"] = fields;
        run(&body).err()
    };
    assert_eq!(refused(json!({"max_tokens_per_doc": 9})), None);
    let message = refused(json!({"aws_region_name": "x"})).unwrap();
    assert!(message.contains("extraneous key [aws_region_name]"), "{message}");
    let message = refused(json!({"max_tokens_per_doc": "9"})).unwrap();
    assert!(message.contains("max_tokens_per_doc"), "{message}");
}
