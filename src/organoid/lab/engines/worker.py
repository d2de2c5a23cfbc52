"""What does a worker process do? It waits for tasks on a connection, performs them one by one and sends results back.

Started by `LocalEngine` as `python -m organoid.lab.engines.worker DESCRIPTOR MODULE...`, with its threads already
capped by the environment. A thread of its own reads the connection, so that the end of the parent, however sudden,
ends the worker within moments even in the middle of a task.
"""

from __future__ import annotations

import importlib
import json
import os
import queue
import signal
import sys
import threading
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path

from organoid.lab.tasks import Task, perform


def main() -> None:
    """Serve tasks until the parent goes."""
    descriptor, *modules = sys.argv[1:]
    os.set_inheritable(int(descriptor), False)  # a program that a task starts must not keep the connection open
    connection: Connection[bytes, bytes] = Connection(int(descriptor))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what an interrupt means
    with suppress(OSError):  # when memory runs out, the kernel should take a worker and leave the run
        Path("/proc/self/oom_score_adj").write_text("500")
    mailbox: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_receive, args=(connection, mailbox), daemon=True).start()
    for module in modules:
        with suppress(Exception):  # a task that needs it will say what is wrong
            importlib.import_module(module)
    while True:
        message = json.loads(mailbox.get())
        result = perform(Task.model_validate(message["task"]), message["after"])
        connection.send_bytes(result.model_dump_json().encode())


def _receive(connection: Connection[bytes, bytes], mailbox: queue.SimpleQueue[bytes]) -> None:
    try:
        while True:
            mailbox.put(connection.recv_bytes())
    except (EOFError, OSError):
        os.killpg(os.getpgrp(), signal.SIGKILL)  # the worker leads its group: what its task started goes too


if __name__ == "__main__":
    main()
