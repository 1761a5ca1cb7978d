/* complain.h - log lines about peers that do not speak the protocol. */
#ifndef WEIR_COMPLAIN_H
#define WEIR_COMPLAIN_H

/* Logs what is wrong with the peer of the connection, once a minute for each peer. */
void complain(int fd, const char *trouble);

#endif
