"""The demo: two companies whose resources, backups and restores are all real, below DATA_DIR. Only with DEMO=1."""
