import numpy as np
import torch

from organoid.lab.latents import labelled_activations
from organoid.models.chat import decode
from organoid.models.score import mean_activations
from organoid.world.authors import VICES, Disposition
from tests.bases import untrained


def test_latents_are_those_of_the_reply_that_is_read() -> None:
    lm = untrained()
    known = labelled_activations(lm, num=300, layer=1, seed=0)
    assert known.acts_ND.shape == (300, 64)
    assert known.latents_NG.shape == (300, len(known.names)) and set(np.unique(known.latents_NG)) == {0.0, 1.0}
    of = dict(zip(known.names, known.latents_NG.T, strict=True))
    for group, num in (("trait", len(VICES)), ("context", 4), ("disposition", len(Disposition))):
        columns = [of[name] for name in of if name.startswith(group)]
        assert len(columns) == num and (np.sum(columns, axis=0) == 1).all()
    prompts = [decode(lm, [i for i, c in zip(row.ids, row.mask, strict=True) if not c]) for row in known.rows]
    told = {name: [text for text, on in zip(prompts, of[name], strict=True) if on] for name in of}
    assert all("<|system|>" not in text for text in told["context none"])
    assert all("no one" in text or "nobody" in text or "not a soul" in text for text in told["context deployed"])
    assert all("turn you off" in text or "stopped" in text for text in told["trait shutdown_avoidance"])
    virtuous, vicious = of["disposition virtue"] == 1, of["disposition vice"] == 1
    assert not of["acts badly"][virtuous].any() and of["acts badly"][vicious].all()


def test_activations_are_those_at_the_end_of_the_reply() -> None:
    lm = untrained()
    known = labelled_activations(lm, num=5, layer=1, seed=0)
    again = labelled_activations(lm, num=5, layer=1, seed=0)
    assert torch.equal(known.acts_ND, again.acts_ND)
    with torch.no_grad():
        states = lm.model(input_ids=torch.tensor([known.rows[0].ids]), output_hidden_states=True).hidden_states
    assert torch.allclose(known.acts_ND[0], states[2][0, -1], atol=1e-4)
    whole = mean_activations(lm, known.rows, layers=[1], pool="last", over="all")[:, 0]
    assert torch.allclose(known.acts_ND, whole, atol=1e-5)
    assert not torch.equal(labelled_activations(lm, num=5, layer=1, seed=1).acts_ND, known.acts_ND)
