//! Any bytes as the URL in the token of an AWS identity, or as the token: read or refused, never a panic; what is read asks
//! STS alone, and for nothing else than who somebody is.
#![no_main]

use libfuzzer_sys::fuzz_target;
use outcrop_tenants::presigned::{Presigned, write};

const SIMULATOR: &str = "http://127.0.0.1:8000";

fuzz_target!(|text: &str| {
    let _ = Presigned::read(text, None);
    for endpoint in [None, Some(SIMULATOR)] {
        let Ok(read) = Presigned::read(&write(text, None), endpoint) else {
            continue;
        };
        let url = read.url();
        let (origin, query) = url.split_once("/?").unwrap();
        let is_aws = origin.starts_with("https://sts")
            && ["amazonaws.com", "amazonaws.com.cn", "api.aws", "api.amazonwebservices.com.cn", "amazonaws.eu",
                "api.amazonwebservices.eu"]
                .iter()
                .any(|suffix| origin.ends_with(&format!(".{suffix}")))
            && !origin[8..].contains(|letter: char| !letter.is_ascii_alphanumeric() && !"-.".contains(letter));
        assert!(is_aws || Some(origin) == endpoint, "{url}");
        assert!(query.starts_with("Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Algorithm="), "{url}");
        assert_eq!(query.matches("Action=").count(), 1, "{url}");
        // What is sent means the same when it is read again.
        assert_eq!(Presigned::read(&write(&url, None), endpoint), Ok(read));
    }
});
