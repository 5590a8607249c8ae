"""Benchmarks: what produced every figure that the README shows. Ratios within one run."""
