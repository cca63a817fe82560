"""The keys that the simulator knows by default."""

ACCESS_KEY_ID = "AKIDSIMULATOR0000000"
SECRET_ACCESS_KEY = "simulator-secret-access-key"
API_KEY = "bedrock-api-key-simulator"
