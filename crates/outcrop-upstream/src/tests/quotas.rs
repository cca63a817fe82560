//! Service Quotas, from the client to what arrives there.

use super::fake::Fake;
use super::{config, with_keys};
use crate::{Account, Client, Error, ServiceQuota, Value};

#[tokio::test]
async fn all_pages_of_an_accounts_quotas_are_read() {
    let aws = Fake::start(|arrived| {
        let (name, next) = match arrived.body.contains("NextToken") {
            false => ("first", r#","NextToken":"more""#),
            true => ("second", ""),
        };
        let quota = format!(r#"{{"QuotaName":"{name}","QuotaCode":"L-1","Value":7.5,"Unit":"None"}}"#);
        (200, format!(r#"{{"Quotas":[{quota}]{next}}}"#))
    })
    .await;
    let client = Client::new(config(&aws, vec![with_keys("team")])).await.unwrap();
    client.aws().sdk.preset(Some(&aws.url));
    let quotas = client.bedrock_quotas(Some("team"), "eu-west-1").await.unwrap();
    let names: Vec<&str> = quotas.iter().map(|quota| quota.name.as_str()).collect();
    assert_eq!(names, ["first", "second"]);
    assert_eq!(
        quotas[0],
        ServiceQuota {
            name: "first".to_owned(),
            code: "L-1".to_owned(),
            value: 7.5,
        }
    );
    let asked = aws.last();
    assert_eq!(asked.target, "ServiceQuotasV20190624.ListServiceQuotas");
    assert!(asked.authorization.contains("Credential=AKIDACCOUNT/"));
    assert!(asked.authorization.contains("/eu-west-1/servicequotas/"));
    assert!(asked.body.contains(r#""ServiceCode":"bedrock""#));
}

#[tokio::test]
async fn a_refusal_and_a_bedrock_api_key_are_told() {
    let aws = Fake::start(|_| (400, r#"{"__type":"AccessDeniedException","Message":"no"}"#.to_owned())).await;
    let account = Account {
        name: "key".to_owned(),
        api_key: Some(Value::Literal("hush".to_owned())),
        ..Account::default()
    };
    let client = Client::new(config(&aws, vec![account])).await.unwrap();
    client.aws().sdk.preset(Some(&aws.url));
    let refused = client.bedrock_quotas(None, "us-east-1").await.unwrap_err();
    assert!(matches!(refused, Error::Service { name, .. } if name == "AccessDeniedException"));
    let no_credentials = client.bedrock_quotas(Some("key"), "us-east-1").await.unwrap_err();
    assert!(matches!(no_credentials, Error::Credentials(_)), "{no_credentials}");
}
