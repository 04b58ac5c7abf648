"""Name the course's public home: its repository in every set-up cell, and links that open chapters in Google Colab.

    python -m course.publish OWNER/REPO [--branch main]

Before the first run there are neither.  Running it again with the same name changes nothing, with another name moves
everything there.  Written are: the list `places` of the set-up cell, in course/setup_cell.py and in each chapter's
text and notebook; a badge beside each chapter in the README's table; a link under each chapter's title.  The link in
a chapter is text and not the badge, whose picture would have to be fetched: a chapter loads nothing from a network.
"""

import argparse
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HOME = '    home, places = "/content/predict-and-adjust", '  # the line of the set-up cell that names the repository
COLAB = "https://colab.research.google.com"
LINK = re.compile(r"\n\n\[Open this chapter in Google Colab\]\([^)\n]*\)")
BADGE = re.compile(r" ?\[!\[Open in Colab\]\([^)\n]*\)\]\([^)\n]*\)")
TITLE = re.compile(r"^# \S.*$", re.MULTILINE)


class Place:
    """A repository on GitHub and a branch of it.  Raises ValueError for what cannot be one."""

    def __init__(self, repository: str, branch: str = "main"):
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9-]*/[\w.-]+", repository, re.ASCII):
            raise ValueError(f"{repository!r} is not of the form OWNER/REPO, as in a GitHub address")
        if not re.fullmatch(r"(?!-)[\w.-]+(/[\w.-]+)*", branch, re.ASCII) or ".." in branch:
            raise ValueError(f"{branch!r} is not a branch name the set-up cell can use: letters, digits and ._-/ only")
        self.repository, self.branch = repository, branch

    def colab(self, chapter: str) -> str:
        """The address that opens a chapter in Google Colab."""
        return f"{COLAB}/github/{self.repository}/blob/{self.branch}/notebooks/{chapter}.ipynb"


def name_repository(text: str, place: Place) -> str:
    """Set-up cell (or a text that holds it) → the same with `places` naming this repository."""
    pattern = re.compile(rf"^{re.escape(HOME)}\[.*\]$", re.MULTILINE)
    return pattern.sub(lambda _: f'{HOME}[("{place.repository}", "{place.branch}")]', text)


def link_chapter(text: str, chapter: str, place: Place) -> str:
    """A chapter's Markdown → the same with one link to Colab under its title; without a title nothing changes."""
    text = LINK.sub("", text)
    for title in TITLE.finditer(text):
        if text.count("\n```", 0, title.start()) % 2 == 0:  # a comment in a code fence is no title
            link = f"\n\n[Open this chapter in Google Colab]({place.colab(chapter)})"
            return text[: title.end()] + link + text[title.end() :]
    return text


def badge_table(text: str, place: Place) -> str:
    """The README → the same with a badge behind each link to a notebook in a row of its table."""
    picture = f"![Open in Colab]({COLAB}/assets/colab-badge.svg)"

    def with_badge(link: re.Match) -> str:
        return f"{link[0]} [{picture}]({place.colab(link[1])})"

    lines = [BADGE.sub("", line) if line.startswith("|") else line for line in text.split("\n")]
    link = re.compile(r"\]\(notebooks/([\w.-]+)\.ipynb\)")
    return "\n".join(link.sub(with_badge, line) if line.startswith("|") else line for line in lines)


def publish(root: Path, place: Place) -> list[Path]:
    """Write `place` everywhere under `root`; returns the files that changed."""
    changed = []
    edits = [(root / "course" / "setup_cell.py", lambda text: name_repository(text, place))]
    edits += [(root / "README.md", lambda text: badge_table(text, place))]
    for path in sorted((root / "notebooks" / "source").glob("*.md")):
        edits.append((path, lambda text, path=path: link_chapter(name_repository(text, place), path.stem, place)))
    for path, edit in edits:
        old = path.read_text(encoding="utf-8")
        if (new := edit(old)) != old:
            path.write_text(new, encoding="utf-8", newline="\n")
            changed.append(path)
    return changed + [p for p in sorted((root / "notebooks").glob("*.ipynb")) if _publish_notebook(p, place)]


def _publish_notebook(path: Path, place: Place) -> bool:
    """The same edits in the cells of an executed notebook, whose outputs stay as they are."""
    from course import build  # needs the packages of requirements-test.txt

    notebook = build.nbformat.read(path, as_version=4)
    before = [cell.source for cell in notebook.cells]
    titled = False
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.source = name_repository(cell.source, place)
        elif not titled:
            linked = link_chapter(cell.source, path.stem, place)
            titled, cell.source = place.colab(path.stem) in linked, linked
    if before == [cell.source for cell in notebook.cells]:
        return False
    build.write(notebook, path)
    return True


def main(arguments: list[str] | None = None, root: Path = ROOT) -> int:
    """The command; returns its exit status."""
    parser = argparse.ArgumentParser(prog="python -m course.publish", description="Names the course's public home.")
    parser.add_argument("repository", metavar="OWNER/REPO", help="as in the address of the repository on GitHub")
    parser.add_argument("--branch", default="main", help="the branch that readers get (default: main)")
    options = parser.parse_args(arguments)
    try:
        place = Place(options.repository, options.branch)
    except ValueError as error:
        parser.error(str(error))
    changed = publish(root, place)
    for path in changed:
        print(path.relative_to(root).as_posix())
    print(f"{len(changed)} files now name {place.repository}, branch {place.branch}." if changed else "Nothing to change.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
