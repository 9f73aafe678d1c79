"""Resources and backups over the API."""
