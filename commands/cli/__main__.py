"""``python -m commands.cli``: the console script by another name."""

from commands.cli.start import main

if __name__ == "__main__":
    main()
