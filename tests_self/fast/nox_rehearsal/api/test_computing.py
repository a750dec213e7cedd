"""Science and its jobs, as the reference API computes them."""

import os
from pathlib import Path
from typing import Any

import pytest
from tests_self.fast.nox_rehearsal.api.serving import (
    SECRET_KEY,
    XTB,
    Api,
    Servers,
    finished,
    serving,
    working,
)

from nox_rehearsal.api.login.auth import mint
from noxgate.look.waiting import eventually

pytestmark = pytest.mark.usefixtures("quick_start")


def test_two_sciences_answer_at_once(api: Api) -> None:
    boiling = api.post("/empirical/v1", json={"smiles": "OCC", "property": "boiling_point"})
    detonation = api.post("/predict/cj/v1", json={"composition": "C3H6N6O6", "density": 1.80})

    expected = {"smiles": "CCO", "property": "boiling_point", "value": 337.54, "unit": "K"}
    assert (boiling.status_code, boiling.json()) == (200, expected | {"method": "Joback"})
    assert detonation.status_code == 200
    assert detonation.json()["velocity"] == pytest.approx(8.8, abs=0.1)
    assert detonation.json()["pressure"] == pytest.approx(34.5, abs=0.5)


DEEP = b"[" * 100_000 + b"]" * 100_000


@pytest.mark.parametrize("path", ["/empirical/v1", "/predict/cj/v1", "/xtb/v1", "/psi4/v1"])
@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"[]", 400),
        (b"null", 400),
        (b"\xff\xfe", 400),
        (DEEP, 400),
        (b'{"a":' * 50_000 + b"1" + b"}" * 50_000, 400),
        (b'{"density": NaN, "composition": "C3H6N6O6"}', 400),
        (b'{"density": Infinity}', 400),
        (b"9" * 5000, 400),
        (b"{}", 422),
        (b'{"smiles": 7, "composition": [], "molecule": null, "geometry": {}}', 422),
        (b" " * 1_000_001, 413),
    ],
)
def test_odd_bodies_are_refused(api: Api, path: str, body: bytes, status: int) -> None:
    answer = api.post(path, content=body)

    assert (answer.status_code, list(answer.json())) == (status, ["error"])


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/empirical/v1", '{"smiles": "CCO", "property": "melting_point"}'),
        ("/empirical/v1", '{"smiles": "C", "property": "boiling_point"}'),
        ("/empirical/v1", r'{"smiles": "C\u0000C", "property": "boiling_point"}'),
        ("/empirical/v1", r'{"smiles": "\ud800", "property": "boiling_point"}'),
        ("/predict/cj/v1", '{"composition": "C3H6N6O6", "density": -1.8}'),
        ("/predict/cj/v1", '{"composition": "C3H6N6O6", "density": 1e999}'),
        ("/predict/cj/v1", f'{{"composition": "C3H6N6O6", "density": 1{"0" * 400}}}'),
        ("/predict/cj/v1", '{"composition": "C3H6N6O6", "density": true}'),
        ("/predict/cj/v1", '{"composition": "C3H6N6O6", "density": "1.8"}'),
        ("/predict/cj/v1", '{"composition": "C2H4N4O4", "density": 1.8}'),
        ("/xtb/v1", '{"molecule": "O", "method": "GFN9-xTB"}'),
        ("/xtb/v1", '{"molecule": "O", "method": "GFN2-xTB", "properties": [["energy"]]}'),
        ("/xtb/v1", '{"molecule": "O", "method": "GFN2-xTB", "properties": []}'),
        ("/psi4/v1", '{"geometry": "H2O", "method": "HF", "basis": "cc-pV9Z"}'),
        ("/psi4/v1", r'{"geometry": "He 0 0 0\nimport os\n", "method": "HF", "basis": "cc-pVDZ"}'),
    ],
)
def test_what_cannot_be_computed_is_unprocessable(api: Api, path: str, body: str) -> None:
    answer = api.post(path, content=body)

    assert (answer.status_code, list(answer.json())) == (422, ["error"])


def test_science_refuses_a_bad_token(api: Api) -> None:
    body = {"smiles": "CCO", "property": "boiling_point"}

    assert api.post("/empirical/v1", json=body, headers={"Authorization": "Bearer x"}).status_code == 401


PSI4 = {"geometry": "H2O", "method": "HF", "basis": "cc-pVDZ"}


def test_jobs_are_computed_once_by_the_real_programs(servers: Servers, tmp_path: Path) -> None:
    with serving(servers, tmp_path, "8.0.0", servers.fresh("seed_8")) as api:
        token = {"Authorization": f"Bearer {mint(SECRET_KEY, 4, 'user', 1)}"}
        first = [api.post("/xtb/v1", json=XTB, headers=token), api.post("/psi4/v1", json=PSI4)]
        again = api.post("/xtb/v1", json=XTB | {"molecule": "[H]O[H]"})
        queued = [answer.json() for answer in first]
        assert [answer.status_code for answer in (*first, again)] == [202, 202, 202]
        assert [job["status"] for job in queued] == ["queued", "queued"]
        assert again.json()["job_id"] == queued[0]["job_id"]
        with working(servers, "8.0.0", api.database):
            xtb, psi4 = (finished(api, job) for job in queued)
            later = api.post("/xtb/v1", json=XTB)

        assert xtb["result"]["energy"] == pytest.approx(-5.070386, abs=1e-5)
        forces = xtb["result"]["forces"]
        assert len(forces) == 3
        assert [sum(force[axis] for force in forces) for axis in range(3)] == pytest.approx(
            [0, 0, 0], abs=1e-6
        )
        assert psi4["result"]["energy"] == pytest.approx(-76.0266327, abs=1e-6)
        assert (later.status_code, later.json()) == (200, xtb)
        rows = servers.execute(
            api.database,
            "SELECT engine, user_id, attempts, progress_percent, worker_name IS NOT NULL"
            " FROM computational_jobs WHERE engine <> 'empirical' ORDER BY engine",
        )
        assert rows == [("psi4", None, 1, 100, True), ("xtb", 4, 1, 100, True)]
        assert queued[0]["job_id"] in [
            job["job_id"] for job in api.as_user("/api/user/history", 4).json()["jobs"]
        ]


def test_a_job_without_its_program_fails_and_may_be_tried_again(servers: Servers, tmp_path: Path) -> None:
    with serving(servers, tmp_path, "8.0.0", servers.fresh("seed_8")) as api:
        job = api.post("/xtb/v1", json=XTB).json()
        with working(servers, "8.0.0", api.database, PATH=str(tmp_path)):
            failed = finished(api, job)
            assert (failed["status"], failed["error"]) == ("failed", "xtb is not installed")
        assert api.post("/xtb/v1", json=XTB).json()["status"] == "queued"
        with working(servers, "8.0.0", api.database):
            assert finished(api, job)["status"] == "completed"


def test_a_program_that_fails_fails_the_job(servers: Servers, tmp_path: Path) -> None:
    with serving(servers, tmp_path, "8.0.0", servers.fresh("seed_8")) as api:
        atoms_in_one_place = XTB | {"molecule": "C 0 0 0\nO 0 0 0\n"}
        job = api.post("/xtb/v1", json=atoms_in_one_place).json()
        with working(servers, "8.0.0", api.database):
            failed = finished(api, job)

    assert failed["status"] == "failed"
    assert failed["error"]


def test_a_job_that_a_stopped_worker_held_is_done_by_the_next(servers: Servers, tmp_path: Path) -> None:
    slow = tmp_path / "xtb"
    slow.write_text("#!/bin/sh\nexec sleep 60\n")
    slow.chmod(0o755)
    with serving(servers, tmp_path, "8.0.0", servers.fresh("seed_8")) as api:
        job = api.post("/xtb/v1", json=XTB).json()
        with working(servers, "8.0.0", api.database, PATH=f"{tmp_path}:{os.environ['PATH']}"):
            eventually(lambda: in_state(api, job, "running"), within=60, every=0.05)
        in_state(api, job, "queued")
        with working(servers, "8.0.0", api.database):
            assert finished(api, job)["status"] == "completed"


def in_state(api: Api, job: dict[str, Any], state: str) -> None:
    assert api.get(job["url"]).json()["status"] == state
