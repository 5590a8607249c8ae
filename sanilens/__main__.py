"""`python -m sanilens`, the same as `sanilens`."""

from sanilens.cli.main import main

main()
