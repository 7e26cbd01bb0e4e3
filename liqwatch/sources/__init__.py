"""Where the bytes come from: sockets, polls and tapes. Whatever arrives becomes a `Record`."""
