//! What STS answers to `GetCallerIdentity`, read strictly.

use xmlparser::{ElementEnd, Token, Tokenizer};

/// The longest answer.
pub(super) const MAX_BYTES: usize = 16 * 1024;
const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";

/// Who somebody is, as STS says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Caller {
    /// The number of the AWS account.
    pub(crate) account: String,
    /// ARN of the user, or of the role's session.
    pub(crate) arn: String,
    /// Unique id.
    pub(crate) user_id: String,
}

/// What STS said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Is(Caller),
    /// It refuses: the error's code and words.
    Refused {
        code: String,
        message: String,
    },
}

/// Reads an answer; `None` for what is none of STS's.
pub(super) fn read(status: u16, body: &[u8]) -> Option<Answer> {
    let leaves = leaves(std::str::from_utf8(body).ok()?)?;
    let find = |path: &str| {
        let mut found = leaves.iter().filter(|(of, _)| of == path).map(|(_, text)| text.clone());
        let first = found.next()?;
        // Once, or it is anybody's guess which counts.
        found.next().is_none().then_some(first)
    };
    if status != 200 {
        return Some(Answer::Refused {
            code: find("ErrorResponse/Error/Code")?,
            message: find("ErrorResponse/Error/Message").unwrap_or_default(),
        });
    }
    let of_result = |name: &str| find(&format!("GetCallerIdentityResponse/GetCallerIdentityResult/{name}"));
    let caller = Caller {
        account: of_result("Account")?,
        arn: of_result("Arn")?,
        user_id: of_result("UserId")?,
    };
    caller.is_sound().then_some(Answer::Is(caller))
}

impl Caller {
    fn is_sound(&self) -> bool {
        let is_id = |byte: u8| byte.is_ascii_alphanumeric() || b"_+=,.@:-".contains(&byte);
        account_of(&self.arn) == Some(&self.account) && !self.user_id.is_empty() && self.user_id.bytes().all(is_id)
    }
}

/// The account of a caller's ARN, such as `arn:aws:iam::123456789012:user/a/b`; `None` if it is none.
pub(super) fn account_of(arn: &str) -> Option<&str> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let ["arn", partition, "iam" | "sts", "", account, resource] = parts.as_slice() else {
        return None;
    };
    let is_partition =
        partition.starts_with("aws") && partition.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
    let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    let is_resource = *resource == "root"
        || ["user/", "assumed-role/", "federated-user/", "role/"]
            .iter()
            .any(|kind| resource.strip_prefix(kind).is_some_and(|name| !name.is_empty()));
    let is_mark = |byte: u8| byte.is_ascii_graphic() && !b"*<>&\"'\\`".contains(&byte);
    (is_partition && is_account && is_resource && arn.len() <= 2048 && resource.bytes().all(is_mark)).then_some(account)
}

/// The texts of a document, each with the path of its element. Nothing is taken that STS doesn't send.
fn leaves(text: &str) -> Option<Vec<(String, String)>> {
    let mut open: Vec<&str> = Vec::new();
    let mut leaves = Vec::new();
    for token in Tokenizer::from(text) {
        match token.ok()? {
            Token::Declaration { .. } => {}
            Token::ElementStart { prefix, local, .. } if prefix.is_empty() && open.len() < 8 => {
                open.push(local.as_str());
            }
            Token::Attribute {
                prefix, local, value, ..
            } if prefix.is_empty() && local.as_str() == "xmlns" && value.as_str() == NAMESPACE => {}
            Token::ElementEnd { end, .. } => match end {
                ElementEnd::Open => {}
                ElementEnd::Empty => {
                    open.pop()?;
                }
                ElementEnd::Close(_, name) => {
                    if open.pop()? != name.as_str() {
                        return None;
                    }
                }
            },
            Token::Text { text } => {
                let text = text.as_str().trim();
                if !text.is_empty() {
                    leaves.push((open.join("/"), text.to_owned()));
                }
            }
            _ => return None,
        }
    }
    open.is_empty().then_some(leaves)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(arn: &str, account: &str) -> String {
        format!(
            "<GetCallerIdentityResponse xmlns=\"{NAMESPACE}\">\n  <GetCallerIdentityResult>\n    <Arn>{arn}</Arn>\n    \
             <UserId>AROAEXAMPLE:me@example.com</UserId>\n    <Account>{account}</Account>\n  \
             </GetCallerIdentityResult>\n  <ResponseMetadata><RequestId>a</RequestId></ResponseMetadata>\n\
             </GetCallerIdentityResponse>\n"
        )
    }

    #[test]
    fn a_caller_is_read() {
        let arn = "arn:aws:sts::123456789012:assumed-role/Admin/me@example.com";
        let Some(Answer::Is(caller)) = read(200, answer(arn, "123456789012").as_bytes()) else {
            panic!("none was read");
        };
        assert_eq!((caller.arn.as_str(), caller.account.as_str()), (arn, "123456789012"));
    }

    #[test]
    fn what_sts_would_not_say_is_no_answer() {
        let arn = "arn:aws:iam::123456789012:user/me";
        let right = answer(arn, "123456789012");
        for wrong in [
            answer(arn, "999999999999"),
            answer("arn:aws:s3:::bucket", "123456789012"),
            answer("arn:aws:iam::123456789012:user/*", "123456789012"),
            answer("<b>x</b>", "123456789012"),
            right.replace("</Arn>", "</Arn><Arn>arn:aws:iam::123456789012:user/other</Arn>"),
            right.replace(NAMESPACE, "https://example.com/"),
            format!("<!DOCTYPE a [<!ENTITY b \"c\">]>{right}"),
            right.replace("me", "<![CDATA[me]]>"),
            right.replace("GetCallerIdentityResult", "AssumeRoleResult"),
            right.replace("</GetCallerIdentityResponse>", ""),
            "{\"Arn\": \"arn:aws:iam::123456789012:user/me\"}".to_owned(),
            String::new(),
        ] {
            assert_eq!(read(200, wrong.as_bytes()), None, "{wrong}");
        }
        let refused = format!(
            "<ErrorResponse xmlns=\"{NAMESPACE}\"><Error><Type>Sender</Type><Code>SignatureDoesNotMatch</Code>\
             <Message>no</Message></Error><RequestId>a</RequestId></ErrorResponse>"
        );
        let told = Answer::Refused {
            code: "SignatureDoesNotMatch".to_owned(),
            message: "no".to_owned(),
        };
        assert_eq!(read(403, refused.as_bytes()), Some(told));
        assert_eq!(read(200, refused.as_bytes()), None);
    }
}
