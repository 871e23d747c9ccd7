"""``python -m bernard_exporter`` is the command."""

from bernard_exporter.cli import main

main()
