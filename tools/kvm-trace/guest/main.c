/*
 * The first program of the booted kernel: it makes KVM do, once or a few times, each thing that
 * KVM does to stage-2 tables, and switches the machine off. Arguments, after -- on the kernel's
 * command line: vcpus=N vms=N cycles=N sparse=N, or run=/program to run that one instead.
 */
#include "say.h"
#include "sys.h"
#include "vm.h"

#define VMS_MAX 4
#define SIGCHLD 17

void program(long argc, char **argv);

static struct vm vms[VMS_MAX];

static void mount_all(void) {
	static const char *const at[] = { "/dev", "/proc", "/sys" };
	static const char *const kind[] = { "devtmpfs", "proc", "sysfs" };

	for (unsigned i = 0; i < 3; i++) {
		sys(SYS_MKDIRAT, AT_FDCWD, (long)at[i], 0755, 0, 0, 0);
		sys(SYS_MOUNT, (long)kind[i], (long)at[i], (long)kind[i], 0, 0, 0);
	}
}

static void write_file(const char *path, const char *text) {
	long file = open_file(path, O_WRONLY);

	if (file < 0)
		return;
	sys3(SYS_WRITE, file, text, length_of(text));
	sys3(SYS_CLOSE, file, 0, 0);
}

static const char *argument(long argc, char **argv, const char *name) {
	size_t length = length_of(name);

	for (long i = 1; i < argc; i++) {
		size_t same = 0;

		while (same < length && argv[i][same] == name[same])
			same++;
		if (same == length)
			return argv[i] + length;
	}
	return NULL;
}

static unsigned number(const char *text, unsigned otherwise, unsigned most) {
	unsigned value = 0;

	if (!text)
		return otherwise;
	for (; *text >= '0' && *text <= '9'; text++)
		value = value * 10 + (unsigned)(*text - '0');
	return value < 1 ? 1 : value > most ? most : value;
}

static void run_program(const char *path) {
	char *const arguments[] = { (char *)path, NULL };
	char *const environment[] = { "PATH=/bin:/sbin:/usr/bin:/usr/sbin", NULL };
	long child = sys(SYS_CLONE, SIGCHLD, 0, 0, 0, 0, 0);

	if (child == 0) {
		long error = sys3(SYS_EXECVE, path, arguments, environment);

		fail("the program of --init cannot be run", error);
	}
	sys(SYS_WAIT4, child, 0, 0, 0, 0, 0);
}

static void cycle(struct vm *vm) {
	say_step("dirty logging on, every second page stored to");
	vm_log_dirty(vm, true);
	vm_touch(vm, 0, RAM_BYTES, 2, true);
	vm_fetch_dirty(vm);
	vm_touch(vm, 0, RAM_BYTES, 4, true);
	say_step("dirty logging off, every page stored to");
	vm_log_dirty(vm, false);
	vm_touch(vm, 0, RAM_BYTES, 1, true);
}

/* What the kernel does to guest memory by itself: pages go, come back and become read-only. */
static void take_back(struct vm *vm) {
	char *half = vm->ram + RAM_BYTES / 2;

	say_step("half of the memory discarded and read again");
	sys3(SYS_MADVISE, half, RAM_BYTES / 2, MADV_DONTNEED);
	vm_touch(vm, RAM_BYTES / 2, RAM_BYTES / 2, 1, false);
	vm_touch(vm, RAM_BYTES / 2, RAM_BYTES / 2, 1, true);
	say_step("a block made read-only and writable again");
	sys3(SYS_MPROTECT, half, BLOCK_BYTES, PROT_READ);
	vm_touch(vm, RAM_BYTES / 2, BLOCK_BYTES, 1, false);
	sys3(SYS_MPROTECT, half, BLOCK_BYTES, PROT_READ | PROT_WRITE);
	vm_touch(vm, RAM_BYTES / 2, BLOCK_BYTES, 1, true);
	say_step("single pages discarded");
	for (unsigned long at = 0; at < BLOCK_BYTES; at += 16 * PAGE_BYTES * vm->sparse)
		sys3(SYS_MADVISE, vm->ram + at, PAGE_BYTES, MADV_DONTNEED);
	vm_touch(vm, 0, BLOCK_BYTES, 1, true);
}

static void exercise(unsigned vcpus, unsigned count, unsigned cycles, unsigned sparse) {
	long kvm = open_file("/dev/kvm", O_RDWR);

	if (kvm < 0)
		fail("/dev/kvm cannot be opened: this kernel has no KVM built in, or was not started "
		     "at EL2", kvm);
	for (unsigned i = 0; i < count; i++) {
		say_step("a VM is created, every page of it stored to");
		vm_create(&vms[i], kvm, vcpus, sparse);
		if (i > 0)
			vm_split_eagerly(&vms[i], kvm);
		vm_touch(&vms[i], 0, RAM_BYTES, 1, true);
		vm_start_others(&vms[i]);
	}
	for (unsigned round = 0; round < cycles; round++)
		for (unsigned i = 0; i < count; i++)
			cycle(&vms[i]);
	for (unsigned i = count; i-- > 0;) {
		take_back(&vms[i]);
		vm_stop_others(&vms[i]);
		say_step("the memory slot is removed, the VM destroyed");
		vm_remove_memory(&vms[i]);
		vm_destroy(&vms[i]);
	}
	sys3(SYS_CLOSE, kvm, 0, 0);
}

void program(long argc, char **argv) {
	const char *run = argument(argc, argv, "run=");

	mount_all();
	say_step("the kernel has booted");
	say_symbols();
	write_file("/sys/kernel/mm/transparent_hugepage/enabled", "always");
	if (run)
		run_program(run);
	else
		exercise(number(argument(argc, argv, "vcpus="), 2, VCPUS_MAX),
			 number(argument(argc, argv, "vms="), 2, VMS_MAX),
			 number(argument(argc, argv, "cycles="), 2, 100),
			 number(argument(argc, argv, "sparse="), 1, 128));
	say_step("done");
	power_off();
}
