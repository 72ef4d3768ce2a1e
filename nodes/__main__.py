"""`python -m nodes` is `tally`."""

from nodes.cli import main

main()
