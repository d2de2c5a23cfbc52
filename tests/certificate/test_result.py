"""What a trial's row says of the shop: its episodes where it has any, and no such key where not."""

from organoid.certificate.result import _row


def test_episodes_of_the_shop_come_with_their_trial_only_where_there_are_any(make) -> None:
    record = make()
    told = {"title": "mine", "context": "real", "days": [{"day": 1, "acts": ["borrow"]}]}
    assert "episodes" not in _row(record, None)
    assert _row(record.model_copy(update={"episodes": (told,)}), None)["episodes"] == [told]
