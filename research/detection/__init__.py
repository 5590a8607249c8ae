"""Detection measured: how much of what is sensitive is found in prose and in notes."""
