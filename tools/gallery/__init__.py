"""Pictures of the boards, drawn from what their queries answer; ``python -m tools.gallery`` writes them to docs."""
