"""Compare the exporter with its peers in one run; all results are ratios."""
