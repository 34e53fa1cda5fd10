"""One module per part of the story; each plays its part and yields what it claims."""
