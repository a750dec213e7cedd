"""What a refusal of the API server says."""

import httpx


def causes(answer: httpx.Response) -> list[tuple[str, str]]:
    """Where and what, of a refusal."""
    assert answer.status_code == 422, answer.text
    return [(cause["field"], cause["message"]) for cause in answer.json()["details"]["causes"]]
