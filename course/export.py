"""Notebook to web page: runs a notebook and writes one HTML file in which its explorers live without a kernel.

    python -m course.export notebooks/03_attention.ipynb            → 03_attention.html beside it
    python -m course.export notebooks/*.ipynb --out pages           → pages/NN_name.html

The page carries the state of every widget; the notebook itself is left as it is.  With a network, the scripts that
nbconvert names (widgets, formulas) are loaded and the explorers answer to mouse and keys; what needs Python does not.
Without one, the picture of each explorer's first state stands in its place, and formulas are read as TeX.
"""

import argparse
import os
import sys
from pathlib import Path

import nbformat

from course.build import BuildError, execute

try:
    from nbconvert import HTMLExporter
except ModuleNotFoundError as missing:
    raise SystemExit(f"Exporting notebooks needs {missing.name}: pip install -r requirements-test.txt") from None

# The picture gives way only to a view that has drawn something: while scripts load, and if one fails, it stays.  The
# course's explorers count their drawings; of other widgets it is enough to be higher than an empty one.
# Until then the view keeps its width (drawings measure it) but neither shows nor takes room.
# data-course-alone tells the explorers that no Python will answer (static/kit_shell.js).  …-cdn-only: a script called
# anywidget.js that happens to lie in the page's folder is not run.
TEMPLATE = """
{%- extends 'lab/index.html.j2' -%}
{%- block notebook_css -%}
{{ super() }}
{{ resources.include_css("static/theme-dark.css")
   | replace("<style", '<style media="screen and (prefers-color-scheme: dark)"') }}
<style>
:root { color-scheme: light dark; }
@media print { :root { color-scheme: light; } }
body { background: var(--jp-layout-color0); color: var(--jp-content-font-color1); }
.course-widget { flex: 1 1 auto; min-width: 0; }
.course-widget > .jupyter-widgets { display: block; }
.course-widget:not(.course-live) > .jupyter-widgets { visibility: hidden; height: 0; overflow: hidden; }
.course-live > .course-picture { display: none; }
.course-picture img { max-width: 100%; height: auto; }
</style>
{%- endblock notebook_css -%}
{%- block data_widget_view scoped -%}
<div class="course-widget">
{{ super() }}
<div class="course-picture jp-RenderedHTMLCommon">
{%- if "text/html" in output.data %}{{ output.data["text/html"] }}
{%- else %}<pre>{{ output.data["text/plain"] | e }}</pre>{% endif -%}
</div>
</div>
{%- endblock data_widget_view -%}
{%- block body_footer -%}
<script data-jupyter-widgets-cdn-only>
(() => {
    document.documentElement.dataset.courseAlone = "";
    const dark = matchMedia("screen and (prefers-color-scheme: dark)");
    const paint = () => { document.body.dataset.jpThemeLight = String(!dark.matches); };
    dark.addEventListener("change", paint);
    paint();
    for (const widget of document.querySelectorAll(".course-widget")) {
        const view = widget.querySelector(".jupyter-widgets");
        const drawn = () => {
            const explorer = view.querySelector("[data-revision]");
            if (explorer) return explorer.dataset.revision !== "0";
            return view.scrollHeight > 16 && !view.querySelector(".jupyter-widgets-error-widget");
        };
        const watch = new MutationObserver(() => {
            if (!drawn()) return;
            widget.classList.add("course-live");
            watch.disconnect();
        });
        watch.observe(view, {childList: true, subtree: true, attributes: true, attributeFilter: ["data-revision"]});
    }
})();
</script>
{{ super() }}
{%- endblock body_footer -%}
"""


def page(notebook: nbformat.NotebookNode, name: str) -> str:
    """The HTML of an executed notebook with the widgets' state in its metadata, as `execute` leaves it there."""
    exporter = HTMLExporter(raw_template=TEMPLATE)
    return exporter.from_notebook_node(notebook, resources={"metadata": {"name": name}})[0]


def export(source: Path, target: Path, timeout: int = 600) -> None:
    """Run a copy of the notebook `source` in its folder and write `target`; all of it or, after an error, nothing.

    Raises BuildError where the file is no notebook, or at the first cell that fails.
    """
    try:
        notebook = nbformat.read(source, as_version=4)
    except FileNotFoundError:
        raise BuildError(f"there is no notebook {source}") from None
    except (ValueError, nbformat.reader.NotJSONError) as error:
        raise BuildError(f"{source} is not a notebook: {str(error).splitlines()[0]}") from None
    notebook.metadata.pop("widgets", None)  # of an earlier kernel
    execute(notebook, source.stem, source.resolve().parent, timeout=timeout)
    text = page(notebook, source.stem)
    part = target.with_name(target.name + ".part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(text, encoding="utf-8", newline="\n")
        os.replace(part, target)
    finally:
        part.unlink(missing_ok=True)


def main(arguments: list[str] | None = None) -> int:
    """The command; returns its exit status."""
    parser = argparse.ArgumentParser(prog="python -m course.export", description="Notebooks → pages that stay alive.")
    parser.add_argument("notebooks", nargs="+", type=Path, metavar="NOTEBOOK", help="a .ipynb file")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="where the pages go (default: beside each notebook)")
    parser.add_argument("--timeout", type=int, default=600, metavar="SECONDS", help="for one cell (default: 600)")
    options = parser.parse_args(arguments)
    failed = False
    for source in options.notebooks:
        target = (options.out or source.parent) / f"{source.stem}.html"
        try:
            export(source, target, options.timeout)
        except BuildError as error:
            failed = True
            print(error, file=sys.stderr)
        else:
            print(f"{target}: {target.stat().st_size // 1000} kB")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
