"""The whole portal on one machine under one command: web, workers and beat as children of one process."""
