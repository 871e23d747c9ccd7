"""``make trust``: simulate fleets, and compare the alerts with what they promise."""
