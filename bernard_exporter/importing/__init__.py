"""Policies from what the predecessors were told: Puppet's hiera, lists of sections, the writer's own configuration."""
