use http_body_util::BodyExt as _;
use serde_json::json;

use super::*;

const ARN: &str = "arn:aws:sts::123456789012:assumed-role/Search/me";

fn url() -> Value {
    json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": "/v1/chat/completions",
        "rawQueryString": "a=1&a=2%20",
        "cookies": ["c=1", "d=2"],
        "headers": {
            "host": "abc.lambda-url.eu-central-1.on.aws",
            "x-forwarded-for": "6.6.6.6",
            "content-length": "99",
        },
        "requestContext": {
            "stage": "$default",
            "domainName": "abc.lambda-url.eu-central-1.on.aws",
            "authorizer": { "iam": { "userArn": ARN } },
            "http": { "method": "POST", "path": "/v1/chat/completions", "sourceIp": "192.0.2.7" },
        },
        "body": "eyJhIjogIsOpIn0=",
        "isBase64Encoded": true,
    })
}

fn rest() -> Value {
    json!({
        "resource": "/{proxy+}",
        "path": "/v1/models",
        "httpMethod": "GET",
        "headers": { "Host": "x.execute-api.eu-central-1.amazonaws.com", "X-Two": "2" },
        "multiValueHeaders": { "Host": ["x.execute-api.eu-central-1.amazonaws.com"], "X-Two": ["1", "2"] },
        "queryStringParameters": { "q": "b c" },
        "multiValueQueryStringParameters": { "q": ["a&", "b c"] },
        "pathParameters": { "proxy": "v1/models" },
        "requestContext": {
            "path": "/prod/v1/models",
            "stage": "prod",
            "identity": { "sourceIp": "192.0.2.8", "userArn": ARN },
        },
        "body": null,
        "isBase64Encoded": false,
    })
}

fn balancer() -> Value {
    json!({
        "requestContext": { "elb": { "targetGroupArn": "arn:aws:elasticloadbalancing:eu-central-1:1:targetgroup/x/1" } },
        "httpMethod": "GET",
        "path": "/v1/models",
        "queryStringParameters": { "q": "a%20b" },
        "headers": { "host": "lb", "x-forwarded-for": "6.6.6.6, 192.0.2.9", "x-forwarded-proto": "https" },
        "body": "",
        "isBase64Encoded": false,
    })
}

async fn request(event: Value) -> (Front, Handed, Vec<u8>) {
    let Event::Request(front, mut handed) = read(event) else {
        panic!("it is no request")
    };
    let body = std::mem::take(handed.request.body_mut());
    let bytes = body.collect().await.unwrap().to_bytes().to_vec();
    (front, *handed, bytes)
}

#[tokio::test]
async fn a_function_url_hands_over_what_the_client_sent() {
    let (front, handed, body) = request(url()).await;
    assert_eq!(front, Front::FunctionUrl);
    assert_eq!(handed.request.method(), "POST");
    assert_eq!(handed.request.uri(), "/v1/chat/completions?a=1&a=2%20");
    assert_eq!(body, "{\"a\": \"é\"}".as_bytes());
    assert_eq!(handed.request.headers()["cookie"], "c=1; d=2");
    assert!(!handed.request.headers().contains_key("content-length"));
    assert_eq!(handed.peer.unwrap().to_string(), "192.0.2.7");
    assert_eq!(handed.arn.as_deref(), Some(ARN));
    assert!(handed.is_secure);
}

#[tokio::test]
async fn an_http_api_is_told_from_a_function_url_and_its_stage_taken_away() {
    let mut event = url();
    event["requestContext"]["domainName"] = "x.execute-api.eu-central-1.amazonaws.com".into();
    event["requestContext"]["stage"] = "prod".into();
    event["rawPath"] = "/prod/v1/chat/completions".into();
    let (front, handed, _) = request(event).await;
    assert_eq!(front, Front::HttpApi);
    assert_eq!(handed.request.uri().path(), "/v1/chat/completions");
    let mut event = rest();
    event["version"] = "1.0".into();
    event["resource"] = "$default".into();
    event["path"] = "/prod/v1/models".into();
    let (front, handed, _) = request(event).await;
    assert_eq!(front, Front::HttpApi);
    assert_eq!(handed.request.uri().path(), "/v1/models");
}

#[tokio::test]
async fn a_rest_api_lists_headers_and_decodes_queries() {
    let (front, handed, body) = request(rest()).await;
    assert_eq!(front, Front::RestApi);
    assert_eq!(handed.request.uri(), "/v1/models?q=a%26&q=b+c");
    let values: Vec<_> = handed.request.headers().get_all("x-two").iter().collect();
    assert_eq!(values, ["1", "2"]);
    assert_eq!(handed.peer.unwrap().to_string(), "192.0.2.8");
    assert_eq!(handed.arn.as_deref(), Some(ARN));
    assert!(body.is_empty());
    // A domain of one's own with a path before the API.
    let mut event = rest();
    event["path"] = "/ai/v1/models".into();
    let (_, handed, _) = request(event).await;
    assert_eq!(handed.request.uri().path(), "/v1/models");
}

#[tokio::test]
async fn a_load_balancer_is_believed_of_its_own_words_alone() {
    let (front, handed, _) = request(balancer()).await;
    assert_eq!(front, Front::LoadBalancer { lists_headers: false });
    assert_eq!(handed.request.uri(), "/v1/models?q=a%20b");
    assert_eq!(handed.peer.unwrap().to_string(), "192.0.2.9");
    assert!(handed.is_secure);
    let mut event = balancer();
    event["multiValueHeaders"] =
        json!({ "host": ["lb"], "x-forwarded-for": ["1.1.1.1, ::1"], "x-forwarded-proto": ["http"] });
    event["multiValueQueryStringParameters"] = json!({ "q": ["a%20b", "c"] });
    let Value::Object(members) = &mut event else { panic!() };
    members.shift_remove("headers");
    members.shift_remove("queryStringParameters");
    let (front, handed, _) = request(event).await;
    assert_eq!(front, Front::LoadBalancer { lists_headers: true });
    assert_eq!(handed.request.uri(), "/v1/models?q=a%20b&q=c");
    assert_eq!(handed.peer.unwrap().to_string(), "::1");
    assert!(!handed.is_secure);
}

#[test]
fn what_cannot_be_read_is_refused_and_not_lost() {
    let mut no_base64 = url();
    no_base64["body"] = "%%%".into();
    let mut no_text = url();
    no_text["body"] = json!({ "a": 1 });
    let mut no_header = url();
    no_header["headers"]["x\n"] = "1".into();
    for event in [no_base64, no_text, no_header] {
        let Event::Broken(front, request, problem) = read(event) else {
            panic!("it is read")
        };
        assert_eq!(front, Front::FunctionUrl);
        assert_eq!(request.uri().path(), "/v1/chat/completions");
        assert_eq!((problem.status, problem.code), (400, Some("invalid_event")));
    }
}

#[test]
fn other_events_are_none_of_ours() {
    for event in [
        json!({}),
        json!(null),
        json!("warm"),
        json!([1]),
        json!({ "source": "aws.events", "detail-type": "Scheduled Event" }),
        json!({ "requestContext": {} }),
        json!({ "requestContext": { "http": { "method": 1 } } }),
        json!({ "Records": [{ "eventSource": "aws:sqs", "body": "{}" }] }),
    ] {
        assert!(matches!(read(event.clone()), Event::Other), "{event}");
    }
}
