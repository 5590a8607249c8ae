"""`sanilens bench` and `sanilens demo build`, which exist in a clone."""
