"""`python -m thresher` is the command line."""

from thresher.cli.main import main

main()
