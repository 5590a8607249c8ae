"""Every method and control on one case, one table: what still leaks, what it cost."""
