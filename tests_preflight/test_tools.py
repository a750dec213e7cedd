"""Runbook 1, tools: the programs that are typed on the day."""

import pytest

from nox_service.clients import Clients


@pytest.mark.runbook("preflight.tools")
def test_every_program_is_there(clients: Clients) -> None:
    """Those that the profile names; and pg_dump, which refuses a newer server, of the server's major."""
    tools = clients.tools
    lacking = [tools.find(name).lacks(minimum) for name, minimum in tools.named().items()]

    assert [reason for reason in lacking if reason is not None] == []

    backup = {name: tools.find(name).major for name in ("pg_dump", "pg_restore")}
    ((number,),) = clients.database.rows("SELECT current_setting('server_version_num')::int / 10000")

    assert backup == dict.fromkeys(backup, number)
