/* One virtual machine. Its guest is a loop of a few instructions at EL1, with stage 1 off. */
#include "vm.h"

#include "say.h"
#include "start.h"
#include "sys.h"

#define CODE_AT 0x10000000ul
#define CODE_BYTES 65536ul
/* No memory is there: a store comes back to user space. */
#define EXIT_AT 0x20000000ul
enum { SLOT_CODE, SLOT_RAM };

/* X0 where, X1 stride, X2 end, X3 where to store when done, X4 store or load. */
__asm__(".section .rodata\n"
	".balign 8\n"
	".global guest_code, guest_code_end\n"
	"guest_code:\n"
	"1:	cbz	x4, 2f\n"
	"	str	x0, [x0]\n"
	"	b	3f\n"
	"2:	ldr	x5, [x0]\n"
	"3:	add	x0, x0, x1\n"
	"	cmp	x0, x2\n"
	"	b.lo	1b\n"
	"	str	x0, [x3]\n"
	"	b	.\n"
	"guest_code_end:\n"
	".text\n");
extern const char guest_code[], guest_code_end[];

static long must(long result, const char *what) {
	if (result < 0)
		fail(what, result);
	return result;
}

static void *memory(size_t bytes, int flags, long fd, const char *what) {
	void *at = map(bytes, flags, fd);

	must((long)at > 0 || (long)at < -4095 ? 0 : (long)at, what);
	return at;
}

static void set_slot(struct vm *vm, uint32_t slot, unsigned long guest, unsigned long bytes,
		     void *user, uint32_t flags) {
	struct memory_region region = { slot, flags, guest, bytes, (uint64_t)user };

	must(sys3(SYS_IOCTL, vm->fd, KVM_SET_USER_MEMORY_REGION, &region),
	     "KVM_SET_USER_MEMORY_REGION");
}

static void set_register(struct vcpu *vcpu, unsigned index, uint64_t value) {
	struct one_register one = { CORE_REGISTER(index), (uint64_t)&value };

	must(sys3(SYS_IOCTL, vcpu->fd, KVM_SET_ONE_REG, &one), "KVM_SET_ONE_REG");
}

/* What was stored is what the guest fetches. Cache lines have at least 16 bytes. */
static void publish_code(const char *code) {
	for (const char *at = code; at < code + 64; at += 16)
		__asm__ volatile("dc cvau, %0\n\tdsb ish\n\tic ivau, %0\n\tdsb ish\n\tisb"
				 :
				 : "r"(at)
				 : "memory");
}

void vm_create(struct vm *vm, long kvm, unsigned vcpus, unsigned sparse) {
	long bytes = must(sys3(SYS_IOCTL, kvm, KVM_GET_VCPU_MMAP_SIZE, 0), "KVM_GET_VCPU_MMAP_SIZE");
	struct vcpu_target target;
	char *code, *ram;

	vm->vcpus = vcpus;
	vm->sparse = sparse;
	vm->fd = must(sys3(SYS_IOCTL, kvm, KVM_CREATE_VM, 0), "KVM_CREATE_VM");
	code = memory(CODE_BYTES, MAP_PRIVATE | MAP_ANONYMOUS, -1, "mmap of code");
	memcpy(code, guest_code, (size_t)(guest_code_end - guest_code));
	publish_code(code);
	ram = memory(RAM_BYTES + BLOCK_BYTES, MAP_PRIVATE | MAP_ANONYMOUS, -1, "mmap of memory");
	vm->ram = (char *)(((uintptr_t)ram + BLOCK_BYTES - 1) & ~(BLOCK_BYTES - 1));
	/* Where there are no huge pages there are no blocks, and the log says so. */
	sys3(SYS_MADVISE, vm->ram, RAM_BYTES, MADV_HUGEPAGE);
	set_slot(vm, SLOT_CODE, CODE_AT, CODE_BYTES, code, 0);
	set_slot(vm, SLOT_RAM, RAM_AT, RAM_BYTES, vm->ram, 0);
	must(sys3(SYS_IOCTL, vm->fd, KVM_ARM_PREFERRED_TARGET, &target), "KVM_ARM_PREFERRED_TARGET");
	for (unsigned i = 0; i < vcpus; i++) {
		struct vcpu *vcpu = &vm->vcpu[i];

		vcpu->vm = vm;
		vcpu->fd = must(sys3(SYS_IOCTL, vm->fd, KVM_CREATE_VCPU, i), "KVM_CREATE_VCPU");
		must(sys3(SYS_IOCTL, vcpu->fd, KVM_ARM_VCPU_INIT, &target), "KVM_ARM_VCPU_INIT");
		vcpu->page_bytes = (size_t)bytes;
		vcpu->page = memory(vcpu->page_bytes, MAP_SHARED, vcpu->fd, "mmap of a vCPU");
	}
}

void vm_split_eagerly(struct vm *vm, long kvm) {
	struct enable_capability split = { .capability = CAP_EAGER_SPLIT_CHUNK,
					   .arguments = { BLOCK_BYTES } };

	if (sys3(SYS_IOCTL, kvm, KVM_CHECK_EXTENSION, CAP_EAGER_SPLIT_CHUNK) >= 0)
		sys3(SYS_IOCTL, vm->fd, KVM_ENABLE_CAP, &split);
}

static void touch(struct vcpu *vcpu, unsigned long from, unsigned long bytes, unsigned of_several,
		  bool store) {
	set_register(vcpu, 0, RAM_AT + from);
	set_register(vcpu, 1, PAGE_BYTES * vcpu->vm->sparse * of_several);
	set_register(vcpu, 2, RAM_AT + from + bytes);
	set_register(vcpu, 3, EXIT_AT);
	set_register(vcpu, 4, store);
	set_register(vcpu, CORE_PC, CODE_AT);
	must(sys3(SYS_IOCTL, vcpu->fd, KVM_RUN, 0), "KVM_RUN");
	if (vcpu->page->exit_reason != EXIT_MMIO)
		fail("KVM_RUN came back for another reason than its store", vcpu->page->exit_reason);
	/* Entered once more without running, so that the store is done with. */
	vcpu->page->immediate_exit = 1;
	sys3(SYS_IOCTL, vcpu->fd, KVM_RUN, 0);
	vcpu->page->immediate_exit = 0;
}

void vm_touch(struct vm *vm, unsigned long from, unsigned long bytes, unsigned of_several,
	      bool store) {
	touch(&vm->vcpu[0], from, bytes, of_several, store);
}

static void read_all(void *argument) {
	struct vcpu *vcpu = argument;

	while (!__atomic_load_n(&vcpu->vm->stop, __ATOMIC_ACQUIRE))
		touch(vcpu, 0, RAM_BYTES, 1, false);
	__atomic_store_n(&vcpu->running, false, __ATOMIC_RELEASE);
}

void vm_start_others(struct vm *vm) {
	__atomic_store_n(&vm->stop, false, __ATOMIC_RELEASE);
	for (unsigned i = 1; i < vm->vcpus; i++) {
		vm->vcpu[i].running = true;
		must(start_thread(read_all, &vm->vcpu[i]), "clone");
	}
}

void vm_stop_others(struct vm *vm) {
	const long pause[2] = { 0, 1000000 };

	__atomic_store_n(&vm->stop, true, __ATOMIC_RELEASE);
	for (unsigned i = 1; i < vm->vcpus; i++)
		while (__atomic_load_n(&vm->vcpu[i].running, __ATOMIC_ACQUIRE))
			sys3(SYS_NANOSLEEP, pause, 0, 0);
}

void vm_log_dirty(struct vm *vm, bool on) {
	set_slot(vm, SLOT_RAM, RAM_AT, RAM_BYTES, vm->ram, on ? MEMORY_LOG_DIRTY_PAGES : 0);
}

void vm_fetch_dirty(struct vm *vm) {
	static uint64_t bitmap[RAM_BYTES / PAGE_BYTES / 64];
	struct dirty_log log = { .slot = SLOT_RAM, .bitmap = bitmap };

	must(sys3(SYS_IOCTL, vm->fd, KVM_GET_DIRTY_LOG, &log), "KVM_GET_DIRTY_LOG");
}

void vm_remove_memory(struct vm *vm) {
	set_slot(vm, SLOT_RAM, RAM_AT, 0, vm->ram, 0);
}

void vm_destroy(struct vm *vm) {
	/* A vCPU that is still mapped keeps its VM. */
	for (unsigned i = 0; i < vm->vcpus; i++) {
		sys3(SYS_MUNMAP, vm->vcpu[i].page, vm->vcpu[i].page_bytes, 0);
		sys3(SYS_CLOSE, vm->vcpu[i].fd, 0, 0);
	}
	sys3(SYS_CLOSE, vm->fd, 0, 0);
	sys3(SYS_MUNMAP, vm->ram, RAM_BYTES, 0);
}
