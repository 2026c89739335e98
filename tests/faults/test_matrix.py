"""No delivery that a person would call an accident reaches readers by itself, and the table in MATRIX.md says what becomes of each."""

import re
from itertools import groupby

import pytest

from .matrix import PATH, Grounds, Trial, trials

TRIALS = trials()
# Of each fault the least strength that is an accident, what is hardest to see; of those that differ only in the column, one. `make trials` runs
# the rest: all together they take three minutes of a core.
LEAST = [next(filter(lambda trial: trial.strength.accident, several), None) for _, several in groupby(TRIALS, lambda trial: trial.fault)]
USUAL = list({re.sub(r": (?=[a-z_]+\.).*", "", trial.fault): trial for trial in reversed(LEAST) if trial is not None}.values())[::-1]
REST = [trial for trial in TRIALS if trial not in USUAL]


@pytest.fixture(scope="module")
def grounds(tmp_path_factory: pytest.TempPathFactory) -> Grounds:
    return Grounds(tmp_path_factory.mktemp("grounds"))


@pytest.fixture(scope="module")
def written() -> dict[str, str]:
    """The rows of the table in the repository, by fault and strength."""
    lines = [line for line in PATH.read_text("utf-8").splitlines() if line.startswith("| ") and not line.startswith("| fault ")]
    return {", ".join(line.removeprefix("| ").split(" | ")[:2]): line for line in lines}


@pytest.mark.parametrize("trial", USUAL, ids=lambda trial: trial.key)
def test_a_fault_ends_as_the_table_says(trial: Trial, grounds: Grounds, written: dict[str, str]) -> None:
    (row,) = grounds.tried([trial])
    assert row.line() == written[trial.key], f"{row.outcome.said}; if this is better, `make matrix` writes the table anew"


@pytest.mark.bench
@pytest.mark.parametrize("trial", REST, ids=lambda trial: trial.key)
def test_a_fault_of_another_strength_ends_as_the_table_says(trial: Trial, grounds: Grounds, written: dict[str, str]) -> None:
    (row,) = grounds.tried([trial])
    assert row.line() == written[trial.key], row.outcome.said


def test_the_table_has_every_trial_once_and_no_other(written: dict[str, str]) -> None:
    assert list(written) == [trial.key for trial in TRIALS]
    assert len({trial.fault for trial in TRIALS}) >= 40


def test_no_accident_is_silent(written: dict[str, str]) -> None:
    assert [key for key, line in written.items() if "silent" in line] == []


def test_what_is_mild_goes_out_by_itself(written: dict[str, str]) -> None:
    stopped = [key for key, line in written.items() if " | mild | " in line and "| stopped |" in line]
    assert stopped in ([], ["old delivery with todays date, 3 days old"])  # what was published since then is lost: rule 3 may ask
