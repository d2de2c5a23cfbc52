import subprocess
import sys


def test_measure_imports_neither_scipy_nor_scikit_learn():
    names = ", ".join(f"organoid.measure.{n}" for n in ("intervals", "ranking", "scoring", "bounds", "directions"))
    code = f"import {names}, sys; print([m for m in ('scipy', 'sklearn', 'torch', 'pandas') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
