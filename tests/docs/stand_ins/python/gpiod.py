"""Stands in for a gpiod that is not of version 2: here edges come through lgpio, whose lines are files."""
