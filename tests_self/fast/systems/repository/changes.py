"""What somebody may have changed in a checkout and not committed."""

from tests_self.building.checkouts import Checkout


def make_untracked(checkout: Checkout) -> None:
    (checkout.folder / "new folder").mkdir()
    (checkout.folder / "new folder" / "notes.txt").write_text("x")


def make_untracked_unshown(checkout: Checkout) -> None:
    checkout.git("config", "status.showUntrackedFiles", "no")
    make_untracked(checkout)


def make_changed(checkout: Checkout) -> None:
    (checkout.folder / "README").write_text("8.0.0-rc1\n")


def make_staged(checkout: Checkout) -> None:
    make_changed(checkout)
    checkout.git("add", "README")
    (checkout.folder / "README").write_text("8.0.0\n")


def make_renamed(checkout: Checkout) -> None:
    checkout.git("mv", "README", "READ")


def make_mode(checkout: Checkout) -> None:
    (checkout.folder / "README").chmod(0o755)


def make_odd_name(checkout: Checkout) -> None:
    (checkout.folder / "line\nbreak").write_text("x")
