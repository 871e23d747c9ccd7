"""Imports policies from the predecessors' files: Puppet hiera, lists of sections, the writer's configuration."""
