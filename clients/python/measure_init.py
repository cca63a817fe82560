"""How long an instance of the Lambda function takes from its start until it asks for its first event.

    python clients/python/measure_init.py target/release/outcrop [STARTS]

Nothing else should run meanwhile. A stub of the runtime API waits for `GET …/invocation/next`; no library is needed.
"""

import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time

SETTINGS = {
    "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
    "AWS_LAMBDA_FUNCTION_NAME": "outcrop",
    "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
    "AWS_REGION": "us-east-1",
    "AWS_SECRET_ACCESS_KEY": "example",
    "OUTCROP_API_KEYS": "sk-measured",
}


def start(binary, folder):
    """Milliseconds of the clock, and of the processor."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(10)
        address = f"127.0.0.1:{listener.getsockname()[1]}"
        before, used = time.perf_counter(), children()
        environment = SETTINGS | {"AWS_LAMBDA_RUNTIME_API": address, "LAMBDA_TASK_ROOT": folder, "PATH": os.environ["PATH"]}
        function = subprocess.Popen([binary], env=environment, cwd=folder, stderr=subprocess.DEVNULL)
        try:
            connection, _ = listener.accept()
            with connection:
                connection.settimeout(10)
                asked = connection.recv(4096)
                took = time.perf_counter() - before
                assert b"/2018-06-01/runtime/invocation/next" in asked, asked
        finally:
            function.kill()
            function.wait()
        return took * 1000, (children() - used) * 1000


def children():
    times = os.times()
    return times.children_user + times.children_system


def main():
    binary = os.path.abspath(sys.argv[1])
    starts = int(sys.argv[2]) if len(sys.argv) > 2 else 21
    with tempfile.TemporaryDirectory() as folder:
        measured = [start(binary, folder) for _ in range(starts)]
    for what, values in zip(("clock", "processor"), zip(*measured)):
        print(f"{what:9}  median {statistics.median(values):.1f} ms, {min(values):.1f} to {max(values):.1f} ms")


main()
