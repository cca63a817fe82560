"""The names that these tests take for granted, in one place.

If a name of the gateway's or of the simulator's changes, this is the only file to touch.
"""

KEY = "sk-test"

CLAUDE = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
NOVA = "amazon.nova-lite-v1:0"
# Exists, but can't be called by this id: AWS wants its inference profile.
CLAUDE_WITHOUT_PROFILE = "anthropic.claude-sonnet-4-5-20250929-v1:0"

# The gateway's settings, as environment variables.
API_KEYS = "OUTCROP_API_KEYS"
KEEP_ALIVE_INTERVAL = "OUTCROP_KEEP_ALIVE_INTERVAL"
IDLE_TIMEOUT = "OUTCROP_IDLE_TIMEOUT"
HEADER_TIMEOUT = "OUTCROP_HEADER_TIMEOUT"
BODY_TIMEOUT = "OUTCROP_BODY_TIMEOUT"
SHUTDOWN_DELAY = "OUTCROP_SHUTDOWN_DELAY"
SHUTDOWN_TIMEOUT = "OUTCROP_SHUTDOWN_TIMEOUT"
FIRST_BYTE_TIMEOUT = "OUTCROP_FIRST_BYTE_TIMEOUT"
CHUNK_TIMEOUT = "OUTCROP_CHUNK_TIMEOUT"
TOTAL_TIMEOUT = "OUTCROP_TOTAL_TIMEOUT"

# The default limit of a request's body.
BODY_LIMIT = 32 * 1024 * 1024

# Where `outcrop chat` and `outcrop models` find a running gateway.
CLI_BASE_URL = "OPENAI_BASE_URL"
CLI_KEY = "OPENAI_API_KEY"

REGION = "us-east-1"
