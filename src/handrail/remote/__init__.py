"""A rail that talks to a server: the tools run here, what they may do is decided and recorded there."""
