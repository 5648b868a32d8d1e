"""The command line, as `python -m thresher` and as `thresher`."""

import sys


def main() -> None:
    """Run a command. Ctrl-C prints one line even while libraries are still being imported."""
    try:
        from thresher.cli.main import main as command
    except KeyboardInterrupt:
        sys.stderr.write("\ninterrupted. Run the same command again.\n")
        raise SystemExit(130) from None
    command()


if __name__ == "__main__":
    main()
