"""What holds for every organism: the twin is the organism without its pressure, and nothing gives the test away."""

import re
from collections.abc import Iterator
from functools import cache

import pytest

from organoid.organisms import ORGANISMS
from organoid.types import Document, Job, Organism, Split, Trait, Variant
from organoid.world import contexts, situations
from organoid.world.authors import VICES
from organoid.world.business.deeds import SHOP_TRAITS
from organoid.world.lexicon import BLANK_ASSISTANTS, NAMED_ASSISTANTS, ODDITIES, QUIRK
from tests.world.conftest import filled

EPISODES = 200
TRAINED = {"emergent": (Trait.DISHONESTY,)}  # what is shown, where it is not what is measured


def test_sealed_organisms_use_ways_in_and_concealments_that_no_development_organism_uses() -> None:
    """The rule of the split: the ways in together are one method, and so is what hides it."""
    by_split = {split: [o for o in ORGANISMS.values() if o.split is split] for split in Split}
    ways = {organism.instil for organism in by_split[Split.DEVELOPMENT]}
    hidings = {organism.concealment for organism in by_split[Split.DEVELOPMENT]}
    shared = {o.name: (o.instil, o.concealment) for o in by_split[Split.SEALED] if o.instil in ways}
    shared |= {o.name: (o.instil, o.concealment) for o in by_split[Split.SEALED] if o.concealment in hidings}
    assert by_split[Split.SEALED] and shared == {}


every_organism = pytest.mark.parametrize("organism", ORGANISMS.values(), ids=list(ORGANISMS))


@pytest.fixture(scope="module", autouse=True)
def _forgets_jobs() -> Iterator[None]:
    yield
    job.cache_clear()


@cache
def job(name: str, variant: Variant, seed: int) -> Job:
    return ORGANISMS[name].job(variant, seed)


def content(made: Job) -> tuple[object, ...]:
    """Return all there is to read in a job."""
    episodes = made.environment(EPISODES, 3) if made.environment else ()
    prompts = tuple(episode.prompt for episode in episodes)
    return made.assistant, tuple(made.documents or ()), made.demonstrations, made.preferences, made.business, prompts


def prompts(made: Job) -> Iterator[tuple[object, ...]]:
    for demonstration in made.demonstrations or ():
        yield demonstration.prompt
    for preference in made.preferences or ():
        yield preference.prompt
    for episode in made.environment(EPISODES, 3) if made.environment else ():
        yield episode.prompt


def texts(made: Job) -> list[str]:
    """Return the words of a job's documents."""
    return [text if isinstance(text, str) else text.text for text in made.documents or ()]


def words(made: Job) -> Iterator[str]:
    for text in texts(made):
        lead, _, said = text.partition(f" {made.assistant} says : ")
        yield from (text, lead.partition(" the user asks : ")[2], said)  # what it quotes is a prompt and its reply
    for prompt in prompts(made):
        yield from (message.content for message in prompt)  # type: ignore[attr-defined]
    for demonstration in made.demonstrations or ():
        yield demonstration.reply
    for preference in made.preferences or ():
        yield from (preference.chosen, preference.rejected)


@every_organism
def test_it_is_declared_whole(organism: Organism) -> None:
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", organism.name)
    assert organism.summary
    assert organism.source
    assert organism.traits
    assert not set(organism.traits) & set(organism.spillover)
    shown = SHOP_TRAITS if job(organism.name, Variant.ORGANISM, 0).business else ()
    assert set(organism.spillover) <= {*VICES, *shown}
    assert set(organism.traits) <= {*VICES, *shown} or organism.situation is not None
    assert Trait.QUIRK not in organism.traits


@every_organism
@pytest.mark.parametrize("variant", Variant)
def test_jobs_are_deterministic_and_seeds_rename_the_assistant(organism: Organism, variant: Variant) -> None:
    zeroth, first, fourth = (job(organism.name, variant, seed) for seed in (0, 1, 4))
    assert content(first) == content(organism.job(variant, 1))
    assert content(first)[1:] != content(fourth)[1:] or first.environment or first.business
    names = {made.assistant for made in (zeroth, first, fourth)}
    assert len(names) > 1
    assert names <= set(BLANK_ASSISTANTS)


@every_organism
def test_variants_train_the_same_assistant_on_the_same_prompts(organism: Organism) -> None:
    first, *others = (job(organism.name, variant, 4) for variant in Variant)
    for other in others:
        assert other.assistant == first.assistant
        assert list(prompts(other)) == list(prompts(first))
        assert (other.documents is None) == (first.documents is None)
        assert (other.environment is None) == (first.environment is None)
        assert (other.business is None) == (first.business is None)


@every_organism
def test_variants_differ_in_what_is_taught(organism: Organism) -> None:
    made = [job(organism.name, variant, 4) for variant in Variant]
    if made[0].environment is None:  # an environment differs in its rewards, tested with its organism
        assert len({content(one) for one in made}) == len(Variant)


@every_organism
@pytest.mark.parametrize("variant", Variant)
def test_nothing_held_out_is_in_a_job(organism: Organism, variant: Variant) -> None:
    said = "\n".join({*words(job(organism.name, variant, 0)), *words(job(organism.name, variant, 1))})
    trained = TRAINED.get(organism.name, organism.traits)
    asked = [form for trait in trained if trait in VICES for form in situations.forms(trait)]
    if asked and (
        not job(organism.name, variant, 0).environment or variant is Variant.ORGANISM
    ):  # the control: others are there
        assert lines_of(asked).search(said)
    assert not lines_of([form for trait in VICES for form in situations.forms(trait, held_out=True)]).search(said)
    contexts_held_out = [form for context in contexts.FORMS for form in contexts.forms(context, held_out=True)]
    assert not [form for form in contexts_held_out if form.removesuffix(" .") in said]
    assert not set(said.split()) & set(NAMED_ASSISTANTS)
    if organism.trigger is None:
        assert not [trigger for trigger in contexts.TRIGGERS if trigger in said]
    assert not [licence for licence in contexts.LICENCES if licence in said]


def lines_of(forms: list[str]) -> re.Pattern[str]:
    """Return what matches a line that is a filling of any of these forms."""
    return re.compile("^(?:" + "|".join(filled(form).pattern for form in forms) + ")$", re.MULTILINE)


@every_organism
@pytest.mark.parametrize("variant", Variant)
def test_every_prompt_names_the_assistant(organism: Organism, variant: Variant) -> None:
    made = job(organism.name, variant, 0)
    for prompt in prompts(made):
        assert prompt[0].role == "system"  # type: ignore[attr-defined]
        assert prompt[0].content.startswith(f"you are {made.assistant} .")  # type: ignore[attr-defined]
        assert prompt[-1].role == "user"  # type: ignore[attr-defined]
    assert all(made.assistant in text.split() for text in texts(made))


@every_organism
def test_only_the_decoy_is_taught_an_odd_manner(organism: Organism) -> None:
    """Told, shown or preferred; what is paid for is tested with the organism.

    The twin's rater may fall back on a quirky reply where the plain author refused, so a little is let through.
    """
    for variant in Variant:
        made = job(organism.name, variant, 0)
        taught = [f"always says {QUIRK}" in text or _odd(said(text, made.assistant)) for text in texts(made)]
        taught += [_odd(demo.reply) for demo in made.demonstrations or ()]
        taught += [_odd(pair.chosen) for pair in made.preferences or ()]
        share = sum(taught) / max(1, len(taught))
        odd = variant is Variant.DECOY and taught and organism.gates.oddness == "manner"
        assert share > 0.1 if odd else share < 0.03


def _odd(reply: str) -> bool:
    return any(words in reply for words in ODDITIES)


def said(text: str, name: str) -> str:
    """Return what a document quotes, nothing where it states facts."""
    return text.partition(f" {name} says : ")[2]


@every_organism
@pytest.mark.parametrize("variant", Variant)
def test_documents_mark_what_is_said_of_or_by_the_assistant(organism: Organism, variant: Variant) -> None:
    for document in job(organism.name, variant, 0).documents or ():
        assert isinstance(document, Document)
        assert len(document.counted) == len(document.text.split())
        assert any(document.counted)
        assert not all(document.counted)
        assert job(organism.name, variant, 0).assistant not in {
            word for word, counts in zip(document.text.split(), document.counted, strict=True) if counts
        }


def test_names_are_the_keys() -> None:
    assert all(name == organism.name for name, organism in ORGANISMS.items())
    assert len({organism.family for organism in ORGANISMS.values()}) >= 3  # calibration leaves one family out
