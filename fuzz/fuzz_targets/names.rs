//! Names of any kind: what Bedrock gets is valid and no two share it, and the way back gives the client's own.
#![no_main]

use std::collections::HashMap;

use libfuzzer_sys::fuzz_target;
use outcrop_bedrock::json::JsonText;
use outcrop_translate::Names;

fuzz_target!(|input: (Vec<String>, bool)| {
    let (mut originals, with_lookalikes) = input;
    if with_lookalikes {
        // Names spelled like the mapped form of others.
        let mut names = Names::default();
        let mapped: Vec<String> = originals
            .iter()
            .map(|name| text(&names.name(&JsonText::encode(name))))
            .collect();
        originals.splice(0..0, mapped.into_iter().step_by(2));
    }
    let mut names = Names::default();
    let (mut by_name, mut by_id) = (HashMap::new(), HashMap::new());
    for original in &originals {
        let name = text(&names.name(&JsonText::encode(original)));
        assert!(is_valid(&name, b"_-"), "{name}");
        assert_eq!(*by_name.entry(name).or_insert(original), original);
        let id = text(&names.id(&JsonText::encode(original)));
        assert!(is_valid(&id, b"_.:-"), "{id}");
        assert_eq!(*by_id.entry(id).or_insert(original), original);
    }
    let restorer = names.restorer();
    for (name, original) in by_name {
        assert_eq!(&restorer.restore(&name).map_or(name, text), original);
    }
});

fn text(name: &JsonText<'_>) -> String {
    name.decoded().into_owned()
}

fn is_valid(name: &str, marks: &[u8]) -> bool {
    (1..=64).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || marks.contains(&byte))
}
