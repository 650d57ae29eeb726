/* Words to the plugin, by an instruction that does nothing, and to the console. */
#ifndef KVM_TRACE_SAY_H
#define KVM_TRACE_SAY_H

/* A line of the log, and of the progress that is shown. */
void say_step(const char *text);
/* The names of the kernel's functions, so that the log can tell places. */
void say_symbols(void);
/* The machine is switched off; the console says why. */
__attribute__((noreturn)) void fail(const char *what, long error);
__attribute__((noreturn)) void power_off(void);

#endif
