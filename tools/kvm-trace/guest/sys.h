/*
 * System calls of arm64 Linux, for a program without a C library: any compiler for arm64 will do.
 * All return a negative errno where they fail.
 */
#ifndef KVM_TRACE_SYS_H
#define KVM_TRACE_SYS_H

#include <stddef.h>
#include <stdint.h>

enum {
	SYS_IOCTL = 29,
	SYS_MKDIRAT = 34,
	SYS_MOUNT = 40,
	SYS_OPENAT = 56,
	SYS_CLOSE = 57,
	SYS_READ = 63,
	SYS_WRITE = 64,
	SYS_EXIT = 93,
	SYS_NANOSLEEP = 101,
	SYS_SCHED_YIELD = 124,
	SYS_REBOOT = 142,
	SYS_MUNMAP = 215,
	SYS_CLONE = 220,
	SYS_EXECVE = 221,
	SYS_MMAP = 222,
	SYS_MPROTECT = 226,
	SYS_MADVISE = 233,
	SYS_WAIT4 = 260,
};

static inline long sys(long number, long a, long b, long c, long d, long e, long f) {
	register long x8 __asm__("x8") = number;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;
	register long x5 __asm__("x5") = f;

	__asm__ volatile("svc 0"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
			 : "memory", "cc");
	return x0;
}

#define sys3(number, a, b, c) sys(number, (long)(a), (long)(b), (long)(c), 0, 0, 0)

enum { O_RDONLY = 0, O_WRONLY = 1, O_RDWR = 2 };
enum { PROT_READ = 1, PROT_WRITE = 2 };
enum { MAP_SHARED = 1, MAP_PRIVATE = 2, MAP_ANONYMOUS = 32 };
enum { MADV_DONTNEED = 4, MADV_HUGEPAGE = 14 };
#define AT_FDCWD (-100)

static inline long open_file(const char *path, int flags) {
	return sys(SYS_OPENAT, AT_FDCWD, (long)path, flags, 0, 0, 0);
}

static inline void *map(size_t size, int flags, long fd) {
	return (void *)sys(SYS_MMAP, 0, (long)size, PROT_READ | PROT_WRITE, flags, fd, 0);
}

static inline size_t length_of(const char *text) {
	size_t length = 0;

	while (text[length])
		length++;
	return length;
}

#endif
