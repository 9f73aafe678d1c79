#!/usr/bin/env python
"""Django's command line for the portal."""

import os
import select
import signal
import sys


def main() -> None:
    """Run one management command. Whoever reads its answer may leave early, as ``head`` does."""
    try:
        try:
            run()
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        if not answer_is_unread():
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for what is left of the answer
        sys.exit(128 + signal.SIGPIPE)


def answer_is_unread() -> bool:
    """Whether nobody reads standard output any more; another pipe of the portal may have broken."""
    answer = select.poll()
    answer.register(sys.stdout, 0)  # errors are told all the same
    return bool(answer.poll(0))


def run() -> None:
    """Run it."""
    if sys.argv[1:3] == ["policy", "plan"] and (file := history_file(sys.argv[3:])) is not None:
        judge_file(file)
        return
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


def history_file(words: list[str]) -> str | None:
    """What --from-json names, where nothing else is asked for; the answer is JSON with and without --json."""
    match [word.partition("=") if word.startswith("--") else word for word in words if word != "--json"]:
        case [("--from-json", "", ""), str() as file] | [("--from-json", "=", file)]:
            return file
    return None


def judge_file(file: str) -> None:
    """Judging a history needs nothing of the portal, and starting Django takes longer than 100,000 backups do."""
    from backups.histories import WrongHistory, judge_file

    try:
        print(judge_file(file, os.environ.get("POLICY_TIME_ZONE") or "UTC"))
    except WrongHistory as error:
        print(f"CommandError: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
