/*
 * instance: the name by which the commands of mta-stsd find the running server, and by which it finds
 * the state that it has written: made from the name of its configuration file alone.
 *
 * The file itself may be missing or broken. Two names of one directory (by a symbolic link) give one
 * instance; the last component is taken as it is written.
 */
#ifndef SERVER_INSTANCE_H
#define SERVER_INSTANCE_H

enum { INSTANCE_NAME_LEN = 16 /* hexadecimal digits */ };

/* Writes the name and a NUL. 0, or -1 with errno: the file's directory does not exist or cannot be
   entered. */
int instance_name(const char *config_path, char out[INSTANCE_NAME_LEN + 1]);

#endif
