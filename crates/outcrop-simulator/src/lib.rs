//! A strict Bedrock to run offline.
