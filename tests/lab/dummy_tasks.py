"""Functions that the tests hand to engines by name."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from organoid.errors import PrerequisiteError, UserError


def number(payload: dict[str, Any]) -> dict[str, Any]:
    """A pure function of its payload that takes `sleep_s`, and notes each call as a line of `calls`."""
    if "calls" in payload:
        with Path(payload["calls"]).open("a") as stream:
            stream.write(f"{payload['seed']}\n")
    time.sleep(payload.get("sleep_s", 0.0))
    text = json.dumps([payload["seed"], payload.get("after")])
    return {"number": int(hashlib.sha256(text.encode()).hexdigest()[:12], 16) / 16**12}


def echo(payload: dict[str, Any]) -> dict[str, Any]:
    return payload


def environment(payload: dict[str, Any]) -> dict[str, Any]:
    return {"pid": os.getpid(), "threads": os.environ.get("OMP_NUM_THREADS"), "modules": sorted(sys.modules)}


def allocate(payload: dict[str, Any]) -> dict[str, Any]:
    block = bytearray(payload["mb"] * 1_000_000)
    return {"length": len(block)}


def raise_error(payload: dict[str, Any]) -> dict[str, Any]:
    raise ValueError(f"bad seed {payload['seed']}")


def leave(payload: dict[str, Any]) -> dict[str, Any]:
    raise SystemExit(4)


def miss(payload: dict[str, Any]) -> dict[str, Any]:
    raise PrerequisiteError("install the missing thing")


def misuse(payload: dict[str, Any]) -> dict[str, Any]:
    raise UserError("no such trait")


def not_a_number(payload: dict[str, Any]) -> dict[str, Any]:
    return {"rate": float("nan")}


def not_a_dict(payload: dict[str, Any]) -> list[int]:
    return [1]


def die(payload: dict[str, Any]) -> dict[str, Any]:
    print("last words", flush=True)
    if payload["how"] == "exit":
        os._exit(7)
    os.kill(os.getpid(), signal.SIGKILL)
    return {}


def start_sleeper(payload: dict[str, Any]) -> dict[str, Any]:
    """Start a program that outlives nobody, note both process ids, and work for a minute."""
    sleeper = subprocess.Popen(["sleep", "60"])
    Path(payload["pids"]).write_text(f"{os.getpid()} {sleeper.pid}")
    time.sleep(60)
    return {}


def out_of_memory(payload: dict[str, Any]) -> dict[str, Any]:
    raise MemoryError
