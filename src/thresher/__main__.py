"""`python -m thresher` and `thresher` are the command line."""

import sys


def main() -> None:
    """Run a command. Ctrl-C while its libraries are still being imported is one line too."""
    try:
        from thresher.cli.main import main as command
    except KeyboardInterrupt:
        sys.stderr.write("\ninterrupted. Run the same command again.\n")
        raise SystemExit(130) from None
    command()


if __name__ == "__main__":
    main()
