/* Where the program begins, where its threads begin, and what a compiler may call by itself. */
#include "start.h"

#include "sys.h"

/* VM, FS, FILES, SIGHAND, THREAD and SYSVSEM: a thread as any C library makes one. */
#define THREAD_FLAGS 0x50f00
#define STACK_BYTES (64 << 10)

/*
 * Linux 5.10 does not run a program whose writable segment has nothing in the file: what it zeroes
 * behind the file's part is then not mapped.
 */
__attribute__((used)) static char written[16] = "data";

void program(long argc, char **argv);

__asm__(".text\n"
	".global _start\n"
	"_start:\n"
	"	mov	x29, #0\n"
	"	mov	x30, #0\n"
	"	ldr	x0, [sp]\n"
	"	add	x1, sp, #8\n"
	"	bl	program\n"
	"	brk	#0\n"
	/* long begin(function, argument, top of its stack, flags) */
	".global begin\n"
	"begin:\n"
	"	stp	x0, x1, [x2, #-16]!\n"
	"	mov	x0, x3\n"
	"	mov	x1, x2\n"
	"	mov	x2, #0\n"
	"	mov	x3, #0\n"
	"	mov	x4, #0\n"
	"	mov	x8, #220\n"
	"	svc	#0\n"
	"	cbnz	x0, 1f\n"
	"	ldp	x1, x0, [sp]\n"
	"	mov	x29, #0\n"
	"	blr	x1\n"
	"	mov	x0, #0\n"
	"	mov	x8, #93\n"
	"	svc	#0\n"
	"1:	ret\n");

long begin(void (*function)(void *), void *argument, void *top, long flags);

long start_thread(void (*function)(void *), void *argument) {
	char *stack = map(STACK_BYTES, MAP_PRIVATE | MAP_ANONYMOUS, -1);

	if ((long)stack < 0)
		return (long)stack;
	return begin(function, argument, stack + STACK_BYTES, THREAD_FLAGS);
}

void *memset(void *to, int value, size_t count) {
	volatile char *at = to;

	while (count--)
		*at++ = (char)value;
	return to;
}

void *memcpy(void *to, const void *from, size_t count) {
	volatile char *at = to;
	const char *source = from;

	while (count--)
		*at++ = *source++;
	return to;
}
