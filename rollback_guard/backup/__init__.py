"""Backups: taken, proven by restoring them, attested, kept, and put back."""
