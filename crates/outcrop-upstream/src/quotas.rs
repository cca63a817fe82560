//! Bedrock's quotas, as Service Quotas tells them (service model of botocore 1.44.5, 2026-11).

use serde::{Deserialize, Serialize};

use crate::auth::Auth;
use crate::aws_json::JsonService;
use crate::client::Client;
use crate::error::Error;

const SERVICE_QUOTAS: JsonService = JsonService {
    name: "servicequotas",
    id: "service_quotas",
    target: "ServiceQuotasV20190624",
};
/// The IAM action is `servicequotas:ListServiceQuotas`.
const OPERATION: &str = "ListServiceQuotas";
/// Pages that are read at the most. Bedrock has some thousand quotas, and a page has a hundred.
const MAX_PAGES: usize = 100;

/// A quota of the account.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(rename_all = "PascalCase", default)]
pub struct ServiceQuota {
    /// Such as `On-demand model inference tokens per minute for Amazon Nova Lite`.
    #[serde(rename = "QuotaName")]
    pub name: String,
    /// Such as `L-70BE83E9`.
    #[serde(rename = "QuotaCode")]
    pub code: String,
    /// How much it is.
    pub value: f64,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ListServiceQuotas<'a> {
    service_code: &'a str,
    max_results: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct Page {
    quotas: Vec<ServiceQuota>,
    next_token: Option<String>,
}

impl Client {
    /// All of Bedrock's quotas in a region, of an account or of the client itself.
    ///
    /// # Errors
    /// When there is no such account, it has no AWS credentials, or Service Quotas can't be asked or refuses.
    pub async fn bedrock_quotas(&self, account: Option<&str>, region: &str) -> Result<Vec<ServiceQuota>, Error> {
        let identity = self.identities().choose(account)?;
        let Auth::Credentials(credentials) = &identity.auth else {
            let message = "a Bedrock API key can't ask Service Quotas".to_owned();
            return Err(identity.named(Error::Credentials(message)));
        };
        let mut quotas = Vec::new();
        let mut input = ListServiceQuotas {
            service_code: "bedrock",
            max_results: 100,
            next_token: None,
        };
        for _ in 0..MAX_PAGES {
            let asked = self
                .aws()
                .ask(SERVICE_QUOTAS, OPERATION, region, credentials, &input)
                .await;
            let page: Page = asked.map_err(|error| identity.named(error))?;
            quotas.extend(page.quotas);
            // A server that gives the same page for ever must not be asked for ever.
            if page.next_token.is_none() || page.next_token == input.next_token {
                break;
            }
            input.next_token = page.next_token;
        }
        Ok(quotas)
    }
}
