"""Reads the pages of a run as a browser would, and shows them to one."""

import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
CHROMIUM_OPTIONS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
]


class Page(HTMLParser):
    """Texts by element id, pictures, table rows and all addresses of a page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.by_id: dict[str, str] = {}
        self.images: list[dict[str, str | None]] = []
        self.rows: list[list[str]] = []
        self.tags: set[str] = set()
        self.addresses: list[str] = []
        self._id = ""
        self._in_cell = False
        self.feed(path.read_text())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags.add(tag)
        self.addresses += [found[name] or "" for name in ("src", "href") if name in found]
        if tag == "img":
            self.images.append(found)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
            self._in_cell = True
        if tag == "dd":
            self._id = found.get("id") or ""

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th"):
            self._in_cell = False
        if tag == "dd":
            self._id = ""

    def handle_data(self, data: str) -> None:
        if self._in_cell:
            self.rows[-1][-1] += data
        if self._id:
            self.by_id[self._id] = self.by_id.get(self._id, "") + data

    def row(self, name: str) -> list[str]:
        return next(row for row in self.rows if row[0] == name)


def chromium(page: Path, folder: Path, *options: str) -> str:
    """Runs a headless browser on a page; returns what it prints."""
    command = [str(CHROMIUM), *CHROMIUM_OPTIONS, f"--user-data-dir={folder / 'profile'}", *options, page.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return done.stdout
