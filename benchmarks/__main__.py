"""How fast is it? Runs every `bench_*.py` of this folder and writes what it returns as JSON into `results/`.

A benchmark is a module with `run() -> dict`: numbers with their units in their names (`_s`, `_mb`, `_per_s`). Nothing
is asserted: numbers are compared between results of one machine. A run that had to skip something (no peer library, a
busy machine) shows its numbers and leaves a file that is there already as it was; the exit code is then 3.

Example:
    $ python -m benchmarks startup
"""

import importlib
import json
import os
import platform
import sys
import time
from difflib import get_close_matches
from importlib.metadata import version
from pathlib import Path

HERE = Path(__file__).parent
NAMES = sorted(path.stem.removeprefix("bench_") for path in HERE.glob("bench_*.py"))


def main(names: list[str]) -> int:
    """Run the benchmarks of these names, or all; return the exit code."""
    for name in names:
        if name not in NAMES:
            near = get_close_matches(name, NAMES, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            print(f"unknown benchmark {name!r}.{hint} Allowed: {', '.join(NAMES)}.", file=sys.stderr)
            return 2
    machine = {
        "python": platform.python_version(),
        "torch": version("torch"),
        "system": platform.platform(),
        "num_cpus": os.cpu_count(),
    }
    (HERE / "results").mkdir(exist_ok=True)
    kept = list[str]()
    for name in names or NAMES:
        started = time.perf_counter()
        numbers = importlib.import_module(f"benchmarks.bench_{name}").run()
        result = {"benchmark": name, "machine": machine, "seconds": time.perf_counter() - started, "numbers": numbers}
        path = HERE / "results" / f"{name}.json"
        lacking = [key for key, value in numbers.items() if str(value).startswith("skipped")]
        if lacking and path.exists():
            kept.append(name)
            print(
                f"{name}: {path.relative_to(HERE.parent)} stays as it was, since this run skipped {', '.join(lacking)}"
            )
        else:
            path.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
            print(f"{name}: {path.relative_to(HERE.parent)}")
        for key, value in numbers.items():
            print(f"  {key:<32} {value:.4g}" if isinstance(value, float) else f"  {key:<32} {value}")
    return 3 if kept else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
