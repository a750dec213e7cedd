"""Runbook 1, tools: the programs that are typed on the day."""

import pytest

from noxgate.systems.postgres.database import Database
from noxgate.systems.programs.tools import Tools


@pytest.mark.runbook("preflight.tools")
def test_every_program_is_there(tools: Tools, database: Database) -> None:
    """Those that the profile names; and pg_dump, which refuses a newer server, of the server's major."""
    lacking = [tools.find(name).lacks(minimum) for name, minimum in tools.named().items()]

    assert [reason for reason in lacking if reason is not None] == []

    backup = {name: tools.find(name).major for name in ("pg_dump", "pg_restore")}
    ((number,),) = database.rows("SELECT current_setting('server_version_num')::int / 10000")

    assert backup == dict.fromkeys(backup, number)
