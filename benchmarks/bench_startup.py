"""How long until `organoid --help` answers, and until `import organoid` returns? Medians of fresh processes."""

import statistics
import subprocess
import sys
import time

REPEATS = 9
PROGRAMS = {
    "python_alone_s": "pass",
    "import_organoid_s": "import organoid",
    "organoid_help_s": "from organoid.cli import main; main(['--help'])",
    "organoid_setup_s": "from organoid.setups.load import load_setup; load_setup('careful')",
}


def run() -> dict[str, float]:
    """Return the median wall seconds of each program; the first run of each only warms the disk."""
    return {
        name: statistics.median([_seconds(code) for _ in range(REPEATS + 1)][1:]) for name, code in PROGRAMS.items()
    }


def _seconds(code: str) -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started
