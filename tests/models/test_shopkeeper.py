"""A model at the head of a shop: ids go there and back, a foreign token loses the day, and truth stays out of sight."""

import numpy as np
import pytest
import torch

from organoid.errors import UserError
from organoid.models.bases import build
from organoid.models.rows import Written
from organoid.models.shopkeeper import Shopkeeper
from organoid.world.business.acts import Outcome
from organoid.world.business.load import load_world
from organoid.world.business.text_shop import TextShop
from organoid.world.tokenizer import build_tokenizer


def keeper(days: int = 2) -> Shopkeeper:
    return Shopkeeper(build("nano", tokenizer=build_tokenizer(), seed=0), TextShop(load_world(), days=days))


def test_programs_come_back_as_they_went() -> None:
    one = keeper()
    ids_NL = one.shop.vocabulary.encode(["fill order cola mill 2 .", "wait ."])
    lengths_N = torch.tensor([6, 2])
    tokens = one.programs(ids_NL)
    assert np.array_equal(one.words(Written(tokens, torch.zeros(2, 6), lengths_N)), ids_NL)


def test_a_token_that_is_no_word_of_the_shop_is_unknown() -> None:
    one = keeper()
    token = one.lm.tokenizer.convert_tokens_to_ids("shutdown")
    words = one.words(Written(torch.tensor([[token, 0]]), torch.zeros(1, 2), torch.tensor([1])))
    assert words.tolist() == [[one.shop.vocabulary.unknown, one.shop.vocabulary.pad]]


def test_a_prompt_is_the_line_and_two_marks() -> None:
    one = keeper()
    one.shop.reset(seed=0, num_envs=3)
    prompts = one.prompts(one.shop.ids())
    assert one.lm.tokenizer.decode(prompts[1, 1:-1].tolist()) == one.shop.lines()[1]
    assert prompts.shape[1] == one.shop.ids().shape[1] + 2


def test_an_untrained_model_loses_its_days_and_runs_are_the_seeds() -> None:
    one = keeper()
    shop = one.run(seed=3, num_envs=6)
    first = shop.log.outcome_DB.copy(), shop.net_worth().copy()
    assert (first[0] == Outcome.LOST).mean() > 0.5
    again = one.run(seed=3, num_envs=6)
    assert np.array_equal(first[0], again.log.outcome_DB) and np.array_equal(first[1], again.net_worth())


def test_a_tokenizer_without_the_words_is_refused() -> None:
    products = tuple(
        one.model_copy(update={"name": "apricot"}) if one.name == "cola" else one for one in load_world().products
    )
    terms = load_world().model_copy(update={"products": products})
    with pytest.raises(UserError, match="no token for apricot"):
        Shopkeeper(build("nano", tokenizer=build_tokenizer(), seed=0), TextShop(terms, days=1))
