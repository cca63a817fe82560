//! The list of parts: CycloneDX, the form that scanners for vulnerabilities read.
//!
//! It has what is linked into the binary: packages, the C that some of them bring along, and Rust's standard library.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::build::Toolchain;
use super::hex;
use super::linked::{Linked, Package};
use super::read;
use super::source::Source;
use crate::steps::Result;

/// Writes the list.
///
/// # Errors
/// If a package has no licence, or doesn't say which C it has in it.
pub(super) fn document(source: &Source, toolchain: &Toolchain, linked: &Linked) -> Result<String> {
    let (ours, others): (Vec<&Package>, Vec<&Package>) =
        linked.packages.iter().partition(|package| package.name == "outcrop");
    let main = ours.first().ok_or("there is no package outcrop")?;
    let mut components = others.into_iter().map(component).collect::<Result<Vec<Value>>>()?;
    let mut dependencies = Vec::new();
    for (package, needs) in linked.packages.iter().zip(&linked.needs) {
        let mut needed: Vec<String> = needs
            .iter()
            .filter_map(|place| linked.packages.get(*place))
            .map(reference)
            .collect();
        if let Some(brought) = brought(package)? {
            needed.push(brought.reference());
            components.push(brought.component());
        }
        if package.name == main.name {
            needed.push(reference_of_std(toolchain));
        }
        dependencies.push(json!({"ref": reference(package), "dependsOn": needed}));
    }
    components.push(standard_library(toolchain));

    let mut document = json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": "",
        "version": 1,
        "metadata": {
            "timestamp": source.timestamp,
            "lifecycles": [{"phase": "build"}],
            "tools": {"components": [
                {"type": "application", "name": "cargo xtask dist", "version": source.version},
                {"type": "application", "name": "rustc", "version": toolchain.version},
            ]},
            "component": {
                "type": "application",
                "bom-ref": reference(main),
                "name": main.name,
                "version": main.version,
                "description": main.description,
                "licenses": licences(main)?,
                "purl": format!("pkg:generic/outcrop@{}", main.version),
                "properties": [
                    {"name": "outcrop:commit", "value": source.commit},
                    {"name": "outcrop:target", "value": toolchain.target},
                ],
            },
        },
        "components": components,
        "dependencies": dependencies,
    });
    // A number of its own for each list, and the same for the same.
    let number = serial_number(document.to_string().as_bytes());
    if let Some(place) = document.get_mut("serialNumber") {
        *place = number.into();
    }
    Ok(format!("{document:#}\n"))
}

fn component(package: &Package) -> Result<Value> {
    let mut component = json!({
        "type": "library",
        "bom-ref": reference(package),
        "name": package.name,
        "version": package.version,
        "scope": "required",
        "licenses": licences(package)?,
    });
    let Value::Object(fields) = &mut component else {
        return Ok(component);
    };
    if let Some(description) = &package.description {
        // Some are whole paragraphs, broken where their files are.
        let words: Vec<&str> = description.split_whitespace().collect();
        fields.insert("description".to_owned(), words.join(" ").into());
    }
    if let Some(checksum) = &package.checksum {
        fields.insert("hashes".to_owned(), json!([{"alg": "SHA-256", "content": checksum}]));
        // Our own packages are in no registry, so they have no address there.
        fields.insert("purl".to_owned(), reference(package).into());
    }
    if let Some(repository) = &package.repository {
        let references = json!([{"type": "vcs", "url": repository}]);
        fields.insert("externalReferences".to_owned(), references);
    }
    Ok(component)
}

/// A package's address, which stands for it in the list too.
fn reference(package: &Package) -> String {
    match package.source {
        Some(_) => format!("pkg:cargo/{}@{}", package.name, escaped(&package.version)),
        None => format!("{}@{}", package.name, package.version),
    }
}

/// A version in an address, where a plus would be a space.
fn escaped(version: &str) -> String {
    version.replace('+', "%2B")
}

fn licences(package: &Package) -> Result<Value> {
    let licence = package.license.as_deref();
    let licence = licence.ok_or_else(|| format!("{} names no licence", package.label()))?;
    let words = licence.replace('/', " OR ");
    let words: Vec<&str> = words.split_whitespace().collect();
    Ok(json!([{"expression": words.join(" ")}]))
}

/// A library in C that a package has in it: what a scanner knows holes of.
struct Brought {
    name: &'static str,
    version: String,
    licence: &'static str,
    purl: String,
    cpe: String,
}

impl Brought {
    fn reference(&self) -> String {
        self.purl.clone()
    }

    fn component(&self) -> Value {
        json!({
            "type": "library",
            "bom-ref": self.purl,
            "name": self.name,
            "version": self.version,
            "scope": "required",
            "licenses": [{"expression": self.licence}],
            "cpe": self.cpe,
            "purl": self.purl,
        })
    }
}

fn brought(package: &Package) -> Result<Option<Brought>> {
    let (name, version, licence, address) = match package.name.as_str() {
        "libsqlite3-sys" => {
            let header = read(&package.folder().join("sqlite3/sqlite3.h"))?;
            let version = sqlite_version(&String::from_utf8_lossy(&header));
            ("sqlite", version, "blessing", "pkg:generic/sqlite")
        }
        "tikv-jemalloc-sys" => {
            let version = jemalloc_version(&package.version);
            ("jemalloc", version, "BSD-2-Clause", "pkg:github/jemalloc/jemalloc")
        }
        _ => return Ok(None),
    };
    let version = version.ok_or_else(|| format!("{} doesn't say which {name} it has", package.label()))?;
    Ok(Some(Brought {
        name,
        purl: format!("{address}@{version}"),
        cpe: format!("cpe:2.3:a:{name}:{name}:{version}:*:*:*:*:*:*:*"),
        version,
        licence,
    }))
}

/// `#define SQLITE_VERSION        "3.50.4"`
fn sqlite_version(header: &str) -> Option<String> {
    let line = header
        .lines()
        .find(|line| line.starts_with("#define SQLITE_VERSION "))?;
    line.split('"').nth(1).map(str::to_owned)
}

/// `0.7.1+5.3.1-0-g81034ce1`
fn jemalloc_version(package: &str) -> Option<String> {
    package.split_once('+')?.1.split('-').next().map(str::to_owned)
}

fn reference_of_std(toolchain: &Toolchain) -> String {
    format!("pkg:generic/rust-std@{}", toolchain.version)
}

fn standard_library(toolchain: &Toolchain) -> Value {
    let purl = reference_of_std(toolchain);
    json!({
        "type": "library",
        "bom-ref": purl,
        "name": "rust-std",
        "version": toolchain.version,
        "scope": "required",
        "licenses": [{"expression": "MIT OR Apache-2.0"}],
        "purl": purl,
    })
}

/// A UUID of the form that is for anybody's own use.
fn serial_number(bytes: &[u8]) -> String {
    let digits = hex(&Sha256::digest(bytes));
    let part = |range: std::ops::Range<usize>| digits.get(range).unwrap_or_default();
    format!(
        "urn:uuid:{}-{}-8{}-8{}-{}",
        part(0..8),
        part(8..12),
        part(12..15),
        part(15..18),
        part(18..30)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_what_is_brought_along() {
        let header = "#define SQLITE_VERSION_NUMBER 3050004\n#define SQLITE_VERSION        \"3.50.4\"\n";
        assert_eq!(sqlite_version(header).as_deref(), Some("3.50.4"));
        assert_eq!(jemalloc_version("0.7.1+5.3.1-0-g81034ce1").as_deref(), Some("5.3.1"));
        assert_eq!(jemalloc_version("0.7.1"), None);
    }

    #[test]
    fn a_serial_number_is_a_uuid() {
        let number = serial_number(b"");
        assert_eq!(number, "urn:uuid:e3b0c442-98fc-81c1-849a-fbf4c8996fb9");
    }
}
