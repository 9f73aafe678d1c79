"""What can be done with resources and backups. State changes happen here and nowhere else."""
