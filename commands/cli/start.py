"""Where the command begins: a shell that completes a word is answered at once, everything else by click."""

import os


def main() -> None:
    """The console script."""
    if "_DAYBOOK_COMPLETE" in os.environ:
        from commands.cli.completion import complete

        if complete():
            return
    from commands.cli.main import cli

    cli.main()
