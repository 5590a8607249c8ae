"""`python -m sanilens`, the same as `sanilens`."""

from sanilens.cli import main

main()
