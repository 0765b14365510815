"""What a session directory holds. Pure: no database, no command line; big binary files are never opened."""
