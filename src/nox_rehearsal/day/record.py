"""The release record of a rehearsal: who ships what, when, and whom to call."""

from pathlib import Path

from nox_rehearsal.parts import pages, repository
from nox_rehearsal.release import DATE, VERSION
from nox_rehearsal.world.plan import Plan

PEOPLE = {
    "on_call": ("Ada Lindqvist", "+46 8 123 48 16", "@ada"),
    "devops_lead": ("Bram Okafor", "+31 20 794 08 21", "@bram"),
    "database_administrator": ("Chiara Voss", "+39 06 3204 7719", "@chiara"),
    "product_owner": ("Deniz Aydin", "+90 212 381 64 02", "@deniz"),
}
CHANNELS = ("#ops-alerts", "#nox-releases", "#dev-team")


def write(path: Path, plan: Plan) -> None:
    """Write `release.toml`; its people are made up."""
    contacts = "\n".join(
        f'[contacts.{role}]\nname = "{name}"\ntelephone = "{telephone}"\nslack = "{slack}"\n'
        for role, (name, telephone, slack) in PEOPLE.items()
    )
    links = "\n".join(f'{tool} = "{pages.url(plan.pages_port, tool)}"' for tool in pages.TOOLS)
    channels = ", ".join(f'"{channel}"' for channel in CHANNELS)
    path.write_text(
        f"""\
version = "{VERSION}"
date = {DATE:%Y-%m-%d}
on_call = "{PEOPLE["on_call"][0]}"
planned_minutes = 60
checklist = "{repository.CHECKLIST}"
channels = [{channels}]

{contacts}
[links]
{links}
""",
        encoding="utf-8",
    )
