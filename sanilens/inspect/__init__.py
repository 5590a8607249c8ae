"""What in it says so: attribution, exact ablation, and what single units do."""
