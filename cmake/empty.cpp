// Keeps a library that has no sources on this platform a library.
