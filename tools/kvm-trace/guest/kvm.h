/* What the program uses of KVM's interface to user space (Linux: Documentation/virt/kvm/api.rst). */
#ifndef KVM_TRACE_KVM_H
#define KVM_TRACE_KVM_H

#include <stdint.h>

/* The four fields of an ioctl number: direction, size, 0xAE, number. */
#define KVM_NONE(number) (0xae00u | (number))
#define KVM_TAKES(number, type) (0x40000000u | sizeof(type) << 16 | 0xae00u | (number))
#define KVM_GIVES(number, type) (0x80000000u | sizeof(type) << 16 | 0xae00u | (number))

struct memory_region {
	uint32_t slot, flags;
	uint64_t guest_address, bytes, user_address;
};
struct vcpu_target {
	uint32_t target, features[7];
};
struct one_register {
	uint64_t id, address;
};
struct dirty_log {
	uint32_t slot, padding;
	void *bitmap;
};
struct enable_capability {
	uint32_t capability, flags;
	uint64_t arguments[4];
	uint8_t padding[64];
};
/* The page that a vCPU shares with user space: its first words are all that matters here. */
struct vcpu_page {
	uint8_t request_interrupt_window, immediate_exit, padding[6];
	uint32_t exit_reason;
};

#define KVM_GET_API_VERSION KVM_NONE(0x00)
#define KVM_CREATE_VM KVM_NONE(0x01)
#define KVM_CHECK_EXTENSION KVM_NONE(0x03)
#define KVM_GET_VCPU_MMAP_SIZE KVM_NONE(0x04)
#define KVM_CREATE_VCPU KVM_NONE(0x41)
#define KVM_GET_DIRTY_LOG KVM_TAKES(0x42, struct dirty_log)
#define KVM_SET_USER_MEMORY_REGION KVM_TAKES(0x46, struct memory_region)
#define KVM_RUN KVM_NONE(0x80)
#define KVM_ENABLE_CAP KVM_TAKES(0xa3, struct enable_capability)
#define KVM_SET_ONE_REG KVM_TAKES(0xac, struct one_register)
#define KVM_ARM_VCPU_INIT KVM_TAKES(0xae, struct vcpu_target)
#define KVM_ARM_PREFERRED_TARGET KVM_GIVES(0xaf, struct vcpu_target)

enum { MEMORY_LOG_DIRTY_PAGES = 1 };
enum { EXIT_MMIO = 6 };
/* Blocks are split when dirty logging begins, not at the first store (since Linux 6.5). */
enum { CAP_EAGER_SPLIT_CHUNK = 228 };

/* X0 to X30 and PC, by their place in the kernel's structure of 64-bit registers. */
#define CORE_REGISTER(index) (0x6030000000100000ull | 2 * (index))
enum { CORE_PC = 32 };

#endif
