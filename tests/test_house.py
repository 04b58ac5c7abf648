"""The rules of the house, for the course, and each of them against a small house with one thing out of place."""

import importlib
import inspect
import re
import types
from pathlib import Path

import pytest

from tests.house import python_rules, text_rules

ROOT = Path(__file__).resolve().parent.parent
RULES = python_rules.RULES + text_rules.RULES
BY_NAME = {rule.__name__: rule for rule in RULES}

# A house in order.  Planted violations replace or add one file.
GOOD = {
    "README.md": "# Course\n\n| chapter |\n|---|\n| [03](notebooks/03_attention.ipynb) |\n\n[licence](LICENSE)\n",
    "LICENSE": "MIT\n",
    "start.py": '"""Starts."""\nimport os, sys\nfrom course import sentences\n',
    "notebooks/03_attention.ipynb": "{}",
    "course/__init__.py": '"""The map."""\n',
    "course/blocks/__init__.py": '"""Blocks."""\n',
    "course/blocks/attention.py": '"""Attention."""\nimport numpy as np\n\n\ndef softmax(x):\n    """Weights."""\n    return x\n',
    "course/models/__init__.py": '"""Models."""\n',
    "course/models/gpt.py": '"""GPT."""\nfrom course.blocks.attention import softmax\n',
    "course/adjust/training.py": '"""Training."""\nfrom ..models import gpt\n',
    "course/pretrained/gpt2.py": '"""GPT-2."""\n\n\ndef load():\n    """Loads."""\n    import transformers\n',
    "course/figures.py": '"""Figures."""\nimport matplotlib\n',
    "course/build.py": '"""Builds."""\nfrom course import explore, figures\n',
    "course/exercises/cards.py": '"""Cards."""\nfrom course import explore, figures\n',
    "course/explore/__init__.py": '"""Explorers."""\n_HOMES = {"attention": "attention_explorer"}\n'
    "__getattr__, __dir__ = _HOMES.get, list\n",
    "course/explore/attention_explorer.py": '"""The explorer."""\nimport anywidget\nfrom course import figures\n\n\n'
    "class Explorer:\n"
    '    """It."""\n\n    topics = (("explore", "attention"),)\n    _esm = ["attention.js"]\n\n'
    '    def summary(self):\n        return self.say("one" if self else "many", n=1)\n',
    "course/explore/static/attention.js": 'const NS = "http://www.w3.org/2000/svg";\n'
    "root.textContent = say(words.one, { n }); // words.map(x)\nexport default { render };\n",
    "course/explore/static/attention.css": ".cell { fill: url(#hatch); }\n",
    "course/sentences/__init__.py": '"""Sentences."""\nimport tomllib\n\n\ndef table(name):\n    """A table."""\n'
    '    return table("explore")["attention"]["one"]\n',
    "course/sentences/en/explore.toml": '[attention]\none = "one of {n}"\nmany = ["a", "b"]\nlimit = 3\n',
    "tests/test_x.py": "import pytest\nfrom numpy import testing\n\n\ndef same(a, b):\n    check(a, b)\n\n\n"
    "def check(a, b):\n    assert a == b\n\n\ndef test_a():\n    same(1, 1)\n\n\ndef test_b():\n"
    "    with pytest.raises(KeyError):\n        {}[1]\n\n\ndef test_c():\n    testing.assert_allclose(1, 1)\n",
}

ATTENTION, EXPLORER, SCRIPT = "course/blocks/attention.py", "course/explore/attention_explorer.py", "course/explore/static/attention.js"
TABLE, README, TEST = "course/sentences/en/explore.toml", "README.md", "tests/test_x.py"
HOST, PLACE, UNFINISHED = text_rules.HOSTS[0], text_rules.PLACES[0], "TO" + "DO"

# rule, file, what is added at its end (or what replaces it), and (part of) the sentence that must say so
PLANTED = [
    ("earlier_rooms_know_nothing_of_later_ones", ATTENTION, "import course.models.gpt\n", "attention.py:8: blocks imports models"),
    ("earlier_rooms_know_nothing_of_later_ones", ATTENTION, "from ..models import gpt\n", "blocks imports models"),
    ("earlier_rooms_know_nothing_of_later_ones", ATTENTION, "from .. import lens\n", "blocks imports lens"),
    ("earlier_rooms_know_nothing_of_later_ones", ATTENTION, "def f():\n    from course import adjust\n", "imports adjust"),
    ("earlier_rooms_know_nothing_of_later_ones", ATTENTION, 'import_module("course.predict")\n', "imports predict"),
    ("earlier_rooms_know_nothing_of_later_ones", "course/text/bpe.py", '"""B."""\nfrom course import vectors\n', "text imports"),
    ("earlier_rooms_know_nothing_of_later_ones", "course/models/gpt.py", "from course.adjust import x\n", "models imports adjust"),
    ("nothing_imports_what_shows", ATTENTION, "from course import explore\n", "blocks imports explore"),
    ("nothing_imports_what_shows", "course/adjust/training.py", "from ..figures import show\n", "adjust imports figures"),
    ("nothing_imports_what_shows", "course/__init__.py", "from course import exercises\n", "course imports exercises"),
    ("nothing_imports_what_shows", EXPLORER, "from course.exercises import cards\n", "explore imports exercises"),
    ("nothing_imports_what_shows", "course/figures.py", "from course import explore\n", "figures imports explore"),
    ("transformers_stay_in_pretrained", ATTENTION, "def f():\n    import transformers.models\n", "imports transformers"),
    ("transformers_stay_in_pretrained", "course/pretrained/gpt2.py", "from transformers import GPT2Model\n", "gpt2.py:7 imports"),
    ("drawing_stays_in_figures_and_explorers", ATTENTION, "import matplotlib.pyplot\n", "imports matplotlib.pyplot"),
    ("drawing_stays_in_figures_and_explorers", "course/exercises/cards.py", "def f():\n    import ipywidgets\n", "ipywidgets"),
    ("start_needs_only_the_standard_library", "start.py", "import numpy\n", "start.py:4 imports numpy"),
    ("start_needs_only_the_standard_library", "course/sentences/__init__.py", "import yaml\n", "imports yaml"),
    ("start_needs_only_the_standard_library", "start.py", "from course.blocks import attention\n", "attention.py:2 imports numpy"),
    ("handed_on_names_are_lazy_and_no_modules", "course/explore/attention.py", '"""A."""\n', "hands on attention, which is also"),
    ("handed_on_names_are_lazy_and_no_modules", "course/explore/attention/__init__.py", '"""A."""\n', "hands on attention"),
    ("handed_on_names_are_lazy_and_no_modules", "course/models/__init__.py", "from course.models.gpt import GPT\n", "at once"),
    ("handed_on_names_are_lazy_and_no_modules", "course/models/__init__.py", "from .gpt import GPT\n", "at once"),
    ("importing_the_course_imports_nothing_heavy", "course/__init__.py", "import numpy\n", "import course imports numpy"),
    ("importing_the_course_imports_nothing_heavy", "course/__init__.py", "from course import blocks\n1/0\n", "ZeroDivisionError"),
    ("importing_the_course_imports_nothing_heavy", "course/__init__.py", "from course.blocks import attention\n", "numpy"),
    ("public_names_have_docstrings", ATTENTION, "def attention(q):\n    return q\n", "attention has no docstring"),
    ("public_names_have_docstrings", ATTENTION, "class Layer:\n    pass\n", "Layer has no docstring"),
    ("public_names_have_docstrings", "course/lens/record.py", "x = 1\n", "record.py has no docstring"),
    ("files_and_functions_are_short", ATTENTION, "x = 1\n" * 400, "attention.py has 407 lines"),
    ("files_and_functions_are_short", SCRIPT, "x\n" * 400, "attention.js has 403 lines"),
    ("files_and_functions_are_short", ATTENTION, "def long():\n" + "    x = 1\n" * 70, "long has 71 lines"),
    ("files_and_functions_are_short", "start.py", "x = 1\n" * 400, "start.py has 403 lines"),
    ("every_test_asserts_something", TEST, "def test_d():\n    same\n", "test_d asserts nothing"),
    ("every_test_asserts_something", TEST, "def test_d():\n    assert True\n", "test_d asserts nothing"),
    ("every_test_asserts_something", TEST, "class TestA:\n    def test_e(self):\n        print(1)\n", "test_e asserts nothing"),
    ("tokens_are_text_never_markup", SCRIPT, "root.innerHTML = token;\n", "attention.js:4 says 'innerHTML'"),
    ("tokens_are_text_never_markup", SCRIPT, 'root.insertAdjacentHTML("beforeend", x);\n', "insertAdjacentHTML"),
    ("tokens_are_text_never_markup", SCRIPT, "document.write(x); root.outerHTML = x;\n", "document.write"),
    ("tokens_are_text_never_markup", SCRIPT, "const f = new Function(x);\n", "new Function"),
    ("scripts_name_no_network", SCRIPT, 'const logo = "https://example.org/logo.svg";\n', "https:"),
    ("scripts_name_no_network", SCRIPT, 'import * as d3 from "./d3.js";\n', "import"),
    ("scripts_name_no_network", SCRIPT, "const data = await fetch(name);\n", "fetch"),
    ("scripts_name_no_network", "course/explore/static/attention.css", "@import 'a.css';\n", "@import"),
    ("scripts_name_no_network", "course/explore/static/attention.css", ".a { src: url(font.woff) }\n", "url"),
    ("scripts_name_no_network", SCRIPT, 'img.src = "//example.org/x.png";\n', "//e"),
    ("sentences_are_sentences", TABLE, "broken = \n", "can't be read"),
    ("sentences_are_sentences", TABLE, 'brace = "{n"\n', "brace can't be filled"),
    ("sentences_are_sentences", TABLE, 'hole = "{} of {n}"\n', "hole has a hole without a name"),
    ("sentences_are_sentences", TABLE, "day = 2026-01-01\n", "day is not text"),
    ("sentences_that_are_said_exist", EXPLORER, '        self.say("none")\n', "says none, which"),
    ("sentences_that_are_said_exist", EXPLORER, '        self.say("one" if self else "nine")\n', "says nine, which"),
    ("sentences_that_are_said_exist", EXPLORER, '    topics = (("explore", "plane"),)\n', "table explore.plane"),
    ("sentences_that_are_said_exist", SCRIPT, "say(words.missing);\n", "attention.js:4 says missing"),
    ("sentences_that_are_said_exist", ATTENTION, 'X = table("explore")["attention"]["gone"]\n', "explore.attention.gone"),
    ("sentences_that_are_said_exist", ATTENTION, 'X = table("nothing")\n', "asks for nothing"),
    ("the_readme_lists_the_chapters", "notebooks/04_heads.ipynb", "{}", "there are .*04_heads"),
    ("the_readme_lists_the_chapters", README, "| [05](notebooks/05_x.ipynb) |\n", "lists .*05_x"),
    ("the_readme_lists_the_chapters", README, "![a](assets/none.png)\n", "assets/none.png leads nowhere"),
    ("no_file_names_hosts_or_this_machine", README, f"See https://{HOST}/project\n", "README.md names"),
    ("no_file_names_hosts_or_this_machine", "requirements.txt", f"--index-url https://{HOST}/simple\n", "requirements.txt names"),
    ("no_file_names_hosts_or_this_machine", "notebooks/03_attention.ipynb", f'"{PLACE}main"', "ipynb names"),
    ("no_file_names_hosts_or_this_machine", "start.py", f'A = "{text_rules.HOSTS[2]} {text_rules.HOSTS[2]}"\n', "start.py names"),
    ("nothing_is_left_unfinished", SCRIPT, f"// {UNFINISHED}: colours\n", "attention.js says"),
    ("the_voice_is_kept", ATTENTION, "# obviously\n", "attention.py:8 says 'obviously'"),
    ("the_voice_is_kept", TABLE, 'easy = "simply drag"\n', "explore.toml:5 says 'simply'"),
    ("the_voice_is_kept", README, "It is just text.\n", "'just'"),
]  # fmt: skip


def write(root, files):
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_course_keeps(rule):
    assert rule(ROOT) == [], rule.__doc__


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_a_house_in_order_keeps(rule, tmp_path):
    assert rule(write(tmp_path, GOOD)) == []


def test_every_rule_has_a_planted_violation():
    assert {name for name, *_ in PLANTED} == set(BY_NAME)


@pytest.mark.parametrize("name, file, added, sentence", PLANTED, ids=[f"{i}-{row[0]}" for i, row in enumerate(PLANTED)])
def test_a_violation_is_noticed(tmp_path, name, file, added, sentence):
    write(tmp_path, GOOD | {file: GOOD.get(file, "") + added})
    assert any(re.search(sentence, found) for found in BY_NAME[name](tmp_path))


def test_one_cpu_index_in_start_is_allowed(tmp_path):
    write(tmp_path, GOOD | {"start.py": GOOD["start.py"] + f'INDEX = "https://{text_rules.HOSTS[2]}/whl/cpu"\n'})
    assert text_rules.no_file_names_hosts_or_this_machine(tmp_path) == []


# ── what can be seen only by importing ──────────────────────────────────────────────────────────────────────

LAZY = [path.parent.name for path in sorted((ROOT / "course").glob("*/__init__.py"))
        if re.search(r"^(def )?__getattr__", path.read_text(encoding="utf-8"), re.MULTILINE)]  # fmt: skip


def test_some_package_hands_names_on():
    assert "explore" in LAZY


@pytest.mark.parametrize("package", LAZY)
def test_a_name_that_is_handed_on_is_never_a_module(package):
    module = importlib.import_module(f"course.{package}")
    names = module.__all__
    assert names and set(names) <= set(dir(module))
    for name in names:
        value = getattr(module, name)
        assert not isinstance(value, types.ModuleType) and callable(value), name
        # … nor after the module it lives in was imported in every way Python knows
        importlib.import_module(inspect.getmodule(value).__name__)
        assert getattr(module, name) is value
    with pytest.raises(AttributeError, match="no_such_name"):
        module.no_such_name
