//! Whom connections trust: Mozilla's certificate authorities, and those of `AWS_CA_BUNDLE`.

use std::path::Path;
use std::sync::Arc;

use aws_smithy_http_client::tls::{TlsContext, TrustStore};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

use crate::config::ConfigError;

/// The variable by which AWS's SDKs name a file of certificate authorities.
const VARIABLE: &str = "AWS_CA_BUNDLE";

/// Certificate authorities besides the usual ones: a company's proxy has its own.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trust {
    extra: Vec<CertificateDer<'static>>,
}

impl Trust {
    /// What the environment says.
    ///
    /// # Errors
    /// When it names a file that can't be read, or has no certificate that can be used.
    pub(crate) fn from_environment() -> Result<Self, ConfigError> {
        match std::env::var_os(VARIABLE).filter(|path| !path.is_empty()) {
            Some(path) => Self::from_file(Path::new(&path)),
            None => Ok(Self::default()),
        }
    }

    fn from_file(path: &Path) -> Result<Self, ConfigError> {
        let failed = |problem: String| ConfigError::CaBundle {
            path: path.to_owned(),
            problem,
        };
        let pem = std::fs::read(path).map_err(|error| failed(error.to_string()))?;
        let certificates = CertificateDer::pem_slice_iter(&pem)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| failed(error.to_string()))?;
        let all = certificates.len();
        // Bundles of old systems have a certificate or two that nobody reads any more; that is no reason to stop.
        let extra: Vec<_> = certificates
            .into_iter()
            .filter(|certificate| RootCertStore::empty().add(certificate.clone()).is_ok())
            .collect();
        if extra.is_empty() {
            return Err(failed("it has no certificate in PEM that can be used".to_owned()));
        }
        if extra.len() < all {
            tracing::warn!(path = %path.display(), skipped = all - extra.len(), "AWS_CA_BUNDLE has certificates that can't be used");
        }
        Ok(Self { extra })
    }

    /// TLS for our own connections.
    pub(crate) fn tls(&self) -> Result<ClientConfig, ConfigError> {
        let mut roots = RootCertStore {
            roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
        };
        roots.add_parsable_certificates(self.extra.iter().cloned());
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| ConfigError::Tls(error.to_string()))?;
        Ok(builder.with_root_certificates(roots).with_no_client_auth())
    }

    /// The same for connections of AWS's SDK, which trust what the system does.
    pub(crate) fn tls_context(&self) -> Result<TlsContext, ConfigError> {
        let mut store = TrustStore::default();
        for certificate in &self.extra {
            store = store.with_pem_certificate(pem(certificate));
        }
        TlsContext::builder()
            .with_trust_store(store)
            .build()
            .map_err(|error| ConfigError::Tls(error.to_string()))
    }
}

fn pem(certificate: &CertificateDer<'_>) -> String {
    let text = aws_smithy_types::base64::encode(certificate);
    format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_that_cannot_be_used_is_named() {
        let missing = Trust::from_file(Path::new("/no/such/bundle.pem")).unwrap_err();
        assert!(missing.to_string().contains("/no/such/bundle.pem"), "{missing}");
        let no_bundle = Trust::from_file(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))).unwrap_err();
        assert!(no_bundle.to_string().contains("no certificate"), "{no_bundle}");
    }
}
