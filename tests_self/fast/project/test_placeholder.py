"""Placeholders: what templates are filled with, and nothing that somebody meant."""

import base64
import random
import string

import pytest

from noxgate.project.placeholder import is_even, is_placeholder

FILLERS = """\
changeme change-me CHANGE_ME Change.Me! changethis change-me-please changeme123 CHANGE_ME_IN_PRODUCTION
placeholder place-holder todo TODO: fixme tbd TBA xxx XXXX xxx-xxx-xxxx dummy dummy-token example
sample-key n/a none null secret password secret-key api_key test-token foobar your-api-key your_secret
YOUR_GOOGLE_CLIENT_ID your-secret-key-here yourdomain yourdomain.com your-domain.com YourCompany.example
replace-me replaceme replace_with_real_key insert-token-here enter-password put-your-key-here
my-secret-key my_password set-me-changeme some-secret the-token-here key-goes-here token-here
client-id-placeholder <password> <your-key> ${TOKEN} ${DB_PASSWORD:-x} {{token}} $(TOKEN) %TOKEN%
dev-secret-key default-dev-secret-key dev_secret_key_change_in_production change-this-secret-in-production
dev-only-32-byte-key-change-this! django-insecure-x django-insecure-k3jx81mfQpZ20vWbe9TtLsAa
your-256-bit-secret
DEV_ONLY_JWT_SECRET insecure-dev-key supersecretkey my-super-secret-jwt-key changeThisSecretKey secretkey123
local.dev.token test_api_key_1234 please-change-this-key-before-deployment
__TOKEN__ ... *** … --- ??? "changeme" 'todo'
""".split()  # noqa: SIM905 (to be read)
SENTENCES = (
    "[on-call name]",
    "[Name of the engineer]",
    "  changeme\n",
    "{{ .Values.token }}",
    "<the database's password>",
    "todo: fill in",
    "to be? TODO".removeprefix("to be? "),
    '" changeme "',
)
MEANT = """\
k3jx81mfQpZ20vWbe9TtLsAa xxxQpZ20vWbe9TtLsAaxxx todo-7f3a9b2c8d1e4f5a my-7f3a9b2c8d1e the_1xK9vLq2
set-9f8e7d6c change-9f8e7d6c5b4a your-9f8e7d6c5b4a the-quick-brown-fox set-apart-harbour-violin
some-like-it-hot correct-horse-battery-staple exampled secrets-of-the-sea testing passwort x xx
none-of-your-business postgresql://nox@db/nox https://wiki.nox.example/release http://localhost:3000
sk-test-9f8e7d6c5b4a3f2e 123456789.apps.googleusercontent.com Iv1.8a61f9b3a7aba766 Ada Lovelace @ada
+44-20-7946-0018 dev-9f8e7d6c5b4a3f2e insecure-9f8e7d6c5b4a dev-lead
key-account-manager devtools session local staging
8.0.0 v8.0.0 2025-08-15 nox-api-service-green test.nox.example a 0 key-1f token-4f9a
""".split()  # noqa: SIM905 (to be read)


@pytest.mark.parametrize("text", [*FILLERS, *SENTENCES])
def test_filler(text: str) -> None:
    assert is_placeholder(text)


@pytest.mark.parametrize(
    "text",
    [
        *MEANT,
        "",
        " ",
        "\n",
        "Grace Hopper",
        "call me at home",
        "it is [not] one",
        "use the test key",
    ],
)
def test_meant(text: str) -> None:
    """Words of a filler inside a value do not make it one. Nor is nothing a filler: that is empty."""
    assert not is_placeholder(text)


@pytest.mark.parametrize(
    "alphabet",
    [
        string.ascii_letters + string.digits + "-_",
        string.ascii_letters + string.digits + "+/=",
        string.hexdigits,
        string.printable,
    ],
)
def test_random_tokens_are_meant(alphabet: str) -> None:
    """Also where chance, or a person, writes a filler's word into them."""
    chance = random.Random(20250815)  # noqa: S311 (the same tokens each time)
    for _ in range(2000):
        token = "".join(chance.choices(alphabet, k=43))
        word = chance.choice(FILLERS)
        at = chance.randrange(8, 36)
        assert not is_placeholder(token)
        assert not is_placeholder(token[:at] + word + token[at:])


def test_random_passphrases_are_meant() -> None:
    """Words that are not of a template, with anything between them."""
    words = "amber basil cobalt delta ember fjord garnet harbour indigo jasper kelp lagoon".split()  # noqa: SIM905
    chance = random.Random(8)  # noqa: S311
    for _ in range(2000):
        assert not is_placeholder(chance.choice("-_. ").join(chance.choices(words, k=4)))


def test_base64_of_random_bytes_is_meant() -> None:
    chance = random.Random(7)  # noqa: S311
    for _ in range(2000):
        assert not is_placeholder(base64.b64encode(chance.randbytes(32)).decode())


def test_a_long_value_takes_no_time() -> None:
    """The pattern must not run away."""
    assert not is_placeholder("change me " * 2000 + "9f8e")
    assert not is_placeholder("key " * 2000 + "9f8e")
    assert not is_placeholder("a" * 100_000 + "!")


EVEN = """\
aaaa 00000000 xyxyxyxyxyxy 1111111111111112 12345678 87654321 abcdefgh qwertyuiop asdfghjkl 123456789012
0123456789abcdef0123456789abcdef abcabcabcabc a1b2a1b2a1b2a1b2 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=
00000000-0000-0000-0000-000000000000 1234567890qwertyuiop
""".split()  # noqa: SIM905 (to be read)


@pytest.mark.parametrize("text", EVEN)
def test_what_is_too_even_for_chance(text: str) -> None:
    assert is_even(text)


@pytest.mark.parametrize(
    ("alphabet", "length"),
    [
        (string.hexdigits.lower()[:16], 32),
        (string.hexdigits.lower()[:16], 64),
        (string.ascii_letters + string.digits, 8),
        (string.ascii_lowercase, 12),
        (string.ascii_letters + string.digits + "+/", 44),
        (string.digits, 16),
    ],
)
def test_what_chance_makes_is_not_even(alphabet: str, length: int) -> None:
    """With the length in mind: hex has little in each character, a short password little in all."""
    chance = random.Random(8)  # noqa: S311
    assert not any(is_even("".join(chance.choices(alphabet, k=length))) for _ in range(5000))
    assert not any(map(is_even, ["", "a", "k3j", "correct-horse-battery-staple", "n7Q2vX9pL4st8Rw6"]))
    assert is_even("a" * 100_000)
    assert not is_even("".join(chance.choices(alphabet, k=100_000)))
