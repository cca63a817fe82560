"""1,000 streams open at once."""

import asyncio

import pytest

from support.wire import Events, chat_request

STREAMS = 1000


async def one_stream(port, request, begun, all_begun):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request)
        await writer.drain()
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), head
        body = await reader.readuntil(b"data:")
        begun.append(None)
        if len(begun) == STREAMS:
            all_begun.set()
        # Nobody reads on before everybody has begun: so all of them are open at once.
        await asyncio.wait_for(all_begun.wait(), 90)
        return body + await reader.read()
    finally:
        writer.close()


def unchunk(data):
    text = b""
    while data:
        size, _, data = data.partition(b"\r\n")
        length = int(size, 16)
        text += data[:length]
        data = data[length + 2 :]
    return text.decode()


async def all_streams(port):
    request = chat_request(
        "[[sim:pace 500ms]] [[sim:text one two three four five six seven eight]]", ["Connection: close"], stream=True
    )
    begun, all_begun = [], asyncio.Event()
    tasks = [one_stream(port, request, begun, all_begun) for _ in range(STREAMS)]
    return await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 150)


@pytest.mark.timeout(180)
def test_a_thousand_streams_are_held_without_an_error(serve):
    gateway = serve()
    ended = asyncio.run(all_streams(gateway.port))
    broken = [one for one in ended if isinstance(one, BaseException)]
    assert not broken, f"{len(broken)} of {STREAMS} broke, the first with {broken[0]!r}"
    for body in ended:
        events = Events(unchunk(body))
        assert events.done and not events.errors, events.data[-3:]
        text = "".join(chunk["choices"][0]["delta"].get("content") or "" for chunk in events.chunks)
        assert text == "one two three four five six seven eight"
    assert gateway.chat("[[sim:text ok]]").status_code == 200
