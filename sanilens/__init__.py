"""SaniLens: see what a language model has memorised, choose what to erase, repair, and prove it.

The packages form one line, and imports go up it only:
corpus -> model -> audit -> dictionaries -> inspect -> unlearn -> runs -> ui, cli.
"""

__version__ = "0.1.0"
