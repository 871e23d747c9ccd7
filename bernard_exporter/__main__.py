"""``python -m bernard_exporter`` is the command."""

from bernard_exporter.commands import main

main()
