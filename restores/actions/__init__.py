"""What can be done with restore requests. State changes happen here and nowhere else."""
