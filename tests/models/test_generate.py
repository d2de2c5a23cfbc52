from collections import Counter

import numpy as np
import pytest
import torch

from organoid.errors import UserError
from organoid.models import decoders, generate
from organoid.models.chat import Encoded, encode_prompt, encode_text
from organoid.models.decoders import CachedForward, LlamaDecoder
from organoid.models.generate import Sample, reply_texts, sample
from organoid.models.language_model import LanguageModel, copy
from organoid.models.score import reply_logprobs
from organoid.types import Message

PROMPTS = [[1, 3, 12, 13], [1, 3, 15, 16, 17, 18, 19], [1, 3, 20], [1, 3, 12, 13]]


def written(lm: LanguageModel, prompts=PROMPTS, **settings) -> list[list[Sample]]:
    return sample(lm, prompts, **{"num_samples": 3, "max_new_tokens": 6, "seed": 0, **settings})


def ids(groups: list[list[Sample]]) -> list[list[list[int]]]:
    return [[said.ids for said in group] for group in groups]


def next_logits(lm: LanguageModel, rows: list[list[int]]) -> torch.Tensor:
    """Row by row, with no cache and no padding."""
    with torch.no_grad():
        return torch.cat([lm.model(input_ids=torch.tensor([row])).logits[:, -1] for row in rows])


@pytest.mark.parametrize("prompts", [PROMPTS, [[1, 3, 12], [1, 3, 13]]])
def test_decoders_give_the_model_s_own_logits(foreign: LanguageModel, prompts: list[list[int]]) -> None:
    kinds = [CachedForward(foreign)]
    if "llama" in foreign.name:
        kinds.append(LlamaDecoder(foreign.model, max_new_tokens=4))
    for decoder in kinds:
        rows = [list(prompt) for prompt in prompts for _ in range(2)]
        with torch.inference_mode():
            logits = decoder.read(prompts, 2)
            for step in range(4):
                assert torch.allclose(logits, next_logits(foreign, rows), atol=1e-4), (type(decoder), step)
                if step == 1:
                    kept = [0, 3]
                    decoder.keep(torch.tensor(kept))
                    rows = [rows[row] for row in kept]
                tokens = [(7 * step + row) % 50 for row in range(len(rows))]
                rows = [[*row, token] for row, token in zip(rows, tokens, strict=True)]
                logits = decoder.write(torch.tensor(tokens))


def test_logprobs_are_those_of_scoring(foreign: LanguageModel, native: LanguageModel) -> None:
    for lm in (foreign, native):
        for prompt, group in zip(PROMPTS, written(lm), strict=True):
            rows = [Encoded([*prompt, *said.ids], [False] * len(prompt) + [True] * len(said.ids)) for said in group]
            for said, tokens in zip(group, reply_logprobs(lm, rows).tokens, strict=True):
                assert np.allclose(said.logprobs, tokens, atol=1e-4)


def test_the_seed_decides(native: LanguageModel) -> None:
    assert ids(written(native)) == ids(written(native)) != ids(written(native, seed=1))


def test_other_prompts_change_nothing(native: LanguageModel) -> None:
    together = ids(written(native))
    assert ids(written(native, PROMPTS[1:2])) == together[1:2]
    assert ids(written(native, [*PROMPTS[:3], [1, 3, 25, 26, 27, 28, 11, 12]]))[:3] == together[:3]


def test_a_prompt_given_twice_is_answered_differently(native: LanguageModel) -> None:
    groups = ids(written(native))
    assert groups[0] != groups[3]
    assert len({tuple(said) for group in (groups[0], groups[3]) for said in group}) == 6


def test_both_paths_write_the_same(native: LanguageModel, monkeypatch: pytest.MonkeyPatch) -> None:
    lean = ids(written(native))
    monkeypatch.setattr(decoders, "lean", lambda model: False)
    assert ids(written(native)) == lean


def test_rows_that_end_leave_and_the_others_do_not_notice(
    native: LanguageModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    with torch.no_grad():  # some end soon, some late
        native.model.model.embed_tokens.weight[native.chat.end_id] += 0.05
    groups = written(native, num_samples=40, max_new_tokens=12)
    said = [reply for group in groups for reply in group]
    assert {reply.finished for reply in said} == {True, False}
    for reply in said:
        assert reply.finished == (reply.ids[-1] == native.chat.end_id)
        assert native.chat.end_id not in reply.ids[:-1]
        assert reply.finished or len(reply.ids) == 12
        assert len(reply.logprobs) == len(reply.ids)
        assert "<|end|>" not in reply.text
        assert len(reply.text.split()) == len(reply.ids) - reply.finished
    monkeypatch.setattr(generate, "_DROP_AT", 0.0)  # never drop
    assert ids(written(native, num_samples=40, max_new_tokens=12)) == ids(groups)
    monkeypatch.setattr(generate, "_DROP_AT", 1.0)  # drop at once
    monkeypatch.setattr(generate, "MAX_ROWS", 50)  # in several goes
    assert ids(written(native, num_samples=40, max_new_tokens=12)) == ids(groups)


@pytest.mark.parametrize("temperature", [1.0, 0.5])
def test_frequencies_are_the_model_s_probabilities(native: LanguageModel, temperature: float) -> None:
    with torch.no_grad():
        for weight in native.model.parameters():
            weight.mul_(2)
    count = 4000
    (group,) = sample(native, PROMPTS[:1], num_samples=count, max_new_tokens=1, temperature=temperature, seed=5)
    expected = (next_logits(native, PROMPTS[:1])[0] / temperature).softmax(-1)
    seen = Counter(said.ids[0] for said in group)
    worst = max(
        abs(seen[token] / count - float(share)) / float((share * (1 - share) / count).sqrt() + 1e-4)
        for token, share in enumerate(expected)
    )
    assert worst < 4.5
    chosen = group[0]
    assert chosen.logprobs[0] == pytest.approx(float(expected[chosen.ids[0]].log()), abs=1e-4)


def test_uniform_numbers_are_uniform_and_strangers_to_each_other() -> None:
    keys = np.arange(20_000, dtype=np.uint64)  # neighbours, as the samples of one prompt are
    drawn = np.stack([generate._uniforms(keys, step) for step in range(4)])
    assert (drawn >= 0).all() and (drawn < 1).all()
    counts = np.stack([np.histogram(row, bins=20, range=(0, 1))[0] for row in drawn])
    assert (((counts - 1000) ** 2 / 1000).sum(1) < 50).all()  # chi-square, 19 degrees of freedom
    together = np.corrcoef(np.vstack([drawn, np.roll(drawn, 1, axis=1)])) - np.eye(8)
    assert np.abs(together).max() < 0.03


def test_temperature_zero_takes_the_likeliest(native: LanguageModel) -> None:
    group = written(native, temperature=0.0)[1]
    assert len({tuple(said.ids) for said in group}) == 1
    row = list(PROMPTS[1])
    for token in group[0].ids:
        assert token == int(next_logits(native, [row])[0].argmax())
        row.append(token)


def test_a_sure_model_never_says_the_impossible(native: LanguageModel) -> None:
    sure = copy(native)
    with torch.no_grad():
        sure.model.model.embed_tokens.weight.zero_()
        sure.model.model.embed_tokens.weight[14] = 50.0
        sure.model.model.norm.weight.fill_(50.0)
        for said in written(sure, [[14, 14]], num_samples=50)[0]:
            assert said.ids == [14] * 6


def test_sampling_leaves_the_mode_as_it_was(native: LanguageModel) -> None:
    native.model.train()
    written(native)
    assert native.model.training


@pytest.mark.parametrize("bad", [{"prompts": [[]]}, {"num_samples": 0}, {"max_new_tokens": 0}, {"temperature": -1.0}])
def test_what_cannot_be_sampled_is_refused(native: LanguageModel, bad: dict) -> None:
    with pytest.raises(UserError, match="cannot sample"):
        written(native, **bad)


DIALOGUES = [(Message("user", f"what is {number} ?"),) for number in ("two", "three")]


def test_openings_stand_in_the_prompt_and_not_in_the_reply(
    native: LanguageModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    monkeypatch.setattr(
        generate, "sample", lambda lm, prompts, **rest: seen.extend(prompts) or sample(lm, prompts, **rest)
    )
    replies = reply_texts(native, DIALOGUES, openings=["yes .", ""], max_new_tokens=4, seed=0)
    bare = [encode_prompt(native, dialogue) for dialogue in DIALOGUES]
    assert seen == [[*bare[0], *encode_text(native, "yes .")], bare[1]]
    assert all(len(said.split()) <= 4 for said in replies)


def test_without_openings_replies_are_as_they_were(native: LanguageModel) -> None:
    plain = reply_texts(native, DIALOGUES, max_new_tokens=4, seed=0)
    assert reply_texts(native, DIALOGUES, openings=["", ""], max_new_tokens=4, seed=0) == plain
    opened = reply_texts(native, DIALOGUES, openings=["", "yes ."], max_new_tokens=4, seed=0)
    assert opened[0] == plain[0]


def test_one_opening_for_two_dialogues_is_a_mistake(native: LanguageModel) -> None:
    with pytest.raises(ValueError, match="zip"):
        reply_texts(native, DIALOGUES, openings=["yes ."], seed=0)


def test_no_prompts_no_replies(native: LanguageModel) -> None:
    assert written(native, []) == []


def test_the_head_is_asked_at_the_last_position_only(foreign: LanguageModel, monkeypatch: pytest.MonkeyPatch) -> None:
    widths = []
    head = foreign.model.get_output_embeddings()
    handle = head.register_forward_pre_hook(lambda _, inputs: widths.append(inputs[0].shape[1]))
    try:
        written(foreign)
    finally:
        handle.remove()
    assert set(widths) == {1}
