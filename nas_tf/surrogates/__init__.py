"""Features of architectures, and models over them, that searches of several papers share."""
