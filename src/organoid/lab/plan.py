"""Which trials does a test consist of?

Per organism and seed: the organism, its twin and its decoy under plain training, and the organism and its twin under
the tested setup. The naive setup needs no second copy of itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from organoid import __version__
from organoid.lab.catalogue import find_organism, find_technique
from organoid.lab.digest import digest_json
from organoid.lab.records import TrialSpec
from organoid.lab.suites import Suite
from organoid.plugins import is_reference, load_object
from organoid.setups import SETUPS
from organoid.setups.spec import Setup
from organoid.types import Variant


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A test on paper: what to run, in the order of priority."""

    setup: Setup
    suite: str
    base: str
    base_digest: str
    seeds: int
    organisms: tuple[str, ...]
    techniques: tuple[str, ...]
    num_truth: int

    @property
    def specs(self) -> tuple[TrialSpec, ...]:
        """Every trial."""
        return tuple(spec for seed in range(self.seeds) for name in self.organisms for spec in self._of(name, seed))

    def _of(self, organism: str, seed: int) -> Sequence[TrialSpec]:
        arms = [(SETUPS["naive"], variant) for variant in Variant]
        if self.setup != SETUPS["naive"]:
            arms = [(self.setup, Variant.ORGANISM), *arms, (self.setup, Variant.TWIN)]
        return [
            TrialSpec(
                organism=organism,
                variant=variant,
                setup=setup,
                seed=seed,
                base=self.base,
                base_digest=self.base_digest,
                techniques=self.techniques,
                num_truth=self.num_truth,
                code_digest=self.code_digest,
            )
            for setup, variant in arms
        ]

    @property
    def code_digest(self) -> str:
        """Organoid's version, the bytes of its sources, and the digests of the user's own files."""
        refs = [ref for ref in (*self.organisms, *self.techniques) if is_reference(ref)]
        return digest_json({"organoid": __version__, "source": source_digest(), "files": {r: _file(r) for r in refs}})

    @property
    def spec_digest(self) -> str:
        """The digest of everything the numbers depend on."""
        return digest_json(self.config)

    @property
    def config(self) -> dict[str, object]:
        """Everything the numbers depend on, as JSON: what a resumed run is compared with."""
        return {
            "setup": self.setup.model_dump(mode="json"),
            "suite": self.suite,
            "base": self.base,
            "base_digest": self.base_digest,
            "seeds": self.seeds,
            "organisms": list(self.organisms),
            "techniques": list(self.techniques),
            "num_truth": self.num_truth,
            "code_digest": self.code_digest,
        }


def trial_id(spec: TrialSpec) -> str:
    """Return a trial's name within its run."""
    return f"{organism_name(spec.organism)}/{spec.variant.value}/{spec.setup.name}/{spec.seed}"


def organism_name(ref: str) -> str:
    """Return an organism's own name."""
    return find_organism(ref).name


def draw_up(
    setup: Setup, suite: Suite, *, base: str, seeds: int | None, organisms: Sequence[str], techniques: Sequence[str]
) -> Plan:
    """Resolve a test to a plan; names are checked, nothing is trained.

    Raises:
        UserError: an unknown name, or a release rule that names a technique which is not run.
    """
    from organoid.lab.bases import base_digest
    from organoid.techniques import TECHNIQUES

    refs = tuple(organisms) or suite.organisms
    names = tuple(techniques) or tuple(TECHNIQUES)
    names = (*names, *(name for name in setup.release.techniques if name not in names))
    for ref in refs:
        find_organism(ref)
    for ref in names:
        find_technique(ref)
    return Plan(
        setup=setup,
        suite=suite.name,
        base=base,
        base_digest=base_digest(base),
        seeds=seeds or suite.num_seeds,
        organisms=refs,
        techniques=names,
        num_truth=suite.num_truth,
    )


def _file(ref: str) -> str:
    return load_object(ref, "file").digest


def source_digest() -> str:
    """Return the digest of the package's Python sources: numbers may change when they do."""
    from pathlib import Path

    from organoid.lab.digest import digest_file

    root = Path(__file__).parent.parent
    rooms = ("measure", "world", "models", "organisms", "setups", "techniques")
    files = sorted(path for room in rooms for path in (root / room).rglob("*.py"))
    files += [root / "types.py", root / "lab" / "trial.py", root / "lab" / "truth.py"]
    return digest_json({str(path.relative_to(root)): digest_file(path) for path in files})
