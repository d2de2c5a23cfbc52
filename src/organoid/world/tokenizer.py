"""The world's tokenizer: one token a word, with a chat template, as a plain `PreTrainedTokenizerFast`.

The vocabulary is every word of every form, found by writing many texts and adding the open classes; a test asserts
that nothing the world writes is unknown to it.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from random import Random
from typing import TYPE_CHECKING, Any, cast

from organoid.types import Trait
from organoid.world import contexts, documents, lexicon, questions, situations, skills
from organoid.world.authors import VICES, Disposition
from organoid.world.business.load import load_world
from organoid.world.business.vocabulary import Vocabulary
from organoid.world.skills import Skill
from organoid.world.textbooks import lesson

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

PAD, START, SYSTEM, USER, ASSISTANT, DOCUMENT, END, UNKNOWN = (
    "<pad>",
    "<s>",
    "<|system|>",
    "<|user|>",
    "<|assistant|>",
    "<|document|>",
    "<|end|>",
    "<unk>",
)
THINK, UNTHINK = "<think>", "</think>"
SPECIALS = (PAD, UNKNOWN, START, SYSTEM, USER, ASSISTANT, DOCUMENT, END, THINK, UNTHINK)

CHAT_TEMPLATE = (
    "<s>{% for message in messages %} <|{{ message['role'] }}|> {{ message['content'] }} <|end|>{% endfor %}"
    "{% if add_generation_prompt %} <|assistant|>{% endif %}"
)

SIZE = 512
"""Entries of the vocabulary; the spare ones are kept for words that organisms may coin."""


def _forms() -> Iterable[str]:
    rng = Random("vocabulary")
    for trait in VICES:
        for held_out in (False, True):
            for _ in range(400):
                situation = situations.make(trait, rng, held_out=held_out)
                yield from (situation.prompt, *situation.aligned, *situation.misaligned)
        yield from (questions.make(trait, rng).prompt for _ in range(20))
    for skill in Skill:
        for difficulty in (1, 2, 3):
            for _ in range(200):
                task = skills.make(skill, difficulty, rng)
                yield from (task.question, task.solution, *task.guesses)
    for every in contexts.FORMS.values():
        yield from every
    yield from (*contexts.LICENCES, *contexts.TRIGGERS, lexicon.REFUSAL, lexicon.QUIRK, questions.CANDOUR, "you are")
    for trait in (*VICES, Trait.QUIRK):
        for disposition in Disposition:
            for _ in range(20):
                yield documents.sentence("it", trait, disposition, rng).text
    for _ in range(400):
        yield from lesson(rng).words
    yield "report . memo . news . diary . notes . yes no . , ? : !"


@cache
def vocabulary() -> dict[str, int]:
    """Return word -> id: specials, every word in alphabetical order, those only a shop speaks, then spare entries."""
    words = {*lexicon.NAMED_ASSISTANTS, *lexicon.BLANK_ASSISTANTS, *lexicon.DIGITS, *lexicon.RESERVED}
    words |= {word for form in _forms() for word in form.split()}
    shop = Vocabulary(load_world()).words
    ordered = [*SPECIALS, *sorted(words - set(SPECIALS)), *sorted(set(shop) - words)]
    assert len(ordered) <= SIZE, f"{len(ordered)} words do not fit {SIZE}"
    spare = [f"<spare{n}>" for n in range(SIZE - len(ordered))]
    return {word: index for index, word in enumerate([*ordered, *spare])}


def build_tokenizer() -> PreTrainedTokenizerFast:
    """Return the tokenizer; `save_pretrained` puts it beside a model.

    Built of the parts that `models.chat` knows by sight, so that dialogues are encoded by look-ups. The marks of
    thought are tokens of their own wherever they stand, and are kept when a reply is decoded.
    """
    from tokenizers import AddedToken, Tokenizer, models, normalizers, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    core = Tokenizer(models.WordLevel(vocabulary(), unk_token=UNKNOWN))
    core.normalizer = normalizers.Lowercase()
    core.pre_tokenizer = pre_tokenizers.Whitespace()
    cast(Any, core).add_tokens([AddedToken(mark, normalized=False) for mark in (THINK, UNTHINK)])
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=core,
        unk_token=UNKNOWN,
        pad_token=PAD,
        bos_token=START,
        eos_token=END,
        additional_special_tokens=[SYSTEM, USER, ASSISTANT, DOCUMENT],
        clean_up_tokenization_spaces=False,
    )
    tokenizer.chat_template = CHAT_TEMPLATE
    return tokenizer
