"""The rehearsal's identity provider, over real HTTP, judged by the code that it is there to try."""
