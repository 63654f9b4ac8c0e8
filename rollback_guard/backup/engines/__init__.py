"""The kinds of things that are backed up, one file each; each meets the protocol in `backup.engine`."""
