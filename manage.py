#!/usr/bin/env python
"""Django's command line for the portal."""

import os
import sys


def main() -> None:
    """Run one management command."""
    if sys.argv[1:4] == ["policy", "plan", "--from-json"] and len(sys.argv) == 5:
        judge_file(sys.argv[4])
        return
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


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
