"""Models that differ in what they can do, by the names under which Bedrock is called. All of them are simulated."""

from . import settings

CLAUDE_3 = "anthropic.claude-3-haiku-20240307-v1:0"
CLAUDE_3_7 = "us.anthropic.claude-3-7-sonnet-20250219-v1:0"
CLAUDE_4 = "us.anthropic.claude-sonnet-4-20250514-v1:0"
CLAUDE_4_5 = settings.CLAUDE
HAIKU_4_5 = "us.anthropic.claude-haiku-4-5-20251001-v1:0"
CLAUDE_4_6 = "us.anthropic.claude-sonnet-4-6"
# Takes adaptive thinking only, and no sampling parameters.
OPUS_4_7 = "us.anthropic.claude-opus-4-7"
CLAUDE_5 = "us.anthropic.claude-sonnet-5"
# Always thinks.
FABLE_5 = "us.anthropic.claude-fable-5"
# Always thinks, can't be forced to call a tool, has no structured output of its own.
OPUS_5_5 = "us.anthropic.claude-opus-5-5"
# Always thinks and can't be forced either, but has structured output.
SONNET_5_5 = "us.anthropic.claude-sonnet-5-5"

NOVA = settings.NOVA
NOVA_2 = "us.amazon.nova-2-lite-v1:0"

# No tools, no stop sequences.
LLAMA_3 = "meta.llama3-8b-instruct-v1:0"
# Tools, but none can be forced; tool results and words don't mix in one turn.
LLAMA_3_1 = "us.meta.llama3-1-8b-instruct-v1:0"
# As before, and no tools while streaming.
LLAMA_3_3 = "us.meta.llama3-3-70b-instruct-v1:0"
LLAMA_4 = "us.meta.llama4-scout-17b-instruct-v1:0"

# No system prompt, no tools.
MISTRAL_7B = "mistral.mistral-7b-instruct-v0:2"
MISTRAL_LARGE = "mistral.mistral-large-2402-v1:0"
MISTRAL_LARGE_3 = "mistral.mistral-large-3-675b-instruct"
COMMAND_R = "cohere.command-r-v1:0"
GPT_OSS = "openai.gpt-oss-120b-1:0"
DEEPSEEK_R1 = "us.deepseek.r1-v1:0"
DEEPSEEK_V3 = "deepseek.v3-v1:0"
QWEN = "qwen.qwen3-32b-v1:0"


def short(model):
    """A model's name in the name of a test."""
    name = model.removeprefix("us.").split(".", 1)[-1]
    return name.replace("-instruct", "").split(":")[0]


# Nobody has heard of them, and they refuse nearly everything: see docs/simulator.md.
NOVEL = "simulator.novel-v1:0"
NOVEL_2 = "simulator.novel-v2:0"
