/* Threads without a C library. */
#ifndef KVM_TRACE_START_H
#define KVM_TRACE_START_H

#include <stddef.h>

/* It ends when the function returns. Negative: an errno. */
long start_thread(void (*function)(void *), void *argument);
void *memset(void *to, int value, size_t count);
void *memcpy(void *to, const void *from, size_t count);

#endif
