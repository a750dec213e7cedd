"""What workers recorded, brought together on their master, and the proof that nothing was lost on the way."""

from dataclasses import dataclass
from typing import Any

import gevent  # type: ignore[import-untyped]
from locust.rpc import Message  # noqa: TID251 (load/ is where Locust may be imported)
from locust.runners import STATE_MISSING, STATE_STOPPED, MasterRunner  # noqa: TID251

from noxgate_load.health import Clocks
from noxgate_load.recorder import Recorder
from noxgate_load.samples import Totals, clock, wall

KEY = "noxgate"
GRACE = 10.0  # seconds beyond --stop-timeout for the last reports


@dataclass(slots=True)
class Tally:
    """What one process says of itself. `final`: its users have stopped, so no more will come."""

    sent: int
    recorded: int
    final: bool


class Reports:
    """Connects a recorder to Locust's reports; made in each process, in Locust's `init` event."""

    def __init__(self, environment: Any, recorder: Recorder, totals: Totals) -> None:
        self._environment = environment
        self._recorder = recorder
        self._totals = totals
        self.tallies: dict[str, Tally] = {}
        self.clocks = Clocks()
        environment.events.report_to_master.add_listener(self._report)
        environment.events.worker_report.add_listener(self._take)
        runner = environment.runner
        if isinstance(runner, MasterRunner):
            self._quit = runner.quit
            runner.quit = self._quit_patiently  # type: ignore[method-assign]

    @property
    def sent(self) -> int:
        """The requests that were sent, of all processes."""
        return sum(tally.sent for tally in self._all().values())

    def problems(self) -> list[str]:
        """Why the merged numbers are not what was sent; empty if they are. Call it in `quitting`."""
        if not isinstance(self._environment.runner, MasterRunner):
            self._recorder.settle()
        tallies, sent = self._all(), self.sent
        recorded = sum(tally.recorded for tally in tallies.values())
        merged = self._recorder.requests
        lost = [
            f"worker {name} was lost: it gave no last report"
            for name, tally in tallies.items()
            if not tally.final
        ]
        lost += self.clocks.problems()
        if not sent == recorded == merged:
            counted = f"{sent} sent, {recorded} recorded, {merged} merged"
            lost.append(f"expected one sample for each request, saw {counted}")
        return lost

    def _all(self) -> dict[str, Tally]:
        if isinstance(self._environment.runner, MasterRunner):
            return self.tallies
        return {"this process": Tally(self._totals.sent, self._totals.recorded, final=True)}

    def _report(self, data: dict[str, Any], **_: Any) -> None:
        final = self._environment.runner.state == STATE_STOPPED
        counts = [self._totals.sent, self._totals.recorded, final]
        data[KEY] = [self._recorder.drain(), *counts, wall(clock())]

    def _take(self, client_id: str, data: dict[str, Any], **_: Any) -> None:
        drained, sent, recorded, final, sent_at = data[KEY]
        self.clocks.take(client_id, sent_at, wall(clock()), has_begun=sent > 0)
        self._recorder.merge(drained, self.clocks.shift(client_id))
        self.tallies[client_id] = Tally(sent, recorded, final)

    def _is_there(self, worker: str) -> bool:
        """A worker that was killed will never report."""
        node = self._environment.runner.clients.get(worker)
        return node is not None and node.state != STATE_MISSING

    def _quit_patiently(self) -> None:
        """Locust gives workers half a second for their last report, however long their users take to stop."""
        runner = self._environment.runner
        runner.stop(send_stop_to_client=False)
        message: Any = Message  # untyped
        for worker in runner.clients.all:
            runner.server.send_to_client(message("quit", None, worker.id))
        with gevent.Timeout(self._environment.stop_timeout + GRACE, False):  # noqa: FBT003 (gevent's signature)
            while any(not tally.final and self._is_there(worker) for worker, tally in self.tallies.items()):
                gevent.sleep(0.05)
        self._quit()
