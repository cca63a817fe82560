//! `POST /v1/auth/session`: a key of an hour, for a token that is good once.

