"""How facts come to be: commands, the input format, the readers of session directories."""
