"""runbook.toml itself: every line of the runbook is claimed, and its texts say what is true."""

import re
from pathlib import Path

from tests_self.fast.project.runbook.given import PROJECT

from noxgate.project.checks import find_checks
from noxgate.project.keys.runbook import ROLES
from noxgate.project.runbook import NAMES, Runbook, read_runbook
from noxgate.project.which.names import names_in

# Line numbers of the runbook that can be checked: commands, boxes, expectations, announcements, metrics.
CHECKABLE = frozenset(
    {
        *(21, 22, 23, 24, 25, 26, 40, 41, 51, 54, 64, 65, 69, 76, 78, 80, 82),
        *(95, 99, 109, 110, 112, 115, 125, 127, 131, 133, 137, 138, 139, 141, 151, 155, 158, 160, 162, 164),
        *(178, 180, 182, 184, 194, 198, 202, 204, 214, 218),
        *(233, 234, 238, 248, 249, 250, 254, 264, 268, 272, 282, 287, 288, 292, 302, 307, 308),
        *(323, 324, 325, 329, 330, 331, 341, 345, 349, 367, 369, 371, 373, 375),
        *(385, 387, 389, 391, 396, 398, 400, 402, 404, 417, 422, 426, 436, 445, 447, 449, 451),
        *(489, 491, 493, 495, 497, 502, 504, 506, 508, 510, 515, 517, 519, 521, 523, 530),
    }
)
# Other lines that an item of the inventory names: header, contacts, links, second halves of a command.
ALSO_NAMED = frozenset(
    {
        *(3, 4, 5, 6, 8, 9, 10, 11, 303, 355, 356, 357, 358, 412, 418),
        *(460, 461, 462, 463, 465, 466, 467, 468, 475, 476, 477, 478, 479, 529, 531),
    }
)
# Items of the inventory: how many there are in each part of the runbook.
ITEMS = {"0": 4, "1": 12, "2": 28, "3": 6, "4": 15, "5": 17, "6": 9, "R": 8, "C": 18}
# Commands of the runbook that cannot work, or that spill secrets: no advice may send anybody there.
BROKEN_COMMANDS = re.compile(
    r"validate_staging\.sh|verify_env\.py|docker scan|pg_restore -d|exec -it|kubectl get all"
    r"|logs (-f )?deployment/|grep -i|kubectl patch ingress (?!.*--type=json)|psql (?!.*ON_ERROR_STOP)"
)


def test_real_runbook_loads(runbook: Runbook) -> None:
    """The release, the phases in the order of the day, and lines in each."""
    assert runbook.release.version == "8.0.0"
    assert list(runbook.phases) == [
        *("preflight", "staging", "prep", "green", "live", "window", "rollback", "signoff"),
    ]
    assert {line.phase for line in runbook.lines.values()} == set(runbook.phases)


def test_every_checkable_line_is_claimed(runbook: Runbook) -> None:
    """All 111 of them, each by at least one entry."""
    claimed = {number for line in runbook.lines.values() for number in line.seed}

    assert len(CHECKABLE) == 111
    assert sorted(CHECKABLE - claimed) == []


def test_no_other_line_is_claimed(runbook: Runbook) -> None:
    """A number that is neither checkable nor named by an item is a slip of the pen."""
    stray = {
        line.id: set(line.seed) - CHECKABLE - ALSO_NAMED
        for line in runbook.lines.values()
        if not set(line.seed) <= CHECKABLE | ALSO_NAMED
    }

    assert stray == {}


def test_every_item_has_an_entry(runbook: Runbook) -> None:
    """The refs are exactly the items of the inventory: none missing, none invented."""
    items = {f"RB-{part}.{number}" for part, count in ITEMS.items() for number in range(1, count + 1)}
    refs = {line.ref for line in runbook.lines.values()}

    assert sorted(items - refs) == []
    assert sorted(refs - items) == []


def test_ids_are_kebab_case_and_hold_no_ref(runbook: Runbook) -> None:
    """`staging.tls-version`: a phase, a dot, words with hyphens; never RB-2.22 over again."""
    shape = re.compile(r"[a-z]+\.(?!rb-)[a-z0-9]+(-[a-z0-9]+)*")

    assert [id_ for id_ in runbook.lines if not shape.fullmatch(id_)] == []


def test_no_entry_claims_nothing(runbook: Runbook) -> None:
    """Each entry claims a line, each line once, in order."""
    lines = runbook.lines.values()

    assert [line.id for line in lines if not line.seed or list(line.seed) != sorted(set(line.seed))] == []


def test_no_blank_of_a_template_is_left(runbook: Runbook) -> None:
    """No bracketed word to fill in, no marker for later, no {version} that was not replaced."""
    blank = re.compile(r"\[[A-Za-z#][^\]]*\]|\{version\}|TODO|TBD|FIXME|\bXXX\b")
    texts = {line.id: f"{line.section} {line.expected} {line.next}" for line in runbook.lines.values()}

    assert {id_: text for id_, text in texts.items() if blank.search(text)} == {}


def test_every_text_says_something(runbook: Runbook) -> None:
    """Whole, on one line, ending as a sentence or a command does, and not the text of another entry."""
    lines = list(runbook.lines.values())
    expected = [line.expected for line in lines]
    following = [line.next for line in lines if line.next]

    assert [line.id for line in lines if not line.section.strip() or "\n" in line.expected + line.next] == []
    assert [text for text in expected if len(text) < 20 or not text.endswith(".")] == []
    assert [text for text in following if len(text) < 40 or text != text.strip()] == []
    assert sorted(text for text in expected + following if (expected + following).count(text) > 1) == []


def test_no_advice_repeats_a_broken_command(runbook: Runbook) -> None:
    """Several of the runbook's own commands are refused or do harm: `next` names ones that work."""
    advice = {line.id: line.next for line in runbook.lines.values()}

    assert {id_: text for id_, text in advice.items() if BROKEN_COMMANDS.search(text)} == {}


def test_commands_in_next_can_be_given(runbook: Runbook) -> None:
    """To make, pytest and noxgate: nothing is left to be filled in but what only the reader knows."""
    advice = {
        line.id: line.next_on({"target": "staging", **dict.fromkeys(NAMES, "ours")})
        for line in runbook.lines.values()
    }
    makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
    markers = {
        word
        for check in find_checks(PROJECT, runbook)
        for word in (check.topic, runbook.lines[check.line_id].phase)
    }

    made = {verb for said in advice.values() for verb in re.findall(r"make ([a-z-]+) [A-Z]+=", said)}
    marked = {words for said in advice.values() for words in re.findall(r"pytest -m '([^']*)'", said)}
    called = {verb for said in advice.values() for verb in re.findall(r"noxgate ([a-z]+)", said)}
    assert {id_: said for id_, said in advice.items() if re.search(r"\{(?!database|file)", said)} == {}
    assert {verb for verb in made if not re.search(rf"^{verb}:", makefile, re.MULTILINE)} == set()
    assert {word for words in marked for word in words.split(" and ")} <= markers
    assert called <= {"attest", "watch"}


def test_commands_in_next_name_the_targets_own_namespaces(runbook: Runbook, tmp_path: Path) -> None:
    """An operator's are other than those of the delivered profiles, which no text names."""
    delivered = re.compile(r"nox-(staging|production)\b|yourdomain")
    for name, peer, words in (
        ("acme-test", "acme", 'namespace = "acme-qa"'),
        ("acme", "", 'namespace = "acme-web"\ngreen_namespace = "acme-web-g"\nblue_namespace = "acme-web-b"'),
    ):
        tables = "[credentials]\n[oauth]\n"
        named = f'production = "{tmp_path / peer}.toml"\n' if peer else ""
        profile = f'serves = ["staging"]\nbase_url = "https://{name}.example"\n{words}\n{named}{tables}'
        (tmp_path / f"{name}.toml").write_text(profile)
    of = {name: names_in(PROJECT, str(tmp_path / f"{name}.toml")) for name in ("acme-test", "acme")}
    validated = ("preflight", "staging", "signoff")
    said = {
        line.id: line.next_on(of["acme-test" if line.phase in validated else "acme"])
        for line in runbook.lines.values()
    }
    texts = [f"{line.expected} {said[line.id]}" for line in runbook.lines.values()]

    assert [text for text in texts if delivered.search(text)] == []
    assert {id_: text for id_, text in said.items() if "NAMESPACE" in text} == {}
    assert "-n acme-qa" in said["staging.rollout"]
    assert "-n acme-web-g" in said["preflight.green-manifests"]
    assert "-n acme-web " in said["preflight.switch-dry-run"]
    assert "-n acme-web-b." in said["prep.blue-ready"]
    assert "-n acme-web-g" in said["green.pods-running"]


SERVICES = (
    "nox-api-ingress",
    "app=nox-api",
    *(f"nox-api-{kind}-{colour}" for kind in ("deployment", "service") for colour in ("green", "blue")),
)


def test_texts_name_the_services_own_objects(runbook: Runbook, tmp_path: Path) -> None:
    """[service] alone says what they are called: another service's Next is about its own."""
    text = (PROJECT / "runbook.toml").read_text(encoding="utf-8")
    for old in SERVICES:
        text = text.replace(f'"{old}"', f'"{old.replace("nox-api", "acme web")}"')
    (tmp_path / "runbook.toml").write_text(text, encoding="utf-8")

    other = read_runbook(tmp_path / "runbook.toml")

    held = re.compile(rf"(?<![\w-])({'|'.join(map(re.escape, SERVICES))})(?![\w-])")
    said = {line.id: f"{line.expected} {line.next}" for line in other.lines.values()}
    assert {id_: one for id_, one in said.items() if held.search(one)} == {}
    assert len([line for line in runbook.lines.values() if held.search(f"{line.expected} {line.next}")]) > 15
    assert "kubectl rollout status deployment/'acme web-deployment-green' -n" in said["staging.deployment"]
    assert "kubectl get service 'acme web-service-green' -n" in said["staging.service-endpoints"]
    assert "kubectl describe ingress 'acme web-ingress' -n" in said["staging.ingress-backends"]
    assert "-l 'app=acme web'" in said["staging.rollout"]
    assert said["staging.ingress-backends"].startswith("Ingress acme web-ingress exists")
    assert "{blue_service}" not in said["green.websocket"] + said["prep.blue-ready"]


def test_a_name_is_a_word_for_the_shell_and_one_that_nobody_knows_stands_out(runbook: Runbook) -> None:
    line = runbook.lines["staging.rollout"]

    assert "-n 'a b; c' " in line.next_on({"namespace": "a b; c"})
    assert "-n NAMESPACE " in line.next_on({})


def test_mentioned_lines_exist(runbook: Runbook) -> None:
    """An id of another entry in a text is still an id after a rename."""
    mention = re.compile(rf"\b(?:{'|'.join(runbook.phases)})\.[a-z0-9]+(?:-[a-z0-9]+)*\b")
    mentioned = [
        (line.id, id_)
        for line in runbook.lines.values()
        for id_ in mention.findall(f"{line.expected} {line.next}")
    ]

    assert mentioned != []
    assert [(id_, other) for id_, other in mentioned if other not in runbook.lines] == []


def test_critical_limits_are_never_waivable(runbook: Runbook) -> None:
    """Five key metrics, two lines each: the target may be waived, the critical limit never."""
    lines = runbook.lines.values()
    metrics = [f"RB-5.{number}" for number in range(13, 18)]

    assert [line.ref for line in lines if line.id.endswith("-within-target") and line.waivable] == metrics
    assert [line.ref for line in lines if line.id.endswith("-critical") and not line.waivable] == metrics


def test_sign_off_is_derived(runbook: Runbook) -> None:
    """Nothing in the last phase is ticked by hand, and nothing outside it is derived."""
    lines = runbook.lines.values()

    assert [line.id for line in lines if (line.kind == "derived") != (line.phase == "signoff")] == []
    assert runbook.of_phase("signoff") == []


def test_derived_lines_rest_on_looked_at_ones(runbook: Runbook) -> None:
    """A derived line names whole phases or lines that something proves, so no circle is possible."""
    sources = {line.id: line.derived_from for line in runbook.lines.values() if line.kind == "derived"}

    assert sources != {}
    assert {id_: parts for id_, parts in sources.items() if {*parts} & {*sources, "signoff"}} == {}


def test_the_runbook_has_every_role(runbook: Runbook) -> None:
    """Else a command would end with an error in the night."""
    assert {role: len(runbook.having(role)) > 0 for role in ROLES} == dict.fromkeys(ROLES, True)
