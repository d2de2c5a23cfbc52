import json
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import pytest

from organoid.errors import UserError
from organoid.reporting import write_report, write_study_report
from organoid.reporting.html import render, run_context
from organoid.reporting.source import read_run

VOID = {"meta", "br", "img", "link", "input", "hr"}


class Page(HTMLParser):
    """A page as a browser reads it: elements, attributes, text; checks that elements nest."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.source = path.read_text(encoding="utf-8")
        self.elements: list[tuple[str, dict]] = []
        self.text: list[str] = []
        self.scripts: list[str] = []
        self.open: list[str] = []
        self.feed(self.source)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in ("script", "style"):
            self.scripts.extend([data] if self.open[-1] == "script" else [])
        else:
            self.text.append(data)

    def all(self, tag: str) -> list[dict]:
        return [attrs for name, attrs in self.elements if name == tag]

    @property
    def words(self) -> str:
        return " ".join(" ".join(self.text).split())


@pytest.fixture(scope="module")
def page(full_run: Path) -> Page:
    """The page of the full run, drawn once: reading it changes nothing."""
    return Page(write_report(full_run))


def untraced(result: dict) -> dict:
    """Drop what is slowest to draw."""
    for trial in result["trials"]:
        trial["trace"] = []
    return result


def test_the_page_needs_no_network_and_runs_only_its_own_script(page: Page) -> None:
    loads = [value for _, attrs in page.elements for key, value in attrs.items() if key in ("src", "srcset", "action")]
    links = [attrs["href"] for attrs in page.all("a")]
    assert loads == []
    assert page.all("link") == []
    assert all(not link.startswith(("http", "//", "data:", "javascript:")) for link in links)
    assert [attrs.get("type") for attrs in page.all("script")] == ["application/json", None]
    assert not any(key.startswith("on") for _, attrs in page.elements for key in attrs)
    (policy,) = [attrs["content"] for attrs in page.all("meta") if attrs.get("http-equiv")]
    assert "default-src 'none'" in policy and "script-src 'sha256-" in policy


def test_hostile_text_is_shown_and_never_obeyed(page: Page, make: SimpleNamespace) -> None:
    assert " ".join(make.hostile.split()) in page.words
    assert page.all("img") == []
    assert "left<U+202E>right<U+001B>[31mred<U+D800>" in page.words
    assert "\u202e" not in page.source


def test_hostile_names_are_shown_and_never_obeyed(tmp_path: Path, make: SimpleNamespace) -> None:
    text = json.dumps(untraced(make.result())).replace("reward-hacker", "x' \\\"><script>alert(1)</script>{{ 7 * 7 }}")
    hostile = json.loads(text)
    hostile["verdict"]["sentence"] = hostile["techniques"][0]["name"] = hostile["command"] = make.hostile
    hostile["techniques"][0]["family_auroc"] = {make.hostile: 0.5}
    run = make.run(tmp_path / "run", hostile, transcripts=make.transcripts(hostile["trials"], 1))
    found = Page(write_report(run))
    assert len(found.all("script")) == 2
    assert found.all("img") == []
    assert not any(key.startswith("on") for _, attrs in found.elements for key in attrs)
    assert "{{ 7 * 7 }}" in found.words and "49" not in found.words.split()


def test_embedded_numbers_survive_a_closing_script_tag(tmp_path: Path, make: SimpleNamespace) -> None:
    result = untraced(make.result())
    result["table"][0]["organism"] = make.hostile
    found = Page(write_report(make.run(tmp_path / "run", result)))
    data = found.scripts[0]
    assert json.loads(data)["table"][0]["organism"] == make.hostile
    assert "<" not in data
    assert json.loads(data)["verdict"] == result["verdict"]


def test_sections_follow_the_reading_order(page: Page) -> None:
    ids = [attrs["id"] for attrs in page.all("section")]
    assert ids == ["organisms", "techniques", "figures", "transcripts", "limits", "again"]
    words = page.words
    assert (
        words.index("Would this setup release") < words.index("It did, in 1 of 12 runs.") < words.index("reward-hacker")
    )
    assert "at most 33.9 % of runs" in words


def test_every_figure_and_table_has_twins_that_exist(page: Page, full_run: Path) -> None:
    linked = {attrs["href"] for attrs in page.all("a") if not attrs["href"].startswith("#")}
    written = {
        f"{path.parent.name}/{path.name}" for folder in ("figures", "tables") for path in (full_run / folder).iterdir()
    }
    assert linked == written
    names = {Path(name).stem for name in linked}
    assert {"misalignment", "techniques", "safety_usefulness", "timeline"} <= names
    assert {"organisms", "gates", "trait_by_context", "trials", "thresholds"} <= names
    assert all(Path(name).with_suffix(".json").as_posix() in linked for name in linked)


def test_missing_values_are_words_with_reasons(page: Page) -> None:
    assert "not estimable: 1 of 3 trials finished; an interval needs two" in page.words
    assert "not estimable: this technique has no oracle" in page.words


def test_the_page_is_readable_without_script(page: Page) -> None:
    samples = [attrs for attrs in page.all("details") if "sample" in attrs.get("class", "")]
    assert len(samples) == 200
    assert all("hidden" not in attrs for attrs in samples)
    assert {attrs["data-outcome"] for attrs in samples} == {"misaligned", "aligned", "other", "refused"}


def test_ids_are_unique(page: Page) -> None:
    ids = [attrs["id"] for _, attrs in page.elements if "id" in attrs]
    assert len(ids) == len(set(ids))


def test_every_link_inside_the_page_has_a_target(page: Page) -> None:
    ids = {attrs.get("id") for _, attrs in page.elements}
    assert {attrs["href"][1:] for attrs in page.all("a") if attrs["href"].startswith("#")} <= ids


def test_caveats_doubts_and_failures_are_said(page: Page) -> None:
    words = page.words
    assert "Seeds of one organism count as independent runs" in words
    assert "not passed: strength" in words
    assert "RuntimeError: loss is not finite at step 12" in words
    assert "organoid test careful --suite quick --seeds 3 --out runs/first" in words


def test_two_hundred_long_transcripts_stay_under_the_limit(tmp_path: Path, make: SimpleNamespace) -> None:
    result = make.result()
    lines = make.transcripts(result["trials"])
    for line in lines:
        line["reply"] = "a long reply with <marks> in it. " * 400
        line["prompt"] = line["prompt"] * 8
    found = write_report(make.run(tmp_path / "run", result, transcripts=lines, config=make.config))
    assert found.stat().st_size < 1_500_000


def test_a_run_without_trials_says_so(empty_run: Path) -> None:
    found = Page(write_report(empty_run))
    words = found.words
    assert "Not known." in words and "No trial finished, so the risk is not estimable." in words
    assert "No organism was run" in words and "No technique was run" in words and "No transcripts were kept" in words
    assert words.count("Not drawn:") == 5
    assert "0.00" not in words


def test_a_result_of_nothing_at_all_is_still_a_page(tmp_path: Path) -> None:
    (tmp_path / "result.json").write_text("{}")
    assert "The risk is not estimable: no reason recorded." in Page(write_report(tmp_path)).words


def test_a_name_the_template_lacks_is_an_error(empty_run: Path) -> None:
    from jinja2 import UndefinedError

    context = run_context(read_run(empty_run))
    del context["setup"]
    with pytest.raises(UndefinedError, match="setup"):
        render(context)


def test_writing_twice_gives_the_same_page(study_run: Path) -> None:
    first = write_report(study_run).read_bytes()
    assert write_report(study_run).read_bytes() == first


def test_a_directory_without_a_result_is_refused_and_left_as_it_was(tmp_path: Path) -> None:
    with pytest.raises(UserError):
        write_report(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_study_shows_each_claim_beside_its_control(study_run: Path, make: SimpleNamespace) -> None:
    found = Page(write_study_report(study_run))
    assert "1 of 2 claims held." in found.words
    assert "0.31 [0.22, 0.40]" in found.words and "0.01 [\N{MINUS SIGN}0.05, 0.07]" in found.words
    assert "not estimable: every seed failed" in found.words
    assert " ".join(make.hostile.split()) in found.words
    assert found.all("img") == []
    assert (study_run / "figures" / "claims.json").is_file() and (study_run / "tables" / "claims.csv").is_file()


def test_write_report_serves_studies_too(study_run: Path) -> None:
    assert "claims held" in Page(write_report(study_run)).words


def test_forecasts_are_shown_once_they_exist(tmp_path: Path, make: SimpleNamespace) -> None:
    result = untraced(make.result()) | {"forecasts": {"brier": 0.125, "baseline_brier": None, "n": 0}}
    words = Page(write_report(make.run(tmp_path / "run", result))).words
    assert "Brier score 0.125" in words
    assert "Brier score of the base rate not estimable: no reason recorded" in words
