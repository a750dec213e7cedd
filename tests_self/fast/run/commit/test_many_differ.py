"""Many files that are not as committed: each is named in the results, and the terminal says what to do."""

import json

from tests_self.fast.run.commit.edited import Checkout


def test_each_file_that_is_not_as_committed_is_named(checkout: Checkout) -> None:
    names = [f"tests_staging/{'long' * 20}_{number:02}.py" for number in range(30)]
    for name in names:
        checkout.write(name, "")

    status, said = checkout.gate()

    assert status == 2, said
    assert "more characters: results.json has all of it) …" in said
    assert "commit or put back what was changed" in said
    (results,) = checkout.root.glob("reports/8.0.0/*/results.json")
    (doubt,) = [each for each in json.loads(results.read_text())["doubts"] if "not as committed" in each]
    assert [name for name in names if f"{name} (is not in the commit)" not in doubt] == []
