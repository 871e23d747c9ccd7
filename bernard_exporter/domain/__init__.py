"""The rules of backups: pure, without input, output or a clock."""
