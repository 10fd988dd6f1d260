"""Runs the command line: `python -m pipelines`."""

from pipelines.cli import main

if __name__ == "__main__":
    main()
