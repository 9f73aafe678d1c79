"""Pages that are made from the code say what the code says now, and what they name exists."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command, get_commands, load_command_class
from django.template import engines
from django.template.utils import get_app_template_dirs

from portal.environment import VARIABLES
from portal.management.commands import environment_table

ROOT = Path(__file__).resolve().parents[2]


def test_the_table_of_variables_is_in_step():
    call_command("environment_table", "--check")


def test_a_stale_table_is_noticed(tmp_path, monkeypatch):
    page = tmp_path / "operating.md"
    page.write_text(environment_table.PAGE.read_text().replace("| `DEMO` |", "| `DEMOS` |"))
    monkeypatch.setattr(environment_table, "PAGE", page)
    with pytest.raises(CommandError, match="stale"):
        call_command("environment_table", "--check")
    call_command("environment_table")
    call_command("environment_table", "--check")
    assert page.read_text() == (ROOT / "docs/operating.md").read_text()


@pytest.mark.parametrize("page", ["README.md", *(str(path.relative_to(ROOT)) for path in (ROOT / "docs").glob("*.md"))])
def test_commands_and_links_exist(page):
    text = (ROOT / page).read_text()
    commands = set(re.findall(r"manage\.py ([a-z_]+)", text))
    assert commands <= set(get_commands())
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"`make ([a-z-]+)", text)) <= targets
    for link in re.findall(r"\]\((?!https?:)([^)#]+)", text):
        assert ((ROOT / page).parent / link).exists(), link


def test_the_examples_of_the_commands_are_understood():
    """Each is what its command accepts; what it then does is tested beside the command."""
    text = (ROOT / "docs/operating.md").read_text()
    examples = re.findall(r"^python manage\.py ([^#\n]+)", text, re.MULTILINE)
    assert len(examples) > 10
    for example in examples:
        name, *words = shlex.split(example)
        command = load_command_class(get_commands()[name], name)
        command.create_parser("manage.py", name).parse_args(words)


def test_the_readme_names_every_folder_of_tests():
    (row,) = re.findall(r"^\| `tests/` \|(.*)\|$", (ROOT / "README.md").read_text(), re.MULTILINE)
    folders = {path.parent.name for path in (ROOT / "tests").glob("*/__init__.py")} | {"pure"}
    assert set(re.findall(r"`([a-z]+)/`", row)) == folders


def test_every_variable_is_used_or_explained():
    assert len({one.name for one in VARIABLES}) == len(VARIABLES)


def test_every_template_compiles():
    engine = engines["django"]
    names = [
        str(path.relative_to(folder))
        for folder in [ROOT / "templates", *get_app_template_dirs("templates")]
        if folder.is_relative_to(ROOT) and ".venv" not in folder.parts
        for path in folder.rglob("*.*")
    ]
    assert names
    for name in names:
        engine.get_template(name)
