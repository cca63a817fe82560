//! Bedrock's language without I/O: Converse types, event-stream frames, error names, model ids.
