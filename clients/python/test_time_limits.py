"""The limits of time towards Bedrock. (Between chunks: test_stream_faults.py; of slow clients: test_hostile_http.py)"""

import pytest

from support import settings, shapes
from support.process import poll
from support.wire import Events


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_no_first_byte(stacked, stream):
    stack = stacked(env={settings.FIRST_BYTE_TIMEOUT: "500ms"})
    reply = stack.gateway.chat("[[sim:delay 60s]]", body={"stream": stream})
    shapes.check_error(reply, (502, 503, 504))
    poll(lambda: stack.simulator.active() == 0, "the call upstream is given up too")


def test_a_stream_in_all(serve):
    gateway = serve(env={settings.TOTAL_TIMEOUT: "1s"})
    reply = gateway.chat("[[sim:tokens 1000]] [[sim:pace 50ms]]", body={"stream": True})
    events = Events(reply.text)
    assert events.chunks and len(events.errors) == 1 and not events.done, events.data[-3:]


def test_an_answer_in_time_is_left_alone(serve):
    gateway = serve(
        env={settings.FIRST_BYTE_TIMEOUT: "20s", settings.CHUNK_TIMEOUT: "20s", settings.TOTAL_TIMEOUT: "30s"}
    )
    assert gateway.chat("[[sim:delay 300ms]] [[sim:text ok]]").status_code == 200
    events = Events(gateway.chat("[[sim:delay 300ms]] [[sim:text ok]]", body={"stream": True}).text)
    assert events.done
