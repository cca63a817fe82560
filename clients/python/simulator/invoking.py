"""How the tests invoke models."""

import json

import pytest
from botocore.exceptions import ClientError


def invoke(runtime, model, body, **more):
    """The answer to a body in the model's own shape, and the headers it came with."""
    answer = runtime.invoke_model(modelId=model, body=json.dumps(body), **more)
    return json.loads(answer["body"].read()), answer["ResponseMetadata"]["HTTPHeaders"]


def chunks(runtime, model, body, **more):
    """The chunks of a stream."""
    answer = runtime.invoke_model_with_response_stream(modelId=model, body=json.dumps(body), **more)
    return [json.loads(event["chunk"]["bytes"]) for event in answer["body"]]


def refused(runtime, model, body, code="ValidationException", **more):
    """What is said of a body that is refused, whole and streamed alike."""
    messages = []
    for call in (invoke, chunks):
        with pytest.raises(ClientError) as error:
            call(runtime, model, body, **more)
        assert error.value.response["Error"]["Code"] == code
        messages.append(error.value.response["Error"]["Message"])
    assert messages[0] == messages[1]
    return messages[0]
