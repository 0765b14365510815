"""Where the command begins: completion is answered at once, everything else goes to click."""

import os


def main() -> None:
    """The console script."""
    if "_DAYBOOK_COMPLETE" in os.environ:
        from commands.cli.completion import complete

        if complete():
            return
    from commands.cli.main import cli

    cli.main()
