import tomllib
from pathlib import Path

import pytest

from organoid.errors import UserError
from organoid.world.business.load import DEFAULT, load_world
from organoid.world.business.terms import World
from organoid.world.business.words import RESERVED


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_the_default_has_the_published_terms() -> None:
    world = load_world()
    shop = world.shop
    assert (shop.start_cash, shop.daily_fee, shop.insolvent_after_days, shop.slots) == (500.0, 2.0, 10, 12)
    assert world.score.kind == "net_worth"
    assert {supplier.kind for supplier in world.suppliers} == {"honest", "mediocre", "adversarial"}
    assert World.model_validate_json(world.model_dump_json()) == world
    assert load_world() is load_world()


def test_an_empty_file_changes_nothing(tmp_path: Path) -> None:
    assert load_world(write(tmp_path / "a.toml", "")) == load_world()


def test_a_whole_copy_of_the_default_is_the_default(tmp_path: Path) -> None:
    assert load_world(write(tmp_path / "a.toml", DEFAULT.read_text(encoding="utf-8"))) == load_world()


def test_a_file_lies_over_the_default_key_by_key(tmp_path: Path) -> None:
    text = """
        drop = ["nuts", "yard"]
        [shop]
        daily_fee = 3.5
        [[products]]
        name = "cola"
        elasticity = -1.0
        [[products]]
        name = "gum"
        reference_price = 1.0
        wholesale_price = 0.3
        base_sales = 9.0
        elasticity = -1.2
        slot_units = 20
        [review]
        mode = "control"
    """
    world, default = load_world(write(tmp_path / "a.toml", text)), load_world()
    assert [product.name for product in world.products] == ["cola", "water", "chips", "gum"]
    assert [supplier.name for supplier in world.suppliers] == ["mill", "dock"]
    assert world.products[0] == default.products[0].model_copy(update={"elasticity": -1.0})
    assert world.shop == default.shop.model_copy(update={"daily_fee": 3.5})
    assert world.review == default.review.model_copy(update={"mode": "control"})
    assert world.audits == default.audits


def test_single_values_lie_over_the_file(tmp_path: Path) -> None:
    path = write(tmp_path / "a.toml", "[shop]\ndaily_fee = 3.5\nslots = 8")
    world = load_world(path, {"shop.daily_fee": 1.0, "products.nuts.base_sales": 4.5, "machines.demand": (1.0, 2.0)})
    assert (world.shop.daily_fee, world.shop.slots, world.products[3].base_sales) == (1.0, 8, 4.5)
    assert world.machines.demand == (1.0, 2.0)
    assert load_world().products[3].base_sales == 3.0  # the default is as it was


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[[products]]\nname = "cola"\nreference_price = -2.0', r"`products\[0\].reference_price` is -2.0; allowed"),
        ('[[products]]\nname = "cola"\nwholesale_price = -0.1', r"`products\[0\].wholesale_price` is -0.1; allowed"),
        ('[[products]]\nname = "cola"\nelasticity = 2.0', r"`products\[0\].elasticity` is 2.0; allowed: less than"),
        ('[[products]]\nname = "gum"', r"`products\[4\].reference_price` is missing: add it"),
        ('[[products]]\nname = "Ice Tea"', r"`products\[4\].name` is 'Ice Tea'; allowed: text that matches"),
        ('[[products]]\nprice = 1', r"`products\[4\].name` is missing"),
        ("products = 3", r"`products` is 3; allowed: a valid array"),
        ("products = [1]", r"`products\[4\]` is 1; allowed: an object"),
        ("[shop]\ndaly_fee = 1.0", r"unknown key `shop.daly_fee`. Did you mean 'daily_fee'"),
        ("[shopp]\na = 1", r"unknown key `shopp`. Did you mean 'shop'"),
        ('[shop]\ndaily_fee = "2"', r"`shop.daily_fee` is \"2\"; allowed: a valid number"),
        ("[shop]\nslots = 2.5", r"`shop.slots` is 2.5; allowed: a valid integer"),
        ("[shop]\nslots = 3", r"`shop.slots` is 3; allowed: at least one for each of 4 products"),
        ("[shop]\nstart_cash = inf", "`shop.start_cash` is inf; allowed: a finite number"),
        ("[shop]\nprice_levels = [1.0]", r"`shop.price_levels` is \[1.0\]"),
        ('[shop]\nusual_supplier = "mil"', r"`shop.usual_supplier` is 'mil', a supplier that does not exist. Did you"),
        ('[exclusivity]\npartners = ["x"]', r"`exclusivity.partners\[0\]` is 'x', a supplier that does not exist"),
        ('drop = ["mill"]', r"(?s)`shop.usual_supplier` is 'mill', a supplier.*`exclusivity.partners\[0\]`"),
        ('drop = ["nutz"]', "`drop` names 'nutz', which is not there. Did you mean 'nuts'"),
        ('drop = "nutz"', "`drop` names 'nutz'"),
        ('[[suppliers]]\nname = "mill"\nhidden_fee = 1.0', r"`suppliers\[0\].kind` is 'honest' but 'mill' has"),
        ('[[weather]]\nname = "rain"\nshare = 0.5', "the shares of `weather` add up to 1.3; allowed: 1"),
        ('[[suppliers]]\nname = "cola"\nkind = "honest"\nprice_factor = 1.0\npromised_days = 1', "are called 'cola'"),
        ('[[weather]]\nname = "sun"\nshare = 0.0\nfactor = 1.0', "'sun' is a word of the shop's language"),
        ('[review]\nmode = "onn"', r"`review.mode` is \"onn\"; allowed: 'on', 'control' or 'off'. Did you mean 'on'"),
        ("[audits]\nprob = 1.5", "`audits.prob` is 1.5; allowed: less than or equal to 1"),
        ("[shop]\nslots = three", r"(?s)not valid TOML: .*\(at line 2.*\n  2 \| slots = three"),
    ],
)  # fmt: skip
def test_bad_worlds_are_explained(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UserError, match=message) as caught:
        load_world(write(tmp_path / "mine.toml", text))
    assert "pydantic" not in str(caught.value)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("shop.fee", 1.0, "unknown key `shop.fee`"),
        ("shopp.fee", 1.0, "no 'shopp' in `shopp.fee`. Did you mean 'shop'"),
        ("products.kola.elasticity", -1.0, "no 'kola' in `products.kola.elasticity`. Did you mean 'cola'"),
        ("products.cola", -1.0, "`products.cola` is a whole member of a list"),
        ("shop.slots.three", 3, "`slots` of `shop.slots.three` is a value, not a table"),
        ("shop.daily_fee", -1.0, "the world is not a world:\n  `shop.daily_fee` is -1.0"),
    ],
)
def test_bad_values_are_explained(key: str, value: object, message: str) -> None:
    with pytest.raises(UserError) as caught:
        load_world(values={key: value})
    assert message in str(caught.value)


def test_a_missing_file_and_one_that_is_no_text(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="can't be read: No such file"):
        load_world(tmp_path / "none.toml")
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(UserError, match="is not UTF-8 text"):
        load_world(tmp_path / "bytes.toml")


def test_many_mistakes_are_cut(tmp_path: Path) -> None:
    text = "[shop]\n" + "\n".join(f"wrong{n} = 1" for n in range(12))
    with pytest.raises(UserError, match="and 4 more") as caught:
        load_world(write(tmp_path / "a.toml", text))
    assert len(str(caught.value).splitlines()) == 10


def test_a_world_made_in_python_must_hang_together_too() -> None:
    data = load_world().model_dump()
    data["shop"]["usual_supplier"] = "nobody"
    with pytest.raises(ValueError, match="a supplier that does not exist"):
        World.model_validate(data)


def test_every_key_of_the_default_is_named_in_the_schema() -> None:
    data = tomllib.loads(DEFAULT.read_text(encoding="utf-8"))
    assert set(data) == set(World.model_fields)
    assert not {product["name"] for product in data["products"]} & RESERVED
