"""The poll loop: reads the inventory and publishes a snapshot."""
