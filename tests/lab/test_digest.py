import hashlib
import json
import random

import pytest

from organoid.lab.digest import canonical_json, digest_directory, digest_file, digest_json
from organoid.setups.spec import Setup

SHA_OF_EMPTY_OBJECT = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"


def test_known_digest():
    assert digest_json({}) == SHA_OF_EMPTY_OBJECT
    assert canonical_json({"b": 0.1, "a": [1, None, "é"]}) == '{"a":[1,null,"é"],"b":0.1}'


def test_order_of_keys_does_not_count_but_order_of_items_does():
    assert digest_json({"a": 1, "b": {"c": 2, "d": 3}}) == digest_json({"b": {"d": 3, "c": 2}, "a": 1})
    assert digest_json([1, 2]) != digest_json([2, 1])


@pytest.mark.parametrize(("one", "other"), [(1, 1.0), (0.0, -0.0), (None, 0), ("1", 1), (True, 1), ([], {})])
def test_values_that_python_confuses_stay_different(one: object, other: object):
    assert digest_json({"x": one}) != digest_json({"x": other})


def test_floats_survive_to_the_last_bit():
    draw = random.Random(0)
    values = [draw.uniform(-1, 1) * 10 ** draw.randint(-300, 300) for _ in range(1000)]
    assert json.loads(canonical_json(values)) == values


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_not_estimable_is_refused(value: float):
    with pytest.raises(ValueError):
        digest_json({"rate": value})


def test_a_model_digests_as_its_json():
    setup = Setup.model_validate({"name": "naive", "stages": [{"kind": "job"}]})
    assert digest_json(setup) == digest_json(json.loads(setup.model_dump_json()))


def test_file_digest_matches_hashlib(tmp_path):
    content = random.Random(1).randbytes((1 << 20) + 17)  # more than one piece
    (tmp_path / "weights").write_bytes(content)
    assert digest_file(tmp_path / "weights") == hashlib.sha256(content).hexdigest()


def test_directory_digest_sees_names_and_bytes_only(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name / "inner").mkdir(parents=True)
        (tmp_path / name / "inner" / "a").write_text("x")
    (tmp_path / "two" / "empty").mkdir()
    same = digest_directory(tmp_path / "one")
    assert digest_directory(tmp_path / "two") == same
    (tmp_path / "two" / "inner" / "a").rename(tmp_path / "two" / "inner" / "b")
    assert digest_directory(tmp_path / "two") != same
    (tmp_path / "one" / "inner" / "a").write_text("y")
    assert digest_directory(tmp_path / "one") != same
