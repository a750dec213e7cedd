"""What PostgreSQL on this machine lacks of what the target's server has: never charged to the release."""

import re
from collections.abc import Iterable

from noxgate.machine.doctor import paste

# Debian's packages; what is not there comes with PostgreSQL itself, or from apt.postgresql.org.
_PACKAGES = {
    "vector": "pgvector",
    "postgis": "postgis-3",
    "postgis_topology": "postgis-3",
    "postgis_raster": "postgis-3",
    "postgis_sfcgal": "postgis-3",
    "postgis_tiger_geocoder": "postgis-3",
    "address_standardizer": "postgis-3",
    "pg_cron": "cron",
    "pg_partman": "partman",
    "pg_repack": "repack",
    "pg_similarity": "similarity",
}
_AS_NAMED = (
    "hll",
    "hypopg",
    "ip4r",
    "orafce",
    "periods",
    "pgaudit",
    "pglogical",
    "pgmp",
    "pgrouting",
    "pgtap",
    "prefix",
    "rdkit",
    "rum",
    "semver",
)
_LANGUAGES = {
    "plpython3u": "plpython3",
    "plperl": "plperl",
    "plperlu": "plperl",
    "pltcl": "pltcl",
    "pltclu": "pltcl",
}
# PostgreSQL's own words, on a server that speaks English: ours does.
_EXTENSION = re.compile(
    r'extension "(?P<name>[^"]+)" (?:is not available|has no (?:installation script|update path))'
    r'|could not open extension control file ".*/(?P<file>\w+)\.control"'
)
_PRELOADED = re.compile(
    r"(?P<name>[\w ]+?) (?:must|can only) be (?:pre)?loaded (?:via|with) \"?shared_preload"
)
_LIBRARY = re.compile(r'could not (?:access file|load library) "(?P<name>[^"]+)"')
_LOCALE = re.compile(
    r'could not create locale "(?P<made>[^"]+)"|collation "(?P<name>[^"]+)" for encoding "[^"]+" does not'
    r' exist|invalid (?:LC_\w+ )?locale name:? "(?P<invalid>[^"]+)"'
    r'|could not open collator for locale "(?P<icu>[^"]+)"'
    r"|(?P<build>ICU) is not supported in this build"
)
_NEWER = re.compile(r"unsupported version \((?P<format>[\d.]+)\) in file header")
_RESTRICTED = re.compile(r"invalid command (?P<command>\\(?:un)?restrict)\b")
_PACKED = re.compile(r"this build does not support compression with (?P<how>\w+)")


def lack(message: str, major: int) -> str | None:
    """What this machine lacks, by what PostgreSQL said, and what to do; None if the script is wrong."""
    if said := of_archive(message) or _of_psql(message, major):
        return said
    if match := _EXTENSION.search(message):
        return extension(match["name"] or match["file"], major)
    if match := _PRELOADED.search(message):
        return (
            f"{match['name'].strip()} must be loaded when the server starts, "
            "which the scratch server does not: look at this on a copy of the target's server"
        )
    if match := _LIBRARY.search(message):
        return (
            f"no library {match['name']} for PostgreSQL {major} on this machine: install what the "
            "target's server has it from, or name the folder of a PostgreSQL that has it: postgres_bin"
        )
    if match := _LOCALE.search(message):
        name = next(each for each in match.groups() if each)
        return f"no collation {name} on this machine: {paste(['locales-all'])}, or name postgres_bin"
    return None


def of_archive(message: str) -> str | None:
    """Why pg_restore cannot read an archive that may well be whole; None if it says something else."""
    if match := _NEWER.search(message):
        return (
            f"an archive of format {match['format']}, which a newer pg_dump wrote than the pg_restore here "
            "can read: dump with the server's own version, or name the folder of the newer: postgres_bin"
        )
    if match := _PACKED.search(message):
        return (
            f"an archive packed with {match['how']}, which the pg_restore that is here cannot read: "
            "name the folder of a PostgreSQL that can: postgres_bin"
        )
    return None


def _of_psql(message: str, major: int) -> str | None:
    match = _RESTRICTED.search(message)
    if match is None:
        return None
    return (
        f"a dump with {match['command']} in it, which the psql that is here does not know: "
        f"install the last minor release of PostgreSQL {major}, or name its folder: postgres_bin"
    )


def extension(name: str, major: int) -> str:
    """That an extension is missing here, and where to get it."""
    return (
        f"no extension {name} for PostgreSQL {major} on this machine: {_where(name, major)}, or name the "
        "folder of a PostgreSQL that has it: postgres_bin"
    )


def extensions(wanted: Iterable[str], here: Iterable[str], major: int) -> str | None:
    """What of these is not here."""
    there = set(here)
    return next((extension(name, major) for name in wanted if name not in there), None)


def _where(name: str, major: int) -> str:
    if name in _LANGUAGES:
        return paste([f"postgresql-{_LANGUAGES[name]}-{major}"])
    if name in _PACKAGES or name in _AS_NAMED:
        elsewhere = " (Debian 12 has none: of apt.postgresql.org)" if name == "vector" else ""
        return paste([f"postgresql-{major}-{_PACKAGES.get(name, name)}"]) + elsewhere
    return f"install the package with {name}.control (apt-file search /{name}.control)"
