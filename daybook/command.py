"""The entry point of the command ``daybook``. Importing ``daybook`` has made sure whose packages are there."""


def main() -> None:
    """Run the command line."""
    from commands.cli.start import main as run

    run()
