//! Rights, written as a policy.

use std::collections::{BTreeMap, BTreeSet};

use outcrop_server::iam::Right;
use serde_json::{Value, json};

use super::features::FEATURES;

/// What was collected, by the names of features.
pub(super) type Collected = BTreeMap<&'static str, BTreeSet<Right>>;

/// The policy. Actions of one feature on the same resources share a statement.
pub(super) fn document(collected: &Collected) -> Value {
    let mut statements = Vec::new();
    for feature in FEATURES {
        let Some(rights) = collected.get(feature.name) else {
            continue;
        };
        let groups = groups(rights);
        let single = groups.len() == 1;
        for (index, (actions, resources)) in groups.into_iter().enumerate() {
            let number = if single { String::new() } else { (index + 1).to_string() };
            statements.push(json!({
                "Sid": format!("{}{number}", feature.sid),
                "Effect": "Allow",
                "Action": actions,
                "Resource": resources,
            }));
        }
    }
    merge(&mut statements);
    json!({ "Version": "2012-10-17", "Statement": statements })
}

fn groups(rights: &BTreeSet<Right>) -> Vec<(BTreeSet<&str>, BTreeSet<&str>)> {
    let mut by_action: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for right in rights {
        by_action.entry(&right.action).or_default().insert(&right.resource);
    }
    let mut groups: Vec<(BTreeSet<&str>, BTreeSet<&str>)> = Vec::new();
    for (action, resources) in by_action {
        match groups.iter_mut().find(|(_, known)| *known == resources) {
            Some((actions, _)) => {
                actions.insert(action);
            }
            None => groups.push((BTreeSet::from([action]), resources)),
        }
    }
    groups
}

/// Whole and streamed answers on the same models are one statement: a policy has a limit of size.
fn merge(statements: &mut Vec<Value>) {
    let is = |statement: &Value, sid: &str| statement["Sid"] == sid;
    let found = |sid: &str| statements.iter().position(|statement| is(statement, sid));
    let (Some(answers), Some(streams)) = (found("Answers"), found("Streams")) else {
        return;
    };
    if statements[answers]["Resource"] == statements[streams]["Resource"] {
        let more = statements.remove(streams)["Action"].take();
        if let (Value::Array(actions), Value::Array(more)) = (&mut statements[answers]["Action"], more) {
            actions.extend(more);
        }
    }
}

/// The ARN in this partition, and of this account where it could be any.
pub(super) fn placed(resource: &str, partition: &str, account: Option<&str>) -> String {
    let mut parts: Vec<&str> = resource.splitn(6, ':').collect();
    if let [_, of, service, _, owner, _] = parts.as_mut_slice() {
        if *of == "aws" {
            *of = partition;
        }
        // A role may be anybody's.
        if let (Some(account), "*", false) = (account, *owner, *service == "iam") {
            *owner = account;
        }
    }
    parts.join(":")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_takes_the_place_of_any_but_not_of_none() {
        let placed = |resource: &str| placed(resource, "aws-cn", Some("123456789012"));
        for (resource, expected) in [
            ("*", "*"),
            (
                "arn:aws:bedrock:*::foundation-model/*",
                "arn:aws-cn:bedrock:*::foundation-model/*",
            ),
            (
                "arn:aws:bedrock:*:*:inference-profile/a:0",
                "arn:aws-cn:bedrock:*:123456789012:inference-profile/a:0",
            ),
            ("arn:aws:iam::*:role/*", "arn:aws-cn:iam::*:role/*"),
            ("arn:aws:s3:::*", "arn:aws-cn:s3:::*"),
        ] {
            assert_eq!(placed(resource), expected);
        }
    }
}
