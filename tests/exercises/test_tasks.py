"""What every exercise of every chapter is held to: see docs/writing_an_exercise.md."""

import ast
import contextlib
import inspect
import itertools

import numpy as np
import pytest

from course.exercises import cells, exact
from course.exercises.checking import answers_of, check, hint, solution, unfinished
from course.exercises.compare import same
from course.exercises.diagnose import built, outcome_of, recognise, together
from course.exercises.feedback import OPEN, REFUSED
from course.exercises.store import store
from course.exercises.task import Pipeline, all_tasks

TASKS = list(all_tasks().values())
VARIANTS = [(task, variant) for task in TASKS for variant in task.variants]
MISTAKES = [(task, mistake) for task in TASKS for mistake in task.mistakes]
FEWEST = {"attention": 8, "softmax": 6}  # mistakes; four for any other


def names(items):
    return [item.name if hasattr(item, "name") else getattr(item, "__name__", str(item)) for item in items]


def made_from(task, source, tmp_path):
    """A function written down as a learner writes it: in a file of its own, with NumPy, what the solution imports, and what
    the signature names (a default such as `gelu`), which the chapter has imported."""
    path = tmp_path / "cell.py"
    path.write_text(source, encoding="utf-8")
    module = vars(inspect.getmodule(task.reference))
    function = next(node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef))
    signature = [node for part in (function.args, function.returns) if part for node in ast.walk(part)]
    named = {node.id: module[node.id] for node in signature if isinstance(node, ast.Name) and node.id in module}
    namespace = {**named, "np": np, "...": ...}
    exec(compile(source, str(path), "exec"), namespace)  # noqa: S102
    return namespace[task.reference.__name__]


def attempt_of(task, version):
    """A wrong version as a learner would hand it in."""
    return version() if task.traced else version


@pytest.mark.parametrize("task", TASKS, ids=names(TASKS))
def test_the_steps_are_the_reference(task):
    for case, answer in zip(task.inputs, answers_of(task)):
        with np.errstate(all="ignore"):
            result = task.steps(*case.arguments)
        for wanted, given in zip(answer.parts, result if isinstance(result, tuple) else (result,)):
            if exact.asked(wanted):
                assert given == wanted and type(given) is type(wanted)
                continue
            np.testing.assert_allclose(given, wanted, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("task", TASKS, ids=names(TASKS))
def test_an_untouched_stub_is_not_attempted(task, tmp_path):
    attempt = [..., ...] if task.traced else made_from(task, cells.stub(task), tmp_path)
    feedback = check(task.name, attempt)
    assert feedback.state == OPEN and not feedback.passed
    assert "Not attempted yet" in repr(feedback)
    assert store().tasks() == []


@pytest.mark.parametrize("task", [task for task in TASKS if not task.traced], ids=lambda task: task.name)
def test_the_solution_that_is_shown_passes_and_is_kept(task, tmp_path):
    shown = cells.solution(task)
    attempt = made_from(task, shown, tmp_path)
    assert check(task.name, attempt).passed
    assert store().source(task.name).strip() in shown
    (entry,) = store().tasks()
    assert (entry.task, entry.chapter, entry.attempts) == (task.name, task.chapter, 1)


@pytest.mark.parametrize("task, variant", VARIANTS, ids=[f"{task.name}-{names([v])[0]}" for task, v in VARIANTS])
def test_right_variants_pass(task, variant):
    feedback = check(task.name, variant)
    assert feedback.passed, feedback


@pytest.mark.parametrize("task", TASKS, ids=names(TASKS))
def test_there_are_enough_of_everything(task):
    assert len(task.variants) >= 2
    assert len(task.mistakes) >= FEWEST.get(task.name, 4)
    assert 2 <= len(task.words["hints"]) <= 5
    assert 1 <= task.difficulty <= 5 and 1 <= task.minutes <= 30


@pytest.mark.parametrize("task, mistake", MISTAKES, ids=[f"{task.name}-{mistake.name}" for task, mistake in MISTAKES])
def test_every_mistake_is_refused_with_its_own_sentence(task, mistake):
    feedback = check(task.name, attempt_of(task, built(task, (mistake,))))
    assert feedback.state == REFUSED
    assert feedback.versions == ((mistake.name,),), feedback
    words = task.words["mistakes"][mistake.name]
    assert words["does"] in feedback.sentences[0] and words["tip"] in feedback.sentences[0]
    others = {other["does"] for name, other in task.words["mistakes"].items() if name != mistake.name}
    assert not any(f"a version that {other}" in feedback.sentences[0] for other in others if other not in words["does"])


@pytest.mark.parametrize("task", TASKS, ids=names(TASKS))
def test_sentences_belong_to_mistakes_notes_and_properties(task):
    assert set(task.words["mistakes"]) == set(names(task.mistakes)), "a sentence without a mistake, or the reverse"
    assert set(task.words.get("notes", {})) == {case.note for case in task.inputs} - {""}
    assert set(task.words.get("properties", {})) == set(names(task.properties))
    assert len({words["does"] for words in task.words["mistakes"].values()}) == len(task.mistakes)


@pytest.mark.parametrize("task", TASKS, ids=names(TASKS))
def test_two_mistakes_at_once_are_refused_and_nothing_false_is_claimed(task):
    """Every pair is recognised as itself, or as something that gives the same answers on every input."""
    cases, answers = task.inputs, answers_of(task)
    cancelled = []
    for pair in itertools.islice(together(task, 2), 0, None, 1 if len(task.mistakes) < 16 else 5):
        outcomes = [outcome_of(built(task, pair), case.arguments) for case in cases]
        right = [outcome_of(task.reference, case.arguments) for case in cases]
        wrong = [i for i in range(len(cases)) if not same(outcomes[i], right[i], answers[i])]
        if not wrong:
            cancelled.append(pair)  # counted from one, and then one too many
            continue
        versions = recognise(task, cases, answers, outcomes, wrong)
        if not all(outcome.kind == "exception" for outcome in outcomes):
            assert versions, names(pair)
        for version in versions:
            for case, answer, outcome in zip(cases, answers, outcomes):
                assert same(outcome_of(built(task, version), case.arguments), outcome, answer), (names(pair), names(version))
    assert len(cancelled) <= 1, [names(pair) for pair in cancelled]


@pytest.mark.parametrize("task", [task for task in TASKS if not task.traced], ids=lambda task: task.name)
def test_constants_and_arguments_are_refused(task):
    first = outcome_of(task.reference, task.inputs[-1].arguments).value
    constant = check(task.name, lambda *arguments: first)
    assert constant.state == REFUSED and constant.kind == "constant", constant
    argument = check(task.name, lambda *arguments: arguments[0])
    assert argument.state == REFUSED and argument.kind in ("argument", "mistake"), argument


@pytest.mark.parametrize("task", [task for task in TASKS if not task.traced], ids=lambda task: task.name)
def test_the_courses_own_function_is_noticed(task):
    reference = task.reference

    def hands_on(*arguments):
        return reference(*arguments)

    assert check(task.name, reference).kind == "course_own"
    feedback = check(task.name, hands_on)
    assert feedback.state == REFUSED and feedback.kind == "calls_own", feedback
    assert store().source(task.name) is None


@pytest.mark.parametrize("task", TASKS, ids=names(TASKS))
def test_properties_hold_for_right_answers_and_each_fails_for_some_mistake(task):
    cases = task.inputs
    values = [outcome_of(task.reference, case.arguments).value for case in cases]
    for each in task.properties:
        assert each.holds(cases, values), each.name
        broken = False
        for version in together(task, 1):
            results = [outcome_of(built(task, version), case.arguments) for case in cases]
            fit = [i for i, r in enumerate(results) if r.kind == "value" and _alike(r.value, values[i])]
            if fit:
                with np.errstate(all="ignore"), contextlib.suppress(TypeError):  # a list of other things than ids
                    broken |= each.holds([cases[i] for i in fit], [results[i].value for i in fit]) in (False, np.False_)
        assert broken, f"{each.name} is never broken"


def _alike(value, wanted):
    if exact.asked(wanted):
        return exact.kind(wanted, value) is None
    parts = zip(value, wanted) if isinstance(wanted, tuple) and isinstance(value, tuple) else [(value, wanted)]
    return all(np.shape(a) == np.shape(b) and np.asarray(a).dtype == np.asarray(b).dtype for a, b in parts)


@pytest.mark.parametrize("task", TASKS, ids=names(TASKS))
def test_hints_come_one_by_one_and_the_solution_when_asked_twice(task):
    hints = task.words["hints"]
    for count in range(1, len(hints) + 1):
        text = repr(hint(task.name))
        assert [plain(each) in text for each in hints] == [n < count for n in range(len(hints))]
        assert store().hints(task.name) == count
    hint(task.name)
    assert store().hints(task.name) == len(hints)
    assert "def " not in repr(solution(task.name))
    assert repr(solution(task.name)).strip() == cells.solution(task).strip()


def plain(text):
    return text.replace("`", "")


@pytest.mark.parametrize("task", [task for task in TASKS if not task.traced], ids=lambda task: task.name)
def test_a_stub_is_the_package_function_without_its_body(task):
    stub, source = cells.stub(task), cells.solution(task)
    assert stub.split("\n")[0] in source  # the signature
    tree = ast.parse(stub).body[0]
    assert ast.get_docstring(tree) and "Raises" not in ast.get_docstring(tree)
    body = source[source.index('"""', source.index('"""') + 3) + 3 :]
    told = [line.strip() for line in body.split("\n") if line.strip() and line.strip() in stub]
    lines = [line for line in body.split("\n") if line.strip()]
    assert len(lines) - len(told) == (1 if task.blank else len(lines)), told


def test_a_line_left_open_is_unfinished_and_a_forgotten_mark_is_not(tmp_path):
    task = all_tasks()["softmax"]
    assert unfinished(made_from(task, "def softmax(x, axis=-1):\n    e = ...\n    return e\n", tmp_path))
    assert unfinished(made_from(task, 'def softmax(x, axis=-1):\n    """Text."""\n    pass\n', tmp_path))
    assert not unfinished(made_from(task, "def softmax(x, axis=-1):\n    ...\n    return x[..., None]\n", tmp_path))


def test_a_pipeline_knows_its_steps():
    double = Pipeline(lambda a, b=3: None, {"sum": lambda a, b: a + b, "result": lambda sum: 2 * sum})
    assert double(1) == 8 and double(1, 1) == 4
    assert double.replaced({"sum": lambda a: a})(5, 100) == 10
    assert double(1) == 8
    with pytest.raises(ValueError, match="no step is called total; there are sum, result"):
        double.replaced({"total": lambda a: a})


def test_an_unknown_exercise_is_said_with_its_neighbours():
    with pytest.raises(ValueError, match="No exercise is called 'sofmax'. Did you mean softmax"):
        check("sofmax", None)


def test_states_have_marks():
    assert [repr(check("softmax", answer))[0] for answer in (..., lambda x, axis=-1: x)] == ["○", "✗"]
    assert repr(check("attention_trace", all_tasks()["attention_trace"].variants[0]))[0] == "✓"
