"""A stream from Bedrock that goes on frame by frame, each when the test says so."""

import json
import re
import threading

from .faulty import PATIENCE

DELTA = re.compile(rb'"delta":\{"text":("(?:[^"\\]|\\.)*")\}')


class Steps:
    """What a `Relay` does: it sends the next frame once `step` was called."""

    def __init__(self, relay):
        self.frames = []
        self.has_answer = threading.Event()
        self.gate = threading.Semaphore(0)
        self.released = 0
        relay.begin(self.behave)

    def behave(self, exchange):
        head, frames = exchange.fetch()
        if b"vnd.amazon.eventstream" not in head:
            return exchange.deliver()
        exchange.send(head)
        self.frames = frames
        self.has_answer.set()
        for frame in frames:
            assert self.gate.acquire(timeout=PATIENCE)
            exchange.send_frames([frame])
        exchange.send_frames([b""])

    def step(self):
        self.released += 1
        self.gate.release()

    def texts(self):
        """Sends frame after frame, and gives the text of each before the next one is sent."""
        assert self.has_answer.wait(PATIENCE), "nothing was asked of Bedrock"
        for number, frame in enumerate(self.frames):
            if number >= self.released:
                self.step()
            if found := DELTA.search(frame):
                yield json.loads(found.group(1))
