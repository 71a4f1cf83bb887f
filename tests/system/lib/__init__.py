"""What the system tests share: a server, certificates for it, and clients that see every byte."""
