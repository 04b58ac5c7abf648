"""What the course costs, measured beside its peers in the same run: `python -m course.bench`."""
