//! Credentials, signatures, endpoints, retries and the connection to Bedrock.
