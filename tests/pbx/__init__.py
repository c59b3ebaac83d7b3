"""PBXs that are not ours, around the real gateway: what each tells us, and what each makes of our answers."""
