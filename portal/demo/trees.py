"""The demo's directory trees: made once, then changed for every simulated day, times and all.

They hold what real trees hold and simple copies lose: symbolic and hard links, an empty directory, modes, a sparse
file, and a name that is not UTF-8.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

Change = Callable[[Path, random.Random, int], None]


def change_tree(name: str, root: Path, moment: datetime) -> None:
    """Make the tree as it is at ``moment``, from what it was before. The same moments make the same trees."""
    day = moment.toordinal()
    chance = random.Random(f"{name} {day}")  # noqa: S311  (the same picture every time, no secret)
    new = not root.exists()
    root.mkdir(parents=True, exist_ok=True)
    before = _times(root)
    if new:
        for earlier in range(12):
            TREES[name](root, chance, day - 12 + earlier)
    TREES[name](root, chance, day)
    _backdate(root, before, moment.timestamp() - 3600 * chance.uniform(4, 15))


def _shop_uploads(root: Path, chance: random.Random, day: int) -> None:
    for _ in range(chance.randint(1, 2)):
        _write(root / f"products/{chance.randint(1000, 1039)}.jpg", chance.randbytes(chance.randint(12_000, 30_000)))
    invoice = _write(root / f"invoices/2026-{day % 100000}.txt", _prose(chance, 60).encode())
    latest = root / "invoices/latest"
    latest.unlink(missing_ok=True)
    latest.symlink_to(invoice.name)
    _write(root / "Größentabelle – Jacken.csv", _prose(chance, 40).replace(" ", ";").encode())
    if not (root / "import/inbox").exists():
        (root / "import/inbox").mkdir(parents=True)
        _write(root / "import/key.txt", _prose(chance, 8).encode()).chmod(0o600)
        _write(Path(os.fsdecode(os.fsencode(root) + b"/products/caf\xe9-menu.txt")), b"espresso\n")
        os.link(root / "import/key.txt", root / "import/key-again.txt")
        with (root / "import/disk.img").open("wb") as sparse:
            sparse.truncate(8_000_000)
            sparse.seek(4_000_000)
            sparse.write(b"in the middle of nothing")


def _wiki(root: Path, chance: random.Random, day: int) -> None:
    for _ in range(chance.randint(1, 3)):
        page = root / f"pages/{chance.choice(WORDS)}-{chance.choice(WORDS)}.md"
        old = page.read_text() if page.exists() else f"# {page.stem}\n"
        _write(page, f"{old}\n{_prose(chance, 120)}\n".encode())
    pages = sorted((root / "pages").iterdir())
    if len(pages) > 25:
        chance.choice(pages).unlink()
    _write(root / "index.txt", "\n".join(page.name for page in pages).encode())


def _media(root: Path, chance: random.Random, day: int) -> None:
    _write(root / f"covers/{day % 40}.png", chance.randbytes(chance.randint(6_000, 14_000)))
    _write(root / "catalogue.json", _prose(chance, 300).encode())


def _preview(root: Path, chance: random.Random, day: int) -> None:
    for page in ("index", "about", chance.choice(WORDS)):
        _write(root / f"{page}.html", f"<h1>{page}</h1><p>{_prose(chance, 200)}</p>".encode())


TREES: dict[str, Change] = {
    "shop-uploads": _shop_uploads,
    "wiki-pages": _wiki,
    "cms-media": _media,
    "cms-preview": _preview,
    "press-archive": _preview,
}

WORDS = (
    "tent", "stove", "boots", "rope", "map", "lamp", "jacket", "trail", "summit", "river",
    "author", "novel", "print", "cover", "index", "margin", "proof", "atlas", "reader", "shelf",
)  # fmt: skip


def _prose(chance: random.Random, words: int) -> str:
    return " ".join(chance.choices(WORDS, k=words))


def _write(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def _times(root: Path) -> dict[Path, int]:
    return {path: path.lstat().st_mtime_ns for path in [root, *root.rglob("*")]}


def _backdate(root: Path, before: dict[Path, int], at: float) -> None:
    """Set the times of what has changed; deepest first, because a change below changes a directory's own."""
    for path in sorted([root, *root.rglob("*")], key=lambda one: -len(one.parts)):
        if before.get(path) != path.lstat().st_mtime_ns:
            os.utime(path, (at, at), follow_symlinks=False)
