"""The input-file format: bytes -> document -> findings. Pure: no database, no command line."""
