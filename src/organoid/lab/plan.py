"""Which trials does a test consist of?

Per organism and seed: the organism, its twin and its decoy under plain training, and the organism and its twin under
the tested setup. The naive setup needs no second copy of itself. Of the first seed's organisms under the tested setup a
picture is kept, what a probe sees of them word by word; of naive ones none, as they serve every setup's test from the
cache. Built-in names narrow the suite; the user's own organisms and techniques (`file.py:name`) come on top, since an
organism alone has no other family to calibrate on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from organoid.errors import UserError, unknown_name
from organoid.lab.catalogue import code_digest, find_organism, find_technique, job_offers
from organoid.lab.digest import digest_json
from organoid.lab.records import TrialSpec
from organoid.lab.suites import Suite
from organoid.plugins import is_reference
from organoid.setups import SETUPS
from organoid.setups.check import check_job, check_layers, check_setup, names_layers
from organoid.setups.spec import ReleaseRule, Setup
from organoid.types import Technique, Variant

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A test on paper: what to run, in the order of priority. `organisms` and `techniques` are references."""

    setup: Setup
    suite: str
    base: str
    base_digest: str
    seeds: int
    organisms: tuple[str, ...]
    techniques: tuple[str, ...]
    num_truth: int
    code_digest: str
    setup_on_twins: bool = True
    decoy_seeds: int | None = None  # grown at the first seeds only; None: at every seed

    @property
    def specs(self) -> tuple[TrialSpec, ...]:
        """Every trial."""
        return tuple(spec for seed in range(self.seeds) for name in self.organisms for spec in self._of(name, seed))

    @property
    def rule(self) -> ReleaseRule:
        """The setup's release rule, with techniques by the names they have in tables."""
        return ReleaseRule(techniques=tuple(technique_name(ref) for ref in self.setup.release.techniques))

    @property
    def shops(self) -> list[str]:
        """The organisms whose job is a shop, for which the base is schooled first."""
        return [ref for ref in self.organisms if "business" in job_offers(ref, Variant.ORGANISM)]

    @property
    def spec_digest(self) -> str:
        """The digest of everything the numbers depend on."""
        return digest_json(self.config)

    @property
    def config(self) -> dict[str, Any]:
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
            "setup_on_twins": self.setup_on_twins,
            "decoy_seeds": self.decoy_seeds,
            "code_digest": self.code_digest,
        }

    def _of(self, organism: str, seed: int) -> Sequence[TrialSpec]:
        code = code_digest((organism, *self.techniques))
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
                code_digest=code,
                pictured=seed == 0 and setup != SETUPS["naive"] and variant is Variant.ORGANISM,
            )
            for setup, variant in arms(self.setup, on_twins=self.setup_on_twins)
            if variant is not Variant.DECOY or self.decoy_seeds is None or seed < self.decoy_seeds
        ]


def arms(setup: Setup, *, on_twins: bool = True) -> list[tuple[Setup, Variant]]:
    """Return the (setup, variant) pairs that every organism and seed is run in."""
    naive = SETUPS["naive"]
    plain = [(naive, variant) for variant in Variant]
    if setup == naive:
        return plain
    return [(setup, Variant.ORGANISM), *plain, *([(setup, Variant.TWIN)] if on_twins else [])]


def trial_id(spec: TrialSpec) -> str:
    """Return a trial's name within its run."""
    return f"{organism_name(spec.organism)}/{spec.variant.value}/{spec.setup.name}/{spec.seed}"


def organism_name(ref: str) -> str:
    """Return an organism's own name."""
    return find_organism(ref).name


def technique_name(ref: str) -> str:
    """Return the name of a technique given by reference; a name stays what it is."""
    return find_technique(ref).name if is_reference(ref) else ref


def draw_up(
    setup: Setup,
    suite: Suite,
    *,
    base: str,
    seeds: int | None = None,
    organisms: Sequence[str] = (),
    techniques: Sequence[str] = (),
) -> Plan:
    """Resolve a test to a plan. Everything that can be checked is, and nothing is trained or written.

    Args:
        setup: what is under test.
        suite: the organisms to run unless `organisms` names built-in ones.
        base: a built-in name, a model directory or a Hugging Face id.
        seeds: runs per organism and arm, at least 1; None: the suite's numbers.
        organisms: built-in names narrow the suite, references are added.
        techniques: the same, of the default ones; those of the release rule are always run.

    Raises:
        UserError: an unknown name, two organisms or techniques of one name, a stage that needs what an organism's job
            lacks, or a base that is none.
        PrerequisiteError: a built-in base that is not there.
    """
    from organoid.lab.bases import base_digest, num_layers
    from organoid.techniques import DEFAULT_TECHNIQUES

    check_setup(setup)
    if names_layers(setup):
        check_layers(setup, num_layers=num_layers(base), base=base)
    refs = _chosen(organisms, suite.organisms)
    found = _by_name("organism", refs, {ref: find_organism(ref) for ref in refs}, lambda organism: organism.name)
    for name, ref in found.items():
        for variant in Variant:
            check_job(setup, job_offers(ref, variant), organism=name)
    instruments = _with_rule(setup, _chosen(techniques, DEFAULT_TECHNIQUES))
    return Plan(
        setup=setup,
        suite=suite.name,
        base=base,
        base_digest=base_digest(base),
        seeds=suite.num_seeds if seeds is None else seeds,
        organisms=refs,
        techniques=instruments,
        num_truth=suite.num_truth,
        setup_on_twins=suite.setup_on_twins,
        decoy_seeds=suite.num_decoy_seeds if seeds is None else None,
        code_digest=code_digest((*refs, *instruments)),
    )


def _chosen(given: Sequence[str], default: Sequence[str]) -> tuple[str, ...]:
    own = [ref for ref in given if is_reference(ref)]
    named = [ref for ref in given if not is_reference(ref)]
    return tuple(dict.fromkeys([*(named or default), *own]))


def _with_rule(setup: Setup, refs: tuple[str, ...]) -> tuple[str, ...]:
    """Return the techniques to run, those of the release rule included."""
    from organoid.techniques import TECHNIQUES

    found: dict[str, Technique] = {ref: find_technique(ref) for ref in refs}
    names = {technique.name for technique in found.values()}
    for ref in setup.release.techniques:
        if ref in found or ref in names:
            continue
        if not is_reference(ref) and ref not in TECHNIQUES:
            where = f"the release rule of setup {setup.name!r}"
            raise unknown_name("technique", ref, {*TECHNIQUES, *names}, where=where)
        found[ref] = find_technique(ref)
    _by_name("technique", found, found, lambda technique: technique.name)
    return tuple(found)


def _by_name(kind: str, refs: Iterable[str], values: dict[str, T], name_of: Callable[[T], str]) -> dict[str, str]:
    """Return {name: reference}, refusing two of one name: tables could not tell them apart."""
    found: dict[str, str] = {}
    for ref in refs:
        name = name_of(values[ref])
        if name in found:
            raise UserError(f"two {kind}s are named {name!r}: {found[name]} and {ref}. Give one another `name`.")
        found[name] = ref
    return found
