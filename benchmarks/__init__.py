"""What we claim about speed, runnable, beside the peers: ``make bench``, ``make bench NAME=decide``."""
