"""Side by side with peers: medians and ratios of whole processes. Nothing here is a test, and no test reads a clock."""
