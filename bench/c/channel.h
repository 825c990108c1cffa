/* One way to send and receive, blocking, over a System V queue
 * (sysv:0xKEY), a POSIX queue (/name) or a Unix stream socket (unix:/path). */
#ifndef CHANNEL_H
#define CHANNEL_H

#include <stddef.h>

enum channel_kind { SYSV, POSIX, UNIX };

struct channel {
  enum channel_kind kind;
  int id; /* msqid, mqd_t (an int on Linux) or socket */
};

/* msgsnd(2)'s layout; POSIX queues and sockets use the data alone. */
struct message {
  long type;
  char data[];
};

enum side { SENDS, RECEIVES };

struct channel channel_open(const char *address, enum side side);

/* Space for one message of `size` bytes or of the largest the queue may hold. */
struct message *channel_buffer(const struct channel *c, size_t size, size_t *capacity);

void channel_send(const struct channel *c, const struct message *m, size_t size);
size_t channel_receive(const struct channel *c, struct message *m, size_t capacity);

#endif
