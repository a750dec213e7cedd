"""Small parts with a rule of their own: quantities, ages, SPDY frames, printer columns' paths."""

import zlib

import pytest

from kube_standin.objects.quantities import canonical, value
from kube_standin.printing.ages import short
from kube_standin.printing.jsonpath import find
from kube_standin.streams import spdy


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ("1000m", "1"),
        ("0.5", "500m"),
        (0.25, "250m"),
        (2, "2"),
        ("1500m", "1500m"),
        ("0.1", "100m"),
        ("1024Mi", "1Gi"),
        ("1.5Gi", "1536Mi"),
        ("1000Ki", "1000Ki"),
        ("512", "512"),
        ("1000", "1k"),
        ("2000000", "2M"),
        ("1e3", "1e3"),
        ("0", "0"),
        ("-1", "-1"),
    ],
)
def test_quantities(given: str | float, stored: str) -> None:
    assert canonical(given) == stored


def test_quantities_are_compared_by_what_they_mean() -> None:
    assert value("1Gi") == value("1024Mi") > value("1G") > value("999M")


@pytest.mark.parametrize("text", ["", "one", "1 Gi", "1gi", "1.2.3", "--1"])
def test_what_is_no_quantity(text: str) -> None:
    with pytest.raises(ValueError, match="quantities must match"):
        canonical(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (119, "119s"),
        (120, "2m"),
        (125, "2m5s"),
        (600, "10m"),
        (3 * 3600, "3h"),
        (3 * 3600 + 60, "3h1m"),
        (9 * 3600, "9h"),
        (47 * 3600, "47h"),
        (48 * 3600, "2d"),
        (50 * 3600, "2d2h"),
        (9 * 86400, "9d"),
        (800 * 86400, "2y70d"),
    ],
)
def test_ages(seconds: int, text: str) -> None:
    assert short(seconds) == text


@pytest.mark.parametrize(
    ("path", "found"),
    [
        (".spec.name", ["x"]),
        (".spec.none", []),
        (".list[0].a", [1]),
        (".list[*].a", [1, 2]),
        ('.list[?(@.b=="y")].a', [2]),
        (".spec['with.dot']", [3]),
        (".spec.with\\.dot", [3]),
        (".list[9].a", []),
        ("not a path(", []),
    ],
)
def test_paths(path: str, found: list[object]) -> None:
    obj = {"spec": {"name": "x", "with.dot": 3}, "list": [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]}

    assert find(obj, path) == found


def test_the_dictionary_of_spdy_is_the_right_one() -> None:
    """A single wrong byte, and kubectl's first frame cannot be read."""
    assert (len(spdy.DICTIONARY), zlib.adler32(spdy.DICTIONARY)) == (1423, 0xE3C6A7C2)


def test_spdy_frames_survive_being_cut_anywhere() -> None:
    sender, receiver = spdy.Codec(), spdy.Codec()
    sent = sender.open(1, {"streamType": "data", "port": "3000"}) + sender.open(3, {"port": "3000"})
    sent += sender.data(1, b"x" * 70_000, fin=True) + sender.ping(b"\x00\x00\x00\x07") + sender.reset(3)
    frames = [frame for at in range(0, len(sent), 7) for frame in receiver.feed(sent[at : at + 7])]

    assert [(frame.kind, frame.stream) for frame in frames if frame.kind] == [
        (spdy.SYN_STREAM, 1),
        (spdy.SYN_STREAM, 3),
        (spdy.PING, 0),
        (spdy.RST_STREAM, 3),
    ]
    assert dict(frames[0].headers) == {"streamtype": "data", "port": "3000"}
    assert b"".join(frame.data for frame in frames if not frame.kind) == b"x" * 70_000
    assert [frame.fin for frame in frames if not frame.kind] == [False, False, True]


@pytest.mark.parametrize(
    "data", [b"\x80\x02\x00\x01\x00\x00\x00\x00", b"\x80\x03\x00\x01\x00\x00\x00\x0cnot headers!"]
)
def test_bytes_that_are_no_spdy(data: bytes) -> None:
    with pytest.raises(ValueError, match="SPDY"):
        list(spdy.Codec().feed(data))
