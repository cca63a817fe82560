use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _};
use serde_json::json;

use super::*;

const NOW: i64 = 1_800_000_000;

struct Signer {
    pair: EcdsaKeyPair,
    random: SystemRandom,
}

impl Signer {
    fn new() -> Self {
        let random = SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref(), &random).unwrap();
        Self { pair, random }
    }

    fn jwk(&self, id: &str) -> Value {
        let point = self.pair.public_key().as_ref();
        json!({"kty": "EC", "crv": "P-256", "kid": id, "use": "sig", "x": BASE64.encode(&point[1..33]), "y": BASE64.encode(&point[33..])})
    }

    fn key(&self, id: &str) -> Key {
        Key::read(&self.jwk(id)).unwrap()
    }

    fn token(&self, header: &Value, claims: &Value) -> String {
        let message = message(header, claims);
        let signature = self.pair.sign(&self.random, message.as_bytes()).unwrap();
        format!("{message}.{}", BASE64.encode(signature))
    }
}

fn message(header: &Value, claims: &Value) -> String {
    format!(
        "{}.{}",
        BASE64.encode(header.to_string()),
        BASE64.encode(claims.to_string())
    )
}

fn issuer() -> Issuer {
    Issuer {
        issuer: "https://issuer.example".to_owned(),
        audiences: vec!["gateway".to_owned()],
        jwks_url: None,
        algorithms: vec![JwtAlgorithm::Rs256, JwtAlgorithm::Es256],
        leeway_seconds: 60,
        user_claim: Some("user.email".to_owned()),
    }
}

fn claims() -> Value {
    json!({"iss": "https://issuer.example", "aud": ["other", "gateway"], "sub": "me", "exp": NOW + 100})
}

fn check(token: &str, keys: &[Key]) -> Result<Verified, Flaw> {
    assert!(looks_like_one(token), "{token}");
    Unverified::read(token)?.verify(&issuer(), keys, NOW)
}

#[test]
fn a_right_token_says_who_somebody_is() {
    let signer = Signer::new();
    let keys = [Signer::new().key("other"), signer.key("one")];
    let header = json!({"alg": "ES256", "kid": "one", "typ": "JWT"});
    let verified = check(&signer.token(&header, &claims()), &keys).unwrap();
    assert_eq!((verified.user.as_str(), verified.ends_at), ("me", NOW + 160));
    let mut named = claims();
    named["user"] = json!({"email": "me@example.com"});
    assert_eq!(
        check(&signer.token(&header, &named), &keys).unwrap().user,
        "me@example.com"
    );
    // The only key needs no name.
    let header = json!({"alg": "ES256"});
    let token = signer.token(&header, &claims());
    assert!(check(&token, &keys[1..]).is_ok());
    assert!(matches!(check(&token, &keys), Err(Flaw::Invalid(_))));
}

#[test]
fn no_token_chooses_what_it_is_checked_by() {
    let signer = Signer::new();
    let keys = [signer.key("one")];
    let public = signer.jwk("one").to_string();
    let by_secret = |message: &str| {
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, public.as_bytes());
        format!(
            "{message}.{}",
            BASE64.encode(ring::hmac::sign(&key, message.as_bytes()))
        )
    };
    for algorithm in [
        "none", "None", "NONE", "", "HS256", "RS256", "ES384", "EdDSA", "es256", "ES256 ",
    ] {
        let header = json!({"alg": algorithm, "kid": "one"});
        let signed = signer.token(&header, &claims());
        let message = message(&header, &claims());
        for token in [signed, by_secret(&message), format!("{message}.")] {
            assert!(check(&token, &keys).is_err(), "{algorithm}");
        }
    }
    // An issuer's key of another type is not taken for what it isn't.
    let ed = Ed25519KeyPair::generate_pkcs8(&signer.random).unwrap();
    let ed = Ed25519KeyPair::from_pkcs8(ed.as_ref()).unwrap();
    let x = BASE64.encode(ed.public_key().as_ref());
    let ed_key = Key::read(&json!({"kty": "OKP", "crv": "Ed25519", "kid": "one", "x": x})).unwrap();
    let header = json!({"alg": "EdDSA", "kid": "one"});
    let message = message(&header, &claims());
    let token = format!("{message}.{}", BASE64.encode(ed.sign(message.as_bytes())));
    assert!(
        check(&token, std::slice::from_ref(&ed_key)).is_err(),
        "the issuer may not use it"
    );
    let mut allowed = issuer();
    allowed.algorithms.push(JwtAlgorithm::EdDsa);
    assert!(
        Unverified::read(&token)
            .unwrap()
            .verify(&allowed, &[ed_key], NOW)
            .is_ok()
    );
    // A key that names its algorithm is for that one.
    let mut jwk = signer.jwk("one");
    jwk["alg"] = json!("ES384");
    let key = Key::read(&jwk).unwrap();
    assert!(check(&signer.token(&json!({"alg": "ES256", "kid": "one"}), &claims()), &[key]).is_err());
}

#[test]
fn what_was_changed_or_is_another_s_is_refused() {
    let signer = Signer::new();
    let keys = [signer.key("one")];
    let header = json!({"alg": "ES256", "kid": "one"});
    let token = signer.token(&header, &claims());
    let other = Signer::new().token(&header, &claims());
    assert_eq!(
        check(&other, &keys).unwrap_err(),
        Flaw::Invalid("its signature is wrong")
    );
    let (message, signature) = token.rsplit_once('.').unwrap();
    let mut admin = claims();
    admin["sub"] = json!("admin");
    assert!(
        check(
            &format!("{}.{signature}", super::tests::message(&header, &admin)),
            &keys
        )
        .is_err()
    );
    assert!(check(&format!("{message}.{}", &signature[..signature.len() - 4]), &keys).is_err());
    let unknown = signer.token(&json!({"alg": "ES256", "kid": "two"}), &claims());
    assert_eq!(check(&unknown, &keys).unwrap_err(), Flaw::UnknownKey);
    for (name, value) in [
        ("crit", json!(["exp"])),
        ("b64", json!(false)),
        ("enc", json!("A128GCM")),
    ] {
        let mut header = header.clone();
        header[name] = value;
        assert!(check(&signer.token(&header, &claims()), &keys).is_err(), "{name}");
    }
    // A key in the header is nobody's.
    let stranger = Signer::new();
    let header = json!({"alg": "ES256", "kid": "one", "jwk": stranger.jwk("one"), "jku": "https://evil.example"});
    assert!(check(&stranger.token(&header, &claims()), &keys).is_err());
}

#[test]
fn claims_are_checked() {
    let signer = Signer::new();
    let keys = [signer.key("one")];
    let with = |name: &str, value: Value| {
        let mut claims = claims();
        claims[name] = value;
        check(&signer.token(&json!({"alg": "ES256", "kid": "one"}), &claims), &keys).map(|verified| verified.ends_at)
    };
    assert_eq!(with("exp", json!(NOW - 60)), Err(Flaw::Expired));
    assert_eq!(with("exp", json!(NOW - 59)), Ok(NOW + 1));
    assert_eq!(with("exp", json!(1.8e9 + 0.5)), Ok(NOW + 60));
    for wrong in [json!(null), json!("1900000000"), json!(1e300), json!([])] {
        assert!(matches!(with("exp", wrong.clone()), Err(Flaw::Invalid(_))), "{wrong}");
    }
    assert!(with("nbf", json!(NOW + 60)).is_ok() && with("nbf", json!(NOW + 61)).is_err());
    assert!(with("iat", json!(NOW + 60)).is_ok() && with("iat", json!(NOW + 61)).is_err());
    assert_eq!(with("aud", json!("gateway")), Ok(NOW + 160));
    for wrong in [
        json!("other"),
        json!([]),
        json!(null),
        json!("Gateway"),
        json!(["gateway2"]),
        json!([["gateway"]]),
    ] {
        assert_eq!(with("aud", wrong.clone()), Err(Flaw::Audience), "{wrong}");
    }
    for wrong in [
        json!("https://issuer.example/"),
        json!(["https://issuer.example"]),
        json!(null),
    ] {
        assert!(with("iss", wrong.clone()).is_err(), "{wrong}");
    }
}
