"""The API, asked many things at once: more states, and all who are to be refused."""

import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from nox_service.access.asking import Ask, ask, rooted
from nox_service.access.closed_list import Knock, refuse_others
from nox_service.api import ApiClient
from noxgate.errors import UnreachableError
from noxgate.look.http import Answer
from noxgate.look.observation import Observation

AT_ONCE = 8  # connections


class Together(ApiClient):
    """Looks at the API over several connections, and records one look."""

    def knock(self, knocks: Sequence[Knock]) -> list[Answer]:
        """Ask as those who are to be refused, recorded as one look; on production by GET alone.

        What could change something if a door were open has to be on the closed list: ValueError otherwise.
        """
        for each in knocks:
            refuse_others(each, self._settings)
        return self._together(
            [
                ask(self._settings, one.method, self._url(one.path), who=one.who, body=one.body or None)
                for one in knocks
            ]
        )

    def gather(self, path: str, times: int) -> list[Answer]:
        """GET `path` so many times, over several kept connections at once, recorded as one look."""
        return self._together([ask(self._settings, "GET", self._url(path))] * times)

    def _url(self, path: str) -> str:
        return self._settings.base_url + rooted(path)

    def _together(self, asks: Sequence[Ask]) -> list[Answer]:
        """Several at a time; the command that is recorded shows the first that was let in, if any was."""
        started = time.perf_counter()

        def look(asked: Ask) -> Answer:
            return self._session.patience.run(lambda: self._exchange(asked))

        try:
            with ThreadPoolExecutor(AT_ONCE) as pool:
                found = list(pool.map(look, asks))
        except (UnreachableError, AssertionError) as error:
            self._observe(Observation(f"could not look: {error}", asks[0].command))
            raise
        statuses = Counter(one.status for one in found)
        counted = ", ".join(f"{count} times HTTP {status}" for status, count in statuses.most_common())
        seen = f"{len(found)} requests in {time.perf_counter() - started:.1f} s: {counted}"
        good = [one for one, answer in zip(asks, found, strict=True) if answer.status in range(200, 300)]
        self._observe(Observation(seen, (good or list(asks))[0].command))
        return found
